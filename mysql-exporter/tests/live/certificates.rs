//! X.509 version 1 certificates, which `openssl x509 -req` created by default before OpenSSL 3.2.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use exporter_core::testing::{Authority, Exporter, skip};

use crate::server::Server;
use crate::{BINARY, value};

/// A directory with keys, certificate requests and certificates, which openssl creates.
struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            skip("no openssl in PATH");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        Some(Self(dir))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn openssl(&self, arguments: &[&str]) {
        let output =
            Command::new("openssl").current_dir(self.0.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Creates a key and a certificate request.
    fn request(&self, name: &str, algorithm: &[&str]) {
        let [key, request] = [format!("{name}.key"), format!("{name}.csr")];
        let subject = format!("/CN={name}");
        let new = ["req", "-new", "-nodes", "-subj", &subject, "-keyout", &key, "-out", &request];
        self.openssl(&[&new[..], algorithm].concat());
        // The server may run as another user.
        fs::set_permissions(self.path(&key), Permissions::from_mode(0o644)).unwrap();
    }

    /// Creates a self-signed certificate of version 1.
    fn self_signed(&self, name: &str, algorithm: &[&str]) {
        self.request(name, algorithm);
        self.sign(name, &["-key", &format!("{name}.key")]);
    }

    /// Creates a certificate of version 1 that an authority has issued.
    fn issue(&self, name: &str, authority: &str, algorithm: &[&str]) {
        self.request(name, algorithm);
        let [certificate, key] = [format!("{authority}.crt"), format!("{authority}.key")];
        self.sign(name, &["-CA", &certificate, "-CAkey", &key]);
    }

    fn sign(&self, name: &str, keys: &[&str]) {
        let [request, out] = [format!("{name}.csr"), format!("{name}.crt")];
        // The default configuration of the distribution adds extensions, which need version 3.
        fs::write(self.path("empty.cnf"), "[req]\ndistinguished_name=req\n").unwrap();
        let sign = ["req", "-x509", "-config", "empty.cnf", "-days", "30", "-in", &request];
        // OpenSSL 3.2 and later create version 1 only with this flag, which earlier versions lack.
        let help = Command::new("openssl").args(["req", "-help"]).output().unwrap();
        let has_flag = String::from_utf8_lossy(&help.stderr).contains("-x509v1");
        let version = if has_flag { &["-x509v1"][..] } else { &[] };
        self.openssl(&[&sign[..], &["-out", &out], keys, version].concat());
    }
}

const RSA: &[&str] = &["-newkey", "rsa:2048"];
const ECDSA: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// Starts an exporter with these keys in its option file. Returns whether it logs in, and its log.
fn log_in(server: &Server, user: &str, keys: &str) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("[client]\nuser={user}\nhost=127.0.0.1\nport=PORT\n{keys}\n");
    let cnf = server.options(dir.path(), &text);
    let exporter = Exporter::start(BINARY, &[&cnf], dir.path());
    let page = exporter.get("/metrics?collect[]=slave_status").body;
    (value(&page, "mysql_up") == Some(1.0), exporter.log())
}

/// Old servers created such certificates at their first start.
#[test]
fn a_self_signed_certificate_in_ssl_ca_is_accepted() {
    let Some(files) = Directory::new() else { return };
    files.self_signed("server", RSA);
    let flags = [
        format!("--ssl-cert={}", files.path("server.crt")),
        format!("--ssl-key={}", files.path("server.key")),
    ];
    let Some(server) = Server::mariadb(&[&flags[0], &flags[1]]) else { return };
    server.sql("CREATE USER tls@'%' REQUIRE SSL");
    let other = Authority::new(files.0.path(), "other");
    let other = other.certificate.display().to_string();
    let own = files.path("server.crt");
    for (keys, problem) in [
        ("ssl-mode=REQUIRED".to_owned(), None),
        (format!("ssl-ca={own}"), None),
        (format!("ssl-ca={own}\nssl-mode=VERIFY_CA"), None),
        (format!("ssl-ca={other}"), Some("X.509 version 1")),
        (format!("ssl-ca={other}\nssl-mode=VERIFY_CA"), Some("not issued by an authority")),
    ] {
        let (is_up, log) = log_in(&server, "tls", &keys);
        assert_eq!(is_up, problem.is_none(), "{keys}\n{log}");
        assert!(problem.is_none_or(|problem| log.contains(problem)), "{keys}\n{log}");
    }
}

/// The examples in MySQL's manual create such certificates.
#[test]
fn certificates_of_version_1_are_accepted_from_their_authority() {
    for algorithm in [RSA, ECDSA] {
        let Some(files) = Directory::new() else { return };
        files.self_signed("ca", algorithm);
        // An authority with the same name and another key.
        let impostor = Directory::new().unwrap();
        impostor.self_signed("ca", algorithm);
        for name in ["server", "client"] {
            files.issue(name, "ca", algorithm);
        }
        impostor.issue("client", "ca", algorithm);
        let flags = [
            format!("--ssl-ca={}", files.path("ca.crt")),
            format!("--ssl-cert={}", files.path("server.crt")),
            format!("--ssl-key={}", files.path("server.key")),
        ];
        let Some(server) = Server::mariadb(&[&flags[0], &flags[1], &flags[2]]) else { return };
        server.sql("CREATE USER tls@'%' REQUIRE SSL; CREATE USER sure@'%' REQUIRE X509");
        let ca = format!("ssl-ca={}\nssl-mode=VERIFY_CA", files.path("ca.crt"));
        let other = format!("ssl-ca={}\nssl-mode=VERIFY_CA", impostor.path("ca.crt"));
        let named = format!("ssl-ca={}", files.path("ca.crt"));
        let own = |from: &Directory, key: &str| {
            format!("ssl-cert={}\nssl-key={}", from.path("client.crt"), from.path(key))
        };
        for (user, keys, problem) in [
            ("tls", ca.clone(), None),
            ("tls", other, Some("not issued by an authority")),
            ("tls", named, Some("X.509 version 1")),
            ("sure", format!("{ca}\n{}", own(&files, "client.key")), None),
            ("sure", format!("{ca}\n{}", own(&files, "server.key")), Some("ssl-key")),
            ("sure", ca.clone(), Some("Access denied")),
        ] {
            let (is_up, log) = log_in(&server, user, &keys);
            assert_eq!(is_up, problem.is_none(), "{keys}\n{log}");
            assert!(problem.is_none_or(|problem| log.contains(problem)), "{keys}\n{log}");
        }
        let (is_up, _) =
            log_in(&server, "sure", &format!("{ca}\n{}", own(&impostor, "client.key")));
        assert!(!is_up, "the certificate is from another authority");
    }
}
