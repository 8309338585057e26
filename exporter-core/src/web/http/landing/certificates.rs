//! The web configuration: its last reload, and the days that certificates have left.

use std::fmt::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use super::html::{Age, Escaped};
use crate::web::site::Site;
use crate::web::tls::validity::WARNING_DAYS;

const DAY: i64 = 86400;

/// Nothing without a web configuration file.
pub(super) fn section(out: &mut String, site: &Site, now: SystemTime) -> fmt::Result {
    if !site.config.has_file() {
        return Ok(());
    }
    let status = site.config.status();
    let age = Age::between(status.last_success, now);
    write!(out, "<h2>Web configuration</h2>\n<p>Last read {age} ago.</p>\n")?;
    if let Some(error) = &status.error {
        let error = error.to_string();
        let error = Escaped(&error);
        writeln!(out, "<p class=\"failed\">Invalid since then, and not in force: {error}</p>")?;
    }
    let config = site.config.current();
    if config.certificates.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<table>\n<tr><th>Certificate</th><th class=\"wide\">Role</th>\
         <th class=\"number\">Days left</th></tr>\n",
    );
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    for certificate in &config.certificates {
        let days = certificate.not_after.saturating_sub(now).div_euclid(DAY);
        let class = if days < WARNING_DAYS { " class=\"failed\"" } else { "" };
        writeln!(
            out,
            "<tr{class}><td>{}</td><td class=\"wide\">{}</td><td class=\"number\">{days}</td></tr>",
            Escaped(&certificate.subject),
            Escaped(certificate.role),
        )?;
    }
    out.push_str("</table>\n");
    Ok(())
}
