//! Certificate revocation lists.

use rcgen::SerialNumber;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;

use super::*;

#[test]
fn revoked_certificates_are_rejected() {
    let setup = Setup::new();
    let issue = |serial: u64| {
        let mut params = client_params(&["prometheus.example"]);
        params.serial_number = Some(SerialNumber::from(serial));
        setup.authority.issue(&params)
    };
    let (one, two) = (issue(1001), issue(1002));
    let keys = format!("{VERIFY}  client_crl_file: crl.pem\n");
    let unknown = Some(Rejection::RevocationUnknown);
    for (list, first, second) in [
        (setup.authority.revoke(&[1001], 4000), Some(Rejection::Revoked), None),
        (setup.authority.revoke(&[], 4000), None, None),
        // An expired list.
        (setup.authority.revoke(&[1001], 2021), Some(Rejection::RevocationUnknown), unknown),
    ] {
        setup.directory.write("crl.pem", &list);
        let live = setup.live(&keys);
        let [refused, again] = setup.rejections(&live, Some(&one));
        assert_eq!(refused, again);
        // An expired list that contains it may count as either.
        assert!(refused == first || refused == Some(Rejection::Revoked), "{refused:?}");
        assert_eq!(setup.rejections(&live, Some(&two)), [second; 2]);
        assert!(live.current().certificates.iter().any(|dated| dated.role == "client_crl"));
    }
    // Also a certificate that is in client_ca itself.
    let mut params = client_params(&["prometheus.example"]);
    params.serial_number = Some(SerialNumber::from(1001_u64));
    let pinned = setup.authority.issue(&params);
    let both = format!("{}{}", setup.authority.0.pem(), pinned.certificate);
    setup.directory.write("ca.pem", &both);
    setup.directory.write("crl.pem", &setup.authority.revoke(&[1001], 4000));
    let live = setup.live(&keys);
    assert_eq!(setup.rejections(&live, Some(&pinned)), [Some(Rejection::Revoked); 2]);
}

#[test]
fn a_revocation_list_of_another_authority_is_a_configuration_error() {
    let setup = Setup::new();
    let keys = format!("{VERIFY}  client_crl_file: crl.pem\n");
    let ours = setup.authority.revoke(&[1001], 4000);
    let elsewhere = Authority::new("elsewhere");
    let damaged = {
        let list = CertificateRevocationListDer::from_pem_slice(ours.as_bytes()).unwrap();
        let mut bytes = list.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    for (list, problem) in [
        (elsewhere.revoke(&[1001], 4000).into_bytes(), "every client would be refused"),
        // The same name, with another key.
        (Authority::new("fleet").revoke(&[], 4000).into_bytes(), "signature"),
        (damaged.clone(), "signature"),
        (
            [ours.as_bytes(), Authority::new("fleet").revoke(&[], 4000).as_bytes()].concat(),
            "list 2",
        ),
    ] {
        std::fs::write(setup.directory.path().join("crl.pem"), &list).unwrap();
        let error = setup.load(&keys).unwrap_err().to_string();
        assert!(error.contains("client_crl_file") && error.contains(problem), "{error}");
    }
    // An intermediate authority need not be configured; a second authority needs a list.
    let both = format!("{ours}{}", elsewhere.revoke(&[], 4000));
    setup.directory.write("crl.pem", &both);
    assert_eq!(warnings(&setup.live(&keys)), ["elsewhere"]);
    setup.directory.write("crl.pem", &ours);
    let two = format!("{}{}", setup.authority.0.pem(), elsewhere.0.pem());
    setup.directory.write("ca.pem", &two);
    assert_eq!(warnings(&setup.live(&keys)), ["elsewhere"]);
    setup.directory.write("crl.pem", &both);
    assert!(warnings(&setup.live(&keys)).is_empty());
    assert_eq!(setup.rejections(&setup.live(&keys), Some(&elsewhere.client())), [None; 2]);
}

/// The authorities with warnings about revocation lists.
fn warnings(live: &ConfigStore) -> Vec<&'static str> {
    let report = live.report();
    let warnings = report.iter().filter(|line| !line.is_fine && line.what == "client_crl");
    let name = |finding: &str| if finding.contains("elsewhere") { "elsewhere" } else { "another" };
    warnings.map(|line| name(&line.finding)).collect()
}
