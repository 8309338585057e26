use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::web::pki::{Authority, Directory};

const YML: &str = "\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
basic_auth_users:
  a: $2y$04$/////////////////////uWQGqPhFwdEJm0mVMTyNQ2dY5JBtKLlC
rate_limit:
  interval: 1h
  burst: 2
";

fn directory() -> (Directory, Authority) {
    let (directory, authority) = (Directory::new(), Authority::new("ca"));
    directory.fill(&authority.server(), &authority);
    directory.write("web.yml", YML);
    (directory, authority)
}

fn load(directory: &Directory) -> Arc<ConfigStore> {
    ConfigStore::load(Some(directory.path().join("web.yml"))).unwrap()
}

#[test]
fn an_invalid_file_keeps_the_last_valid_configuration() {
    let (directory, authority) = directory();
    let live = load(&directory);
    let before = live.current();
    let other_key = authority.server().key.serialize_pem();
    for (name, text) in [
        ("web.yml", "junk"),
        ("web.yml", "tls_server_config:\n  cert_filse: x\n"),
        ("web.yml", "tls_server_config:\n  min_version: TLS12\n"),
        ("web.yml", &YML.replace("2y$04", "2y$99")),
        ("web.yml", &YML.replace("1h", "1 hour")),
        ("web.yml", YML.get(..60).unwrap()),
        ("server.crt", ""),
        ("server.crt", "junk"),
        ("server.key", &other_key),
        ("server.key", ""),
        ("ca.pem", ""),
    ] {
        let path = directory.path().join(name);
        let good = fs::read(&path).unwrap();
        fs::write(&path, text).unwrap();
        let error = live.reload().unwrap_err();
        assert!(Arc::ptr_eq(&before, &live.current()), "{name}: {text}");
        assert_eq!(live.status().error, Some(error));
        fs::remove_file(&path).unwrap();
        live.reload().unwrap_err();
        fs::write(&path, good).unwrap();
        // The previous content again: no generation changes.
        assert_eq!(live.reload(), Ok(Reloaded::Unchanged), "{name}: {text}");
        assert!(Arc::ptr_eq(&before, &live.current()));
        assert!(live.status().is_good());
    }
    assert!(!live.changes().has_changed().unwrap());
}

#[test]
fn a_valid_change_takes_effect_at_once_and_keeps_state() {
    let (directory, authority) = directory();
    let live = load(&directory);
    let mut changes = live.changes();
    let before = live.current();
    let limit = before.rate_limit.as_ref().unwrap();
    assert!(limit.allow() && limit.allow() && !limit.allow());

    directory.fill(&authority.server(), &authority);
    assert_eq!(live.reload(), Ok(Reloaded::Changed { generation: 1 }));
    assert!(changes.has_changed().unwrap());
    assert_eq!(*changes.borrow_and_update(), 1);
    let after = live.current();
    assert_eq!(after.generation, 1);
    assert!(!Arc::ptr_eq(before.tls.as_ref().unwrap(), after.tls.as_ref().unwrap()));
    // A reload does not reset the rate limit.
    assert!(!after.rate_limit.as_ref().unwrap().allow());

    directory.write("web.yml", &YML.replace("burst: 2", "burst: 3"));
    assert_eq!(live.reload(), Ok(Reloaded::Changed { generation: 2 }));
    assert!(live.current().rate_limit.as_ref().unwrap().allow());
}

/// All protections of a web configuration.
const STRICT: &str = "\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus.example]
  client_crl_file: crl.pem
basic_auth_users:
  a: $2y$04$/////////////////////uWQGqPhFwdEJm0mVMTyNQ2dY5JBtKLlC
";

#[test]
fn a_reload_does_not_remove_protections() {
    let (directory, authority) = directory();
    directory.write("crl.pem", &authority.revoke(&[], 4000));
    directory.write("web.yml", STRICT);
    let live = load(&directory);
    let before = live.current();
    let without = |lines: &[&str]| -> String {
        let kept = STRICT.lines().filter(|line| !lines.iter().any(|start| line.contains(start)));
        kept.flat_map(|line| [line, "\n"]).collect()
    };
    let (users, _) = STRICT.split_once("basic_auth_users").unwrap();
    let (_, no_tls) = STRICT.split_once("client_crl_file: crl.pem\n").unwrap();
    for (text, key) in [
        (String::new(), "tls_server_config"),
        ("# nothing\n".into(), "tls_server_config"),
        ("tls_server_config: {}\n".into(), "tls_server_config"),
        (no_tls.into(), "tls_server_config"),
        (users.into(), "basic_auth_users"),
        (format!("{users}basic_auth_users: {{}}\n"), "basic_auth_users"),
        (without(&["client_"]), "client_auth_type"),
        (
            STRICT
                .replace("RequireAndVerify", "VerifyIfGiven")
                .replace("VerifyIfGivenClientCert", "VerifyClientCertIfGiven"),
            "client_auth_type",
        ),
        (
            without(&["client_allowed", "client_crl"]).replace("RequireAndVerify", "RequireAny"),
            "client_auth_type",
        ),
        (without(&["client_allowed"]), "client_allowed_sans"),
        (without(&["client_crl"]), "client_crl_file"),
    ] {
        directory.write("web.yml", &text);
        let error = live.reload().unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains(key) && shown.contains("restart"), "{text}\n{shown}");
        assert!(Arc::ptr_eq(&before, &live.current()), "{text}");
        assert_eq!(live.status().error, Some(error));
        // A restart may remove it.
        load(&directory);
        directory.write("web.yml", STRICT);
        assert_eq!(live.reload(), Ok(Reloaded::Unchanged));
    }
    // Other changes, and stricter ones, take effect at once.
    for (nth, text) in [
        STRICT.replace("[prometheus.example]", "[prometheus.example, other.example]"),
        format!("{STRICT}http_server_config:\n  http2: false\n"),
        STRICT.replace("  a: ", "  b: "),
    ]
    .iter()
    .enumerate()
    {
        directory.write("web.yml", text);
        assert_eq!(live.reload(), Ok(Reloaded::Changed { generation: nth as u64 + 1 }), "{text}");
    }
}

