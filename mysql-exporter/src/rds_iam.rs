//! Tokens of Amazon RDS and Aurora, used in place of passwords: a presigned request of the action
//! `rds-db:connect`, which the server verifies. A token is valid for 15 minutes, and each login gets
//! a new one. Credentials come from the AWS SDK: environment, profile, web identity, container,
//! instance.

mod error;
mod files;

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use exporter_core::collector::chain;
use exporter_core::config_file::Secret;
use tokio::sync::OnceCell;

pub(crate) use self::error::Error;
use crate::address::Address;

/// The validity of a token: the maximum that RDS accepts.
const VALIDITY: Duration = Duration::from_secs(900);
/// The time limit of a source of credentials.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Makes a token that is valid from now on.
pub(crate) async fn token(user: &str, address: &Address, region: &str) -> Result<Secret, Error> {
    static CONFIG: OnceCell<SdkConfig> = OnceCell::const_new();
    let no_response = || Error("the source of AWS credentials does not respond".into());
    let config = tokio::time::timeout(TIMEOUT, CONFIG.get_or_try_init(load_config));
    let config = config.await.map_err(|_| no_response())??;
    files::check_tokens().await?;
    let provider = config.credentials_provider();
    let provider = provider.ok_or_else(|| Error("there are no AWS credentials".into()))?;
    let credentials = tokio::time::timeout(TIMEOUT, provider.provide_credentials()).await;
    let credentials = credentials
        .map_err(|_| no_response())?
        .map_err(|error| Error(format!("no AWS credentials: {}", chain(&error))))?;
    presigned(user, address, region, credentials, SystemTime::now())
}

async fn load_config() -> Result<SdkConfig, Error> {
    let profiles = files::profiles().await?;
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(client)
        .profile_files(profiles)
        .load();
    Ok(config.await)
}

/// The presigned request, without its scheme.
fn presigned(
    user: &str,
    address: &Address,
    region: &str,
    credentials: Credentials,
    now: SystemTime,
) -> Result<Secret, Error> {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Error(format!("cannot sign the token: {}", chain(error)))
    };
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(VALIDITY);
    let identity = credentials.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("rds-db")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| failed(&error))?;
    let mut url = format!("https://{address}/?Action=connect&DBUser={}", percent_encoded(user));
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))
        .map_err(|error| failed(&error))?;
    let signed = sign(request, &params.into()).map_err(|error| failed(&error))?;
    let (instructions, _) = signed.into_parts();
    for (name, value) in instructions.params() {
        url.push('&');
        url.push_str(name);
        url.push('=');
        url.push_str(&percent_encoded(value));
    }
    Ok(Secret::new(url.trim_start_matches("https://")))
}

/// Encodes a value of a query: all but the unreserved characters of RFC 3986 as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signatures were computed by two other implementations of the published algorithm, with
    /// this time and these keys, and are equal.
    #[test]
    fn tokens_match_other_implementations() {
        for (address, user, region, session, expected) in [
            (
                "db1.cluster-x.eu-central-1.rds.amazonaws.com:3306",
                "exporter",
                "eu-central-1",
                None,
                "db1.cluster-x.eu-central-1.rds.amazonaws.com:3306/?Action=connect&DBUser=exporter\
                 &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2F\
                 eu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20260102T030405Z&\
                 X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=\
                 41a63a06321d8acd158d045072f3c052f3b0c15b54743f9018b82df963c6fb93",
            ),
            (
                "db2.example.us-east-1.rds.amazonaws.com:3307",
                "ex porter+/=@%",
                "us-east-1",
                Some("session/token+="),
                "db2.example.us-east-1.rds.amazonaws.com:3307/?Action=connect&DBUser=\
                 ex%20porter%2B%2F%3D%40%25&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\
                 AKIDEXAMPLE%2F20260102%2Fus-east-1%2Frds-db%2Faws4_request&\
                 X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&\
                 X-Amz-Security-Token=session%2Ftoken%2B%3D&X-Amz-Signature=\
                 ce4529c18cfaa74db4f380f074a7c55f0bb3b6317ad414226f06d2023dfccd25",
            ),
        ] {
            let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
            let session = session.map(str::to_owned);
            let credentials = Credentials::new("AKIDEXAMPLE", secret, session, None, "test");
            // 2026-01-02 03:04:05.
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
            let address = address.parse().unwrap();
            let token = presigned(user, &address, region, credentials, now).unwrap();
            let sorted = |token: &str| {
                let (host, query) = token.split_once('?').unwrap();
                let mut parameters: Vec<_> = query.split('&').map(str::to_owned).collect();
                parameters.sort();
                (host.to_owned(), parameters)
            };
            assert_eq!(sorted(token.expose()), sorted(expected));
        }
    }
}
