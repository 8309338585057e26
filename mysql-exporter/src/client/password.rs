//! The password of a login.

use super::blocking::read_file;
use super::error::Error;
use crate::config::{Login, Password};
#[cfg(feature = "rds-iam")]
use crate::rds_iam;

/// The current password: files are read, and tokens made, for each login.
pub(super) async fn password(login: &Login) -> Result<Vec<u8>, Error> {
    match &login.password {
        Password::None => Ok(Vec::new()),
        #[cfg(feature = "rds-iam")]
        Password::RdsIam(region) => {
            let token = rds_iam::token(&login.user, &login.address, region).await?;
            Ok(token.expose().as_bytes().to_vec())
        }
        Password::Text(secret) => Ok(secret.expose().as_bytes().to_vec()),
        Password::File(path) => {
            let mut text = read_file("password-file", path).await?;
            // Only the end of the line: a password may end with a space.
            while let Some(b'\r' | b'\n') = text.last() {
                text.pop();
            }
            Ok(text)
        }
    }
}
