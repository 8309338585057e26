//! Two hundred targets: two servers with many addresses.

use std::sync::Mutex;
use std::time::Duration;

use super::*;

/// The loopback addresses of one server.
fn addresses(network: u8) -> Vec<String> {
    (1..=100).map(|host| format!("127.0.{network}.{host}")).collect()
}

/// Probes all targets, `concurrency` at a time. Returns the number of targets that were up.
fn probe(port: u16, targets: &[String], concurrency: usize, seconds: &str) -> usize {
    let (next, up) = (Mutex::new(targets.iter()), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..concurrency {
            scope.spawn(|| {
                loop {
                    let Some(target) = next.lock().unwrap().next() else { break };
                    let response =
                        scrape_with_timeout(port, &format!("/probe?target={target}"), seconds);
                    assert_eq!(response.status, 200, "{target}: {}", response.body);
                    if value(&response.body, "mysql_up") == Some(1.0) {
                        *up.lock().unwrap() += 1;
                    }
                }
            });
        }
    });
    up.into_inner().unwrap()
}

#[test]
fn one_exporter_probes_two_hundred_targets() {
    let flags = |network| {
        // The first address is for the test's own client.
        let all = [vec!["127.0.0.1".to_owned()], addresses(network)].concat();
        [format!("--bind-address={}", all.join(",")), "--max-connections=500".to_owned()]
    };
    let (one, two) = (flags(1), flags(2));
    let Some(first) = Server::mariadb(&[&one[0], &one[1]]) else { return };
    let second = Server::mysql_with(&[&two[0], &two[1]]);
    let Some(second) = second.or_else(|| Server::mariadb(&[&two[0], &two[1]])) else { return };
    let targets_of = |server: &Server, network| -> Vec<String> {
        addresses(network).iter().map(|address| format!("{address}:{}", server.port)).collect()
    };
    let (first_targets, second_targets) = (targets_of(&first, 1), targets_of(&second, 2));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("targets.yml");
    let list = |targets: &[String]| format!("['{}']", targets.join("', '"));
    let text = format!(
        "- targets: {}\n  labels: {{fleet: one}}\n- targets: {}\n  labels: {{fleet: two}}\n",
        list(&first_targets),
        list(&second_targets)
    );
    fs::write(&file, text).unwrap();
    let targets = format!("--config.targets={}", file.display());
    let cnf = first.login_options(dir.path());
    let exporter = Exporter::start(BINARY, &[&cnf, &targets, "--web.max-requests=120"], dir.path());

    let discovered = exporter.get("/sd");
    assert_eq!(discovered.status, 200);
    assert_eq!(discovered.body.matches("127.0.").count(), 201, "{}", discovered.body);
    assert!(discovered.body.contains("\"labels\":{\"fleet\":\"two\"}"), "{}", discovered.body);
    let unknown = format!("/probe?target=127.0.3.1:{}", first.port);
    assert_eq!(exporter.get(&unknown).status, 400);

    let all = [first_targets.clone(), second_targets.clone()].concat();
    for _ in 0..2 {
        assert_eq!(probe(exporter.port, &all, 20, "100"), 200, "{}", exporter.log());
    }
    let connections = [&first, &second].map(|server| server.status("Threads_connected"));
    // Two connections for each target, and that of the statement that reads the counter.
    assert!(connections.iter().all(|count| *count <= 201), "{connections:?}");
    let memory = fs::read_to_string(format!("/proc/{}/status", exporter.pid())).unwrap();
    let resident = memory.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().trim();
    eprintln!("200 targets: connections {connections:?}, resident {resident}");
    let resident: u64 = resident.trim_end_matches(" kB").parse().unwrap();
    assert!(resident < 200 << 10, "{resident} kB");

    // While all targets of the second server hang, those of the first are probed as before.
    second.signal("STOP");
    let (port, frozen) = (exporter.port, second_targets.clone());
    let hanging = thread::spawn(move || probe(port, &frozen, 50, "60"));
    thread::sleep(Duration::from_millis(500));
    assert_eq!(probe(exporter.port, &first_targets, 10, "100"), 100, "{}", exporter.log());
    assert_eq!(hanging.join().unwrap(), 0);
    second.signal("CONT");
    until(|| probe(exporter.port, &second_targets, 10, "100") == 100, || exporter.log());
}