/// A truncated file admits no client that was rejected before.
#[test]
fn a_truncated_file_does_not_weaken_access() {
    let (directory, authority) = directory();
    directory.write("crl.pem", &authority.revoke(&[], 4000));
    directory.write("web.yml", STRICT);
    let live = load(&directory);
    for end in (0..STRICT.len()).rev() {
        directory.write("web.yml", STRICT.get(..end).unwrap());
        let _ = live.reload();
        let settings = live.current();
        let verifier = settings.verifier.as_ref().unwrap();
        assert!(settings.tls.is_some() && settings.users.is_some(), "{end}");
        assert!(verifier.policy.is_required && verifier.policy.is_verified, "{end}");
        assert!(verifier.allowed.is_some(), "{end}");
        assert!(verifier.authorities.as_ref().unwrap().has_lists, "{end}");
    }
}

#[test]
fn a_poll_waits_until_the_files_are_stable() {
    let (directory, authority) = directory();
    let live = load(&directory);
    live.poll();
    live.poll();
    assert_eq!(live.current().generation, 0);

    let server = authority.server();
    directory.write("server.crt", &server.certificate);
    live.poll();
    // The key arrives later than its certificate: no error in between.
    directory.write("server.key", &server.key.serialize_pem());
    live.poll();
    assert!(live.status().is_good());
    live.poll();
    assert_eq!(live.current().generation, 1);

    fs::remove_file(directory.path().join("ca.pem")).unwrap();
    live.poll();
    live.poll();
    assert!(!live.status().is_good());
    live.poll();
    directory.write("ca.pem", &authority.0.pem());
    live.poll();
    live.poll();
    assert!(live.status().is_good());
    assert_eq!(live.current().generation, 1);
}

#[test]
fn a_directory_swapped_by_a_symbolic_link_is_a_change() {
    let (root, authority) = (Directory::new(), Authority::new("ca"));
    for version in ["..1", "..2"] {
        let version = root.path().join(version);
        fs::create_dir(&version).unwrap();
        let server = authority.server();
        fs::write(version.join("server.crt"), server.certificate).unwrap();
        fs::write(version.join("server.key"), server.key.serialize_pem()).unwrap();
        fs::write(version.join("ca.pem"), authority.0.pem()).unwrap();
        fs::write(version.join("web.yml"), YML).unwrap();
    }
    let data = root.path().join("..data");
    symlink("..1", &data).unwrap();
    for name in ["server.crt", "server.key", "ca.pem", "web.yml"] {
        symlink(format!("..data/{name}"), root.path().join(name)).unwrap();
    }
    let live = load(&root);
    symlink("..2", root.path().join("..new")).unwrap();
    fs::rename(root.path().join("..new"), &data).unwrap();
    live.poll();
    live.poll();
    assert_eq!(live.current().generation, 1);
}

#[test]
fn credentials_of_the_service_manager_are_found() {
    let (directory, _authority) = directory();
    let text = YML.replace("server.key", "\"%d/server.key\"");
    let credentials = Directory::new();
    let key = fs::read(directory.path().join("server.key")).unwrap();
    fs::write(credentials.path().join("server.key"), key).unwrap();
    let path = directory.write("web.yml", &text);
    let load = |credentials| ConfigStore::load_with(Some(path.clone()), credentials);
    assert!(load(Some(credentials.path().to_path_buf())).is_ok());
    assert!(load(None).unwrap_err().to_string().contains("$CREDENTIALS_DIRECTORY"));
}

#[tokio::test]
async fn the_watcher_detects_a_change() {
    let (directory, authority) = directory();
    let live = load(&directory);
    let mut changes = live.changes();
    let watch = tokio::spawn(Arc::clone(&live).watch());
    directory.fill(&authority.server(), &authority);
    tokio::time::timeout(Duration::from_secs(20), changes.changed()).await.unwrap().unwrap();
    watch.abort();
    assert_eq!(live.current().generation, 1);
}

#[test]
fn reloads_do_not_accumulate_files() {
    let (directory, _authority) = directory();
    let live = load(&directory);
    for turn in 0..100 {
        directory.write("web.yml", &format!("{YML}# {turn}\n"));
        assert!(matches!(live.reload(), Ok(Reloaded::Changed { .. })));
    }
    let history = live.history();
    assert_eq!(history.last.stamps().len(), 4);
    assert_eq!(Arc::strong_count(&live.current()), 2);
}
