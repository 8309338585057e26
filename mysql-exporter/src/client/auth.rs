//! The responses of authentication plugins to the server's nonce.

use std::num::NonZeroU32;

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::{digest, pbkdf2, rand, signature};
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use ed25519_dalek::{Sha512, VerifyingKey};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;

use super::error::Error;

/// `mysql_native_password`: SHA1(password) xor SHA1(nonce, SHA1(SHA1(password))).
pub(super) fn native(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    let sha1 = |parts: &[&[u8]]| hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, parts);
    let once = sha1(&[password]);
    let twice = sha1(&[once.as_ref()]);
    xor(once.as_ref(), sha1(&[nonce, twice.as_ref()]).as_ref())
}

/// `caching_sha2_password`: SHA256(password) xor SHA256(SHA256(SHA256(password)), nonce).
pub(super) fn caching_sha2(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    let sha256 = |parts: &[&[u8]]| hash(&digest::SHA256, parts);
    let once = sha256(&[password]);
    let twice = sha256(&[once.as_ref()]);
    xor(once.as_ref(), sha256(&[twice.as_ref(), nonce]).as_ref())
}

/// `client_ed25519` of MariaDB: the nonce signed with the key SHA512(password).
pub(super) fn ed25519(password: &[u8], nonce: &[u8]) -> Result<Vec<u8>, Error> {
    let expanded = hash(&digest::SHA512, &[password]);
    let key = ExpandedSecretKey::from_slice(expanded.as_ref())
        .map_err(|_| Error::Malformed("a nonce"))?;
    let public = VerifyingKey::from(&key);
    Ok(raw_sign::<Sha512>(&key, nonce, &public).to_bytes().to_vec())
}

/// The salt of a `parsec` user, and the number of iterations of the hash.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ParsecSalt {
    salt: [u8; 18],
    iterations: NonZeroU32,
}

/// The maximum iteration factor: 65,536 iterations, about 40 ms. MariaDB uses 3 so far.
const MAX_ITERATION_FACTOR: u8 = 6;

impl ParsecSalt {
    pub(super) fn parse(packet: &[u8]) -> Result<Self, Error> {
        let [b'P', factor, salt @ ..] = packet else {
            return Err(Error::Malformed("the salt of parsec"));
        };
        if *factor > MAX_ITERATION_FACTOR {
            return Err(Error::Unsafe {
                plugin: "parsec",
                problem: "the server requests more than 65,536 iterations, which is not accepted",
            });
        }
        let salt = salt.try_into().map_err(|_| Error::Malformed("the salt of parsec"))?;
        let iterations = NonZeroU32::MIN.saturating_add((1024 << factor) - 1);
        Ok(Self { salt, iterations })
    }

    /// A nonce of the client, and the signature of both nonces with a key derived from the password.
    pub(super) fn respond(&self, password: &[u8], nonce: &[u8]) -> Result<Vec<u8>, Error> {
        let failed = |_| Error::Unsafe {
            plugin: "parsec",
            problem: "no key can be derived from the password",
        };
        let mut seed = [0; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA512,
            self.iterations,
            &self.salt,
            password,
            &mut seed,
        );
        let key = signature::Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|_| failed(aws_lc_rs::error::Unspecified))?;
        let mut client_nonce = [0; 32];
        rand::fill(&mut client_nonce).map_err(failed)?;
        let signature = key.sign(&[nonce, &client_nonce].concat());
        Ok([&client_nonce, signature.as_ref()].concat())
    }
}

