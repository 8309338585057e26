use std::time::Duration;

use exporter_core::testing;
use zbus::message::Header;
use zbus::{Message, ObjectPath, Variant};

use super::*;
use crate::dbus::fake::{FakeBus, block_on};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/systemd.prom");

/// Name, load state and active state. The path of a unit contains its index in this list.
const LISTED: [(&str, &str, &str); 9] = [
    ("cron.service", "loaded", "active"),
    ("broken.service", "loaded", "failed"),
    ("gone.service", "not-found", "inactive"),
    ("ssh.socket", "loaded", "active"),
    ("daily.timer", "loaded", "active"),
    ("-.mount", "loaded", "active"),
    ("system.slice", "loaded", "active"),
    ("multi-user.target", "loaded", "active"),
    ("vanished.service", "loaded", "activating"),
];

/// systemd 257 with these units. The last one is gone before its properties are read.
fn systemd(call: &Header<'_>, message: &Message) -> Option<Message> {
    let reply = Message::method_return(call);
    if call.member()?.as_str() == "ListUnits" {
        let paths: Vec<_> = (0..LISTED.len()).map(path).collect();
        let units: Vec<_> = LISTED
            .iter()
            .zip(&paths)
            .map(|((name, load, active), path)| {
                let path = ObjectPath::try_from(path.as_str()).unwrap();
                let none = ObjectPath::try_from("/").unwrap();
                (*name, "About it", *load, *active, "running", "", path, 0_u32, "", none)
            })
            .collect();
        return reply.build(&units).ok();
    }
    let body = message.body();
    let (_, property): (&str, &str) = body.deserialize().unwrap();
    let unit = LISTED.iter().enumerate().find(|(at, _)| path(*at) == call.path().unwrap().as_str());
    let value = match (property, unit.map(|(_, (name, ..))| *name)) {
        (_, Some("vanished.service")) => return None,
        ("Version", None) => Variant::from("257.9-1~deb13u1"),
        ("Virtualization", None) => Variant::from(""),
        ("SystemState", None) => Variant::from("degraded"),
        ("Type", Some("cron.service")) => Variant::from("simple"),
        ("Type", Some("broken.service")) => Variant::from("notify"),
        ("Type", Some("-.mount")) => Variant::from("ext4"),
        ("NRestarts", Some("broken.service")) => Variant::from(5_u32),
        ("NRestarts", _) => Variant::from(0_u32),
        ("TasksCurrent", _) => Variant::from(3_u64),
        ("TasksMax", Some("broken.service")) => Variant::from(u64::MAX),
        ("TasksMax", _) => Variant::from(4915_u64),
        ("ActiveEnterTimestamp", _) => Variant::from(1_700_000_000_250_000_u64),
        ("LastTriggerUSec", _) => Variant::from(1_699_999_999_500_000_u64),
        ("NAccepted", _) => Variant::from(12_u32),
        ("NConnections", _) => Variant::from(2_u32),
        ("NRefused", _) => Variant::from(1_u32),
        _ => return None,
    };
    reply.build(&value).ok()
}

fn path(at: usize) -> String {
    format!("/org/freedesktop/systemd1/unit/u{at}")
}

