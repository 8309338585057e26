//! Parses certificates, private keys and revocation lists from PEM.
//!
//! Each error is a phrase that follows the name of the file or key; none shows a key.

use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

/// All certificates, in order.
pub(super) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|_| "holds damaged PEM; replace the file".to_owned())?;
    if certificates.is_empty() {
        return Err(format!("holds no certificate{}", instead(text)));
    }
    Ok(certificates)
}

/// The only private key: PKCS#8, PKCS#1 or SEC1.
pub(super) fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    if contains(text, b"ENCRYPTED") {
        return Err("holds an encrypted private key, and there is nobody to ask for its \
                    passphrase: decrypt it (openssl pkey -in KEY -out PLAIN) and protect the file"
            .into());
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| "holds damaged PEM; replace the file".to_owned())?;
    match keys.len() {
        0 => Err(format!("holds no private key{}", instead(text))),
        1 => keys.pop().ok_or_else(String::new),
        count => Err(format!("holds {count} private keys; keep the one of the certificate")),
    }
}

/// One or more lists in PEM, or one in DER.
pub(super) fn revocation_lists(
    text: &[u8],
) -> Result<Vec<CertificateRevocationListDer<'static>>, String> {
    // DER begins with a sequence tag, PEM never does.
    if text.first() == Some(&0x30) {
        return Ok(vec![CertificateRevocationListDer::from(text.to_vec())]);
    }
    let lists: Vec<_> = CertificateRevocationListDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|_| "holds damaged PEM; replace the file".to_owned())?;
    if lists.is_empty() {
        return Err(format!("holds no revocation list (X509 CRL){}", instead(text)));
    }
    Ok(lists)
}

/// Describes the text if it does not contain what was expected.
fn instead(text: &[u8]) -> &'static str {
    if text.iter().all(u8::is_ascii_whitespace) {
        return ": it is empty";
    }
    match <(SectionKind, Vec<u8>)>::from_pem_slice(text) {
        Ok((SectionKind::Certificate, _)) => ": it is a certificate",
        Ok((
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey,
            _,
        )) => ": it is a private key",
        Ok((SectionKind::Crl, _)) => ": it is a revocation list",
        Ok((SectionKind::Csr, _)) => {
            ": it is a signing request, to be signed by an authority first"
        }
        _ if text.first() == Some(&0x30) => ": it seems to be DER; convert it to PEM",
        _ => ": it is not PEM",
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSR: &[u8] =
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
    const KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    const CUT: &[u8] = b"-----BEGIN CERTIFICATE-----\nAAAA\n";

    #[test]
    fn each_wrong_file_is_described() {
        for (text, problem) in [
            (&b""[..], "no certificate: it is empty"),
            (b"\n \n", "no certificate: it is empty"),
            (b"junk", "no certificate: it is not PEM"),
            (b"\x30\x82\x01\x00", "convert it to PEM"),
            (KEY, "it is a private key"),
            (CSR, "signing request"),
            (CUT, "damaged PEM"),
        ] {
            let error = certificates(text).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
        let legacy = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
                       -----END RSA PRIVATE KEY-----\n";
        let modern = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n\
                       -----END ENCRYPTED PRIVATE KEY-----\n";
        for (text, problem) in [
            (&b""[..], "no private key: it is empty"),
            (CSR, "signing request"),
            (&legacy[..], "encrypted private key"),
            (&modern[..], "encrypted private key"),
            (&[KEY, KEY].concat(), "2 private keys"),
        ] {
            let error = private_key(text).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
        assert!(revocation_lists(b"junk").unwrap_err().contains("no revocation list"));
        assert!(revocation_lists(KEY).unwrap_err().contains("it is a private key"));
    }
}
