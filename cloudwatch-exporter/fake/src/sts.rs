//! STS: the identity of a caller, and credentials of roles. The access key ID of a session is
//! `ASIA` and the name of its role, so that calls show who signed them.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::api_error::ApiError;
use crate::model::{Model, Role};

/// The duration of a session in seconds.
const SESSION_DURATION: i64 = 3600;

/// `AssumeRole`, or `AssumeRoleWithWebIdentity` if there is a token, as received.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AssumeRole {
    pub role_arn: String,
    pub session_name: String,
    pub external_id: Option<String>,
    pub web_identity_token: Option<String>,
}

impl AssumeRole {
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut request = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value = value.into_owned();
            match &*name {
                "RoleArn" => request.role_arn = value,
                "RoleSessionName" => request.session_name = value,
                "ExternalId" => request.external_id = Some(value),
                _ => {}
            }
        }
        request
    }

    pub(crate) fn parse_with_web_identity(body: &[u8]) -> Result<Self, ApiError> {
        let token = form_urlencoded::parse(body)
            .find(|(name, _)| name == "WebIdentityToken")
            .map(|(_, token)| token.into_owned());
        let token = token.ok_or_else(|| ApiError::missing_parameter("WebIdentityToken"))?;
        Ok(Self { web_identity_token: Some(token), ..Self::parse(body) })
    }

    /// The account and the name of the role, if it may be assumed.
    pub(crate) fn role(&self, model: &Model) -> Result<(String, String), ApiError> {
        // arn:aws:iam::123456789012:role/path/name
        let mut parts = self.role_arn.splitn(6, ':').skip(4);
        let (account, role) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let Some(name) = role.strip_prefix("role/").and_then(|path| path.rsplit('/').next()) else {
            return Err(ApiError::validation(format!("{} is invalid", self.role_arn)));
        };
        if self.session_name.len() < 2 {
            return Err(ApiError::validation("RoleSessionName has at least 2 characters"));
        }
        let mut roles = model.roles.iter().filter(|known| known.arn == self.role_arn);
        let matches_external_id =
            |known: &Role| known.external_id.is_none() || known.external_id == self.external_id;
        if !model.roles.is_empty() && !roles.any(matches_external_id) {
            return Err(ApiError {
                status: 403,
                code: "AccessDenied".into(),
                message: format!("not authorized to perform sts:AssumeRole on {}", self.role_arn),
            });
        }
        Ok((account.to_owned(), name.to_owned()))
    }

    /// `key` is the access key ID of the session.
    pub(crate) fn respond(&self, account: &str, name: &str, key: &str, now: i64) -> String {
        let session = escape(&self.session_name);
        let (account, name, key) = (escape(account), escape(name), escape(key));
        let operation = if self.web_identity_token.is_some() {
            "AssumeRoleWithWebIdentity"
        } else {
            "AssumeRole"
        };
        let expiration = iso_8601(now + SESSION_DURATION);
        envelope(
            operation,
            &format!(
                "<AssumedRoleUser><AssumedRoleId>AROAFAKE:{session}</AssumedRoleId>\
                 <Arn>arn:aws:sts::{account}:assumed-role/{name}/{session}</Arn></AssumedRoleUser>\
                 <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>fake</SecretAccessKey>\
                 <SessionToken>fake</SessionToken><Expiration>{expiration}</Expiration></Credentials>"
            ),
        )
    }
}

pub(crate) fn caller_identity(account: &str, access_key: &str) -> String {
    let key = escape(access_key);
    envelope(
        "GetCallerIdentity",
        &format!(
            "<Arn>arn:aws:iam::{account}:user/{key}</Arn><UserId>{key}</UserId><Account>{account}</Account>"
        ),
    )
}

fn envelope(operation: &str, result: &str) -> String {
    format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>{result}\
         </{operation}Result><ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></{operation}Response>"
    )
}

pub(crate) fn error(error: &ApiError) -> String {
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    let (code, message) = (escape(&error.code), escape(&error.message));
    format!(
        "<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>fake</RequestId></ErrorResponse>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A Unix second as `2026-01-31T12:00:00Z`.
pub(crate) fn iso_8601(unix: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_8601() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso_8601(unix), text);
        }
    }
}
