//! The instance metadata service, version 2 only: first a session token, then credentials of the
//! role `instance`.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::Full;
use serde_json::json;

use crate::protocol::{Body, Response};
use crate::sts::iso_8601;

const TOKEN: HeaderValue = HeaderValue::from_static("fake-session");
const TOKEN_TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const ROLE: &str = "instance";
const REGION: &str = "eu-west-1";

/// Responds to requests below `/latest/`.
pub(crate) fn respond(method: &Method, path: &str, headers: &HeaderMap, now: i64) -> Response {
    if path == "api/token" {
        return match (method, headers.get(TOKEN_TTL)) {
            (&Method::PUT, Some(ttl)) => {
                let mut response = text(StatusCode::OK, TOKEN.as_bytes());
                response.headers_mut().insert(TOKEN_TTL, ttl.clone());
                response
            }
            _ => text(StatusCode::BAD_REQUEST, b""),
        };
    }
    if headers.get("x-aws-ec2-metadata-token") != Some(&TOKEN) {
        return text(StatusCode::UNAUTHORIZED, b"");
    }
    match path.strip_prefix("meta-data/") {
        Some("placement/region") => text(StatusCode::OK, REGION.as_bytes()),
        Some("iam/security-credentials/") => text(StatusCode::OK, ROLE.as_bytes()),
        Some("iam/security-credentials/instance") => {
            let credentials = json!({
                "Code": "Success",
                "LastUpdated": iso_8601(now),
                "Type": "AWS-HMAC",
                "AccessKeyId": format!("ASIA{ROLE}"),
                "SecretAccessKey": "fake",
                "Token": "fake",
                "Expiration": iso_8601(now + 6 * 3600),
            });
            text(StatusCode::OK, credentials.to_string().as_bytes())
        }
        _ => text(StatusCode::NOT_FOUND, b""),
    }
}

fn text(status: StatusCode, body: &[u8]) -> Response {
    let mut response = Response::new(Body::Left(Full::new(Bytes::copy_from_slice(body))));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn credentials_need_a_session_token() {
        let mut headers = HeaderMap::new();
        assert_eq!(respond(&Method::GET, "api/token", &headers, 0).status(), 400);
        assert_eq!(respond(&Method::GET, "meta-data/placement/region", &headers, 0).status(), 401);
        headers.insert(TOKEN_TTL, HeaderValue::from_static("21600"));
        let session = respond(&Method::PUT, "api/token", &headers, 0);
        assert_eq!(session.headers().get(TOKEN_TTL).unwrap(), "21600");
        let token = session.into_body().collect().await.unwrap().to_bytes();
        headers.insert("x-aws-ec2-metadata-token", HeaderValue::from_maybe_shared(token).unwrap());
        let credentials =
            respond(&Method::GET, "meta-data/iam/security-credentials/instance", &headers, 0);
        let body = credentials.into_body().collect().await.unwrap().to_bytes();
        assert!(body.windows(20).any(|part| part == b"1970-01-01T06:00:00Z"), "{body:?}");
        assert_eq!(respond(&Method::GET, "meta-data/ami-id", &headers, 0).status(), 404);
    }
}