/// The password, encrypted under the server's RSA key for `caching_sha2_password` and
/// `sha256_password`. Keys from 2048 to 8192 bits are accepted.
pub(super) fn encrypt(key: &[u8], password: &[u8], nonce: &[u8]) -> Result<Vec<u8>, Error> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(key)
        .map_err(|_| Error::PublicKey("it is not PEM with PUBLIC KEY"))?;
    let key = PublicEncryptingKey::from_der(&key)
        .and_then(|key| Ok(OaepPublicEncryptingKey::new(key)?))
        .map_err(|_| Error::PublicKey("it is not RSA of 2048 to 8192 bits"))?;
    let terminated = password.iter().chain(&[0]);
    let masked: Vec<u8> = terminated.zip(nonce.iter().cycle()).map(|(a, b)| a ^ b).collect();
    if masked.len() != password.len() + 1 {
        return Err(Error::Malformed("a nonce"));
    }
    let mut encrypted = vec![0; key.ciphertext_size()];
    let encrypted = key
        .encrypt(&OAEP_SHA1_MGF1SHA1, &masked, &mut encrypted, None)
        .map_err(|_| Error::PublicKey("the password is too long for it"))?;
    Ok(encrypted.to_vec())
}

fn hash(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> digest::Digest {
    let mut context = digest::Context::new(algorithm);
    for part in parts {
        context.update(part);
    }
    context.finish()
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const NONCE: &[u8] = b"abcdefghijklmnopqrst";

    /// Computed with Python's hashlib.
    #[test]
    fn hashes_match_the_server() {
        assert_eq!(
            native(b"sesame", NONCE),
            b"\x61\x3e\x55\x08\x6a\x4c\xff\x7e\xe5\xe7\x21\x55\xde\x2d\xc8\xf9\xa4\x11\x47\x2c"
        );
        assert_eq!(
            caching_sha2(b"sesame", NONCE), b"\x1e\xc7\x2b\xde\x06\x56\x3f\xbb\xd3\xb7\xca\x94\x29\x44\x6f\x15\xfe\x73\x22\xaa\x58\x23\xc6\xf9\xca\x21\x77\x1c\xe4\x20\x6c\x1e"
        );
    }

    /// Verified as by the server: with the stored key of the password.
    #[test]
    fn parsec_signs_both_nonces() {
        let salt = ParsecSalt::parse(&[&b"P\x03"[..], &[9; 18]].concat()).unwrap();
        assert_eq!(salt.iterations.get(), 8192);
        let response = salt.respond(b"sesame", &[7; 32]).unwrap();
        let (client_nonce, signature) = response.split_at(32);
        let mut seed = [0; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA512,
            NonZeroU32::new(8192).unwrap(),
            &[9; 18],
            b"sesame",
            &mut seed,
        );
        let key = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
        let message = [&[7; 32], client_nonce].concat();
        let signature = ed25519_dalek::Signature::from_slice(signature).unwrap();
        key.verify_strict(&message, &signature).unwrap();
    }

    #[test]
    fn salts_of_parsec_are_checked() {
        for (packet, is_valid) in [
            ([&b"P\x00"[..], &[9; 18]].concat(), true),
            ([&b"P\x06"[..], &[9; 18]].concat(), true),
            ([&b"P\x07"[..], &[9; 18]].concat(), false),
            ([&b"P\xff"[..], &[9; 18]].concat(), false),
            ([&b"X\x03"[..], &[9; 18]].concat(), false),
            ([&b"P\x03"[..], &[9; 17]].concat(), false),
            (b"P".to_vec(), false),
            (Vec::new(), false),
        ] {
            assert_eq!(ParsecSalt::parse(&packet).is_ok(), is_valid, "{packet:?}");
        }
    }

    #[test]
    fn passwords_are_encrypted_for_the_server() {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(&private.public_key()).unwrap();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        let encrypted = encrypt(pem.as_bytes(), b"sesame", NONCE).unwrap();
        let private = OaepPrivateDecryptingKey::new(private).unwrap();
        let mut text = vec![0; private.min_output_size()];
        let text = private.decrypt(&OAEP_SHA1_MGF1SHA1, &encrypted, &mut text, None).unwrap();
        assert_eq!(xor(text, NONCE), b"sesame\0");
        let long = [b'x'; 300];
        for (key, password, nonce, problem) in [
            ("nonsense", &b"p"[..], NONCE, "not PEM"),
            (
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                b"p",
                NONCE,
                "not RSA",
            ),
            (&pem, &long, NONCE, "too long"),
            (&pem, b"p", b"", "a nonce"),
        ] {
            let error = encrypt(key.as_bytes(), password, nonce).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
