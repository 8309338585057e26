//! Random web configurations: none panics, and no error shows a secret.

use super::store::ConfigStore;
use crate::testing;
use crate::web::pki::{Authority, Directory};

#[test]
fn fuzz_web_configuration() {
    let (directory, authority) = (Directory::new(), Authority::new("ca"));
    let server = authority.server();
    directory.fill(&server, &authority);
    directory.write("crl.pem", &authority.revoke(&[1], 4000));
    let mut corpus = testing::corpus(env!("CARGO_MANIFEST_DIR"), "web-config");
    let key = server.key.serialize_pem();
    let block = |text: &str| text.lines().flat_map(|l| ["    ", l, "\n"]).collect::<String>();
    let (certificate, inline) = (block(&server.certificate), block(&key));
    corpus.extend([
        format!("tls_server_config:\n  cert: |\n{certificate}  key: |\n{inline}").into_bytes(),
        format!("tls_server_config:\n  cert_file: server.crt\n  key_file: |\n{inline}")
            .into_bytes(),
    ]);
    let secrets: Vec<_> = key.lines().filter(|line| line.len() >= 40).collect();
    testing::fuzz(corpus, |bytes| {
        let path = directory.path().join("web.yml");
        std::fs::write(&path, bytes).unwrap();
        if let Err(error) = ConfigStore::load(Some(path)) {
            let shown = error.to_string();
            assert_eq!(shown.lines().count(), 1, "{shown}");
            assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{shown}");
        }
    });
}