fn collector(bus: &FakeBus, given: &[(&'static Flag, &str)]) -> Systemd {
    Systemd::new(bus.client(), &Flags::new(given.iter().copied())).unwrap()
}

async fn page(systemd: &mut Systemd) -> (String, Result<(), Error>) {
    let mut out = Families::default();
    let result = systemd.collect(&mut out).await;
    (String::from_utf8(testing::page(&[out])).unwrap(), result)
}

/// Run with `UPDATE=1` to rewrite the golden file.
#[test]
fn units_are_exposed() {
    block_on(async {
        let bus = FakeBus::new(systemd);
        let given = [(&TASKS, "true"), (&RESTARTS, "true"), (&START_TIME, "true")];
        let (page, result) = page(&mut collector(&bus, &given)).await;
        result.unwrap();
        testing::declared_is_exposed(&DEFINITION, &page);
        testing::golden(GOLDEN, &page);
    });
}

#[test]
fn patterns_match_whole_unit_names() {
    for (given, exposed) in [
        (
            vec![],
            vec![
                "cron.service",
                "broken.service",
                "ssh.socket",
                "daily.timer",
                "multi-user.target",
                "vanished.service",
            ],
        ),
        (vec![(&INCLUDE, "cron.*")], vec!["cron.service"]),
        (vec![(&INCLUDE, "cron")], vec![]),
        (vec![(&OLD_INCLUDE, "cron.*|.*socket")], vec!["cron.service", "ssh.socket"]),
        (
            vec![(&EXCLUDE, ".*(service|slice|target)")],
            vec!["ssh.socket", "daily.timer", "-.mount"],
        ),
        (vec![(&OLD_EXCLUDE, ".+[^t]")], vec!["ssh.socket", "-.mount", "multi-user.target"]),
    ] {
        block_on(async {
            let bus = FakeBus::new(systemd);
            let (page, result) = page(&mut collector(&bus, &given)).await;
            result.unwrap();
            let names = LISTED.iter().map(|(name, ..)| *name);
            let found: Vec<_> = names
                .filter(|name| page.contains(&format!("unit_state{{name=\"{name}\"")))
                .collect();
            assert_eq!(found, exposed, "{given:?}");
        });
    }
}

#[test]
fn an_invalid_reply_fails_one_scrape() {
    let broken: [(&[u8], bool); 4] = [
        (b"", false),
        (b"OK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\nl\x02\x01", false),
        (b"\0\xff\r\n\r\nREJECTED\r\n", false),
        (b"OK 0123456789abcdef0123456789abcdef\r\n\xff\xff\xff\xff\xff\xff\xff\xff", false),
    ];
    for (bytes, hangs) in broken {
        block_on(async {
            let bus = FakeBus::broken(bytes, hangs);
            let (_, result) = page(&mut collector(&bus, &[])).await;
            let error = result.unwrap_err().to_string();
            assert!(error.contains("ListUnits"), "{bytes:?}: {error}");
        });
    }
}

#[test]
fn a_machine_without_a_bus_is_absent() {
    block_on(async {
        let mut collector = {
            let bus = FakeBus::new(systemd);
            collector(&bus, &[])
            // The socket is removed with the bus.
        };
        let (page, result) = page(&mut collector).await;
        assert!(matches!(result, Err(Error::Absent(_))), "{result:?}");
        assert_eq!(page, "");
    });
}

#[test]
fn a_peer_that_never_replies_times_out() {
    block_on(async {
        let bus = FakeBus::broken(b"", true);
        let mut collector = collector(&bus, &[]);
        // The registry does the same at the deadline.
        let result = tokio::time::timeout(Duration::from_millis(200), page(&mut collector)).await;
        assert!(result.is_err());
        let answering = FakeBus::new(systemd);
        collector.bus = answering.client();
        page(&mut collector).await.1.unwrap();
    });
}

#[test]
fn a_late_reply_is_not_mistaken_for_the_next() {
    block_on(async {
        let bus = FakeBus::late(systemd, Duration::from_millis(300));
        let mut collector = collector(&bus, &[]);
        let result = tokio::time::timeout(Duration::from_millis(50), page(&mut collector)).await;
        assert!(result.is_err());
        let (page, result) = page(&mut collector).await;
        result.unwrap();
        assert!(page.contains("node_systemd_system_running 0"), "{page}");
    });
}

#[test]
fn a_restarted_bus_is_reconnected() {
    block_on(async {
        let mut collector = {
            let bus = FakeBus::broken(b"", false);
            let mut collector = collector(&bus, &[]);
            page(&mut collector).await.1.unwrap_err();
            collector
        };
        let bus = FakeBus::new(systemd);
        collector.bus = bus.client();
        page(&mut collector).await.1.unwrap();
        collector.bus.close().await;
        page(&mut collector).await.1.unwrap();
    });
}

#[test]
fn versions_are_parsed() {
    for (text, number) in [
        ("257.9-1~deb13u1", Some(257.9)),
        ("252", Some(252.0)),
        ("v241", Some(241.0)),
        ("systemd 12 v239-rc1", Some(239.0)),
        ("259~rc2.", Some(259.0)),
        ("", None),
        ("12.5", None),
    ] {
        assert_eq!(version_number(text), number, "{text:?}");
    }
}
