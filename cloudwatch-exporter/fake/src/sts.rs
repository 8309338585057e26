//! STS: the identity of a caller, and credentials of roles. The access key id of a session is `ASIA` and the name of its
//! role, so that calls show who signed them.

use serde::Serialize;

use crate::model::{Model, Role};
use crate::refusal::Refusal;

/// How long sessions last, in seconds.
const SESSION: i64 = 3600;

/// `AssumeRole`, or `AssumeRoleWithWebIdentity` if there is a token, as it came.
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
        for (name, value) in form(body) {
            match name.as_str() {
                "RoleArn" => request.role_arn = value,
                "RoleSessionName" => request.session_name = value,
                "ExternalId" => request.external_id = Some(value),
                _ => {}
            }
        }
        request
    }

    pub(crate) fn parse_with_web_identity(body: &[u8]) -> Result<Self, Refusal> {
        let token = form(body)
            .into_iter()
            .find(|(name, _)| name == "WebIdentityToken")
            .map(|(_, token)| token);
        let token = token.ok_or_else(|| Refusal::missing("WebIdentityToken"))?;
        Ok(Self { web_identity_token: Some(token), ..Self::parse(body) })
    }

    /// Account and name of the role, if it may be assumed.
    pub(crate) fn role(&self, model: &Model) -> Result<(String, String), Refusal> {
        // arn:aws:iam::123456789012:role/path/name
        let mut parts = self.role_arn.splitn(6, ':').skip(4);
        let (account, role) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let Some(name) = role.strip_prefix("role/").and_then(|path| path.rsplit('/').next()) else {
            return Err(Refusal::validation(format!("{} is invalid", self.role_arn)));
        };
        if self.session_name.len() < 2 {
            return Err(Refusal::validation("RoleSessionName has at least 2 characters"));
        }
        let mut roles = model.roles.iter().filter(|known| known.arn == self.role_arn);
        let may =
            |known: &Role| known.external_id.is_none() || known.external_id == self.external_id;
        if !model.roles.is_empty() && !roles.any(may) {
            return Err(Refusal {
                status: 403,
                code: "AccessDenied".into(),
                message: format!("not authorized to perform sts:AssumeRole on {}", self.role_arn),
            });
        }
        Ok((account.to_owned(), name.to_owned()))
    }

    /// `key` is the access key id of the session.
    pub(crate) fn answer(&self, account: &str, name: &str, key: &str, now: i64) -> String {
        let session = escaped(&self.session_name);
        let (account, name, key) = (escaped(account), escaped(name), escaped(key));
        let operation = if self.web_identity_token.is_some() {
            "AssumeRoleWithWebIdentity"
        } else {
            "AssumeRole"
        };
        let expiration = iso(now + SESSION);
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
    let key = escaped(access_key);
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

pub(crate) fn error(refusal: &Refusal) -> String {
    let fault = if refusal.status < 500 { "Sender" } else { "Receiver" };
    let (code, message) = (escaped(&refusal.code), escaped(&refusal.message));
    format!(
        "<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>fake</RequestId></ErrorResponse>"
    )
}

/// The pairs of a form.
pub(crate) fn form(body: &[u8]) -> Vec<(String, String)> {
    body.split(|byte| *byte == b'&')
        .map(|pair| {
            let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (key, value) = pair.split_at(middle);
            (unescaped(key), unescaped(value.get(1..).unwrap_or_default()))
        })
        .collect()
}

fn unescaped(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A unix second as `2026-01-31T12:00:00Z`.
pub(crate) fn iso(unix: i64) -> String {
    let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    // Days since 0000-03-01, in eras of 400 years: March is the first month, so that leap days come last.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = year + era * 400 + i64::from(month >= 10);
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_and_year() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso(unix), text);
        }
    }

    #[test]
    fn forms() {
        let pairs = form(b"Action=AssumeRole&RoleArn=arn%3Aaws%3aiam&a=b+c%&empty=&bare");
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("Action", "AssumeRole"),
                ("RoleArn", "arn:aws:iam"),
                ("a", "b c%"),
                ("empty", ""),
                ("bare", "")
            ]
        );
    }
}
