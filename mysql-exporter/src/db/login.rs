//! Logging in: options of the driver, the first statements of a session.

use std::path::PathBuf;
use std::time::Duration;

use exporter_core::config_file;
use mysql_async::prelude::Queryable;
use mysql_async::{ClientIdentity, Conn, OptsBuilder, SslOpts};
use tokio::task::spawn_blocking;

use super::Limits;
use super::error::{self, Error};
use crate::config::{Identity, Login, Password, Tls};
use crate::target::Address;
use crate::version::Server;

/// The largest answer that is taken.
const MAX_PACKET: usize = 64 << 20;
/// Connections that a firewall forgot are found out.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Logs in and sets the session up. Password and certificates are read from their files each
/// time.
pub(super) async fn login(login: &Login, limits: &Limits) -> Result<(Conn, Server), Error> {
    let failed = |error: mysql_async::Error| Error::Login {
        address: login.address.to_string(),
        problem: error::problem(&error),
    };
    let mut conn = connect(login).await?;
    let server = describe(&mut conn).await.map_err(failed)?;
    conn.query_drop(settings(&server, limits)).await.map_err(failed)?;
    Ok((conn, server))
}

/// Logs in, for a statement or two.
pub(super) async fn connect(login: &Login) -> Result<Conn, Error> {
    let failed = |error: mysql_async::Error| Error::Login {
        address: login.address.to_string(),
        problem: error::problem(&error),
    };
    let options = options(login).await?;
    match Conn::new(options.clone()).await {
        Err(error) if error::lacks_tls(&error) && matches!(login.tls, Tls::Preferred(_)) => {
            Conn::new(options.ssl_opts(None)).await.map_err(failed)
        }
        result => result.map_err(failed),
    }
}

async fn options(login: &Login) -> Result<OptsBuilder, Error> {
    let password = match &login.password {
        Password::None => None,
        Password::Text(secret) => Some(secret.reveal().to_owned()),
        Password::File(path) => {
            let text = read("password-file", &path.display().to_string()).await?;
            let text = String::from_utf8_lossy(&text);
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    };
    let options = OptsBuilder::default()
        .user(Some(login.user.clone()))
        .pass(password)
        .enable_cleartext_plugin(login.cleartext)
        .tcp_keepalive(Some(KEEPALIVE))
        .max_allowed_packet(Some(MAX_PACKET))
        // These would be asked for, or lead to a second connection, if they were not said.
        .wait_timeout(Some(28800))
        .prefer_socket(false)
        .stmt_cache_size(0);
    Ok(match &login.address {
        // Never with TLS: the driver would lose track of the packets.
        Address::Unix { path } => options.socket(Some(path)),
        Address::Tcp { host, port } => {
            options.ip_or_hostname(host).tcp_port(*port).ssl_opts(encryption(&login.tls).await?)
        }
    })
}

async fn encryption(tls: &Tls) -> Result<Option<SslOpts>, Error> {
    let options = SslOpts::default();
    Ok(Some(match tls {
        Tls::Off => return Ok(None),
        Tls::Preferred(identity) | Tls::Unverified(identity) => options
            .with_danger_accept_invalid_certs(true)
            .with_client_identity(show(identity).await?),
        Tls::Verified { authorities, name, identity } => {
            let options = match authorities {
                None => options,
                Some(path) => {
                    let pem = read("ssl-ca", &path.display().to_string()).await?;
                    options.with_disable_built_in_roots(true).with_root_certs(vec![pem.into()])
                }
            };
            options
                .with_danger_tls_hostname_override(name.clone())
                .with_client_identity(show(identity).await?)
        }
    }))
}

async fn show(identity: &Identity) -> Result<Option<ClientIdentity>, Error> {
    let Some((certificate, key)) = identity else { return Ok(None) };
    let certificate = read("ssl-cert", &certificate.display().to_string()).await?;
    let key = read("ssl-key", &key.display().to_string()).await?;
    Ok(Some(ClientIdentity::new(certificate.into(), key.into())))
}

async fn read(key: &'static str, path: &str) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| Error::File {
        key,
        path: path.to_owned(),
        problem: error.to_string(),
    };
    let file = PathBuf::from(path);
    let read = spawn_blocking(move || config_file::read(&file, config_file::SMALL));
    read.await.map_err(std::io::Error::from).flatten().map_err(failed)
}

async fn describe(conn: &mut Conn) -> mysql_async::Result<Server> {
    // Parses everywhere, unlike @@performance_schema where that was left out of the server.
    let rows: Vec<(String, String)> = conn
        .query(
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'version_comment', \
             'performance_schema', 'query_response_time_stats')",
        )
        .await?;
    let found = |name: &str| {
        let row = rows.iter().find(|(variable, _)| variable == name);
        row.map(|(_, value)| value.as_str())
    };
    let value = |name| found(name).unwrap_or_default();
    let keeps = value("performance_schema") == "ON";
    Ok(Server {
        query_response_time: found("query_response_time_stats").is_some(),
        ..Server::new(value("version"), value("version_comment"), keeps)
    })
}

/// One statement for all settings: a list would be run from its end.
fn settings(server: &Server, limits: &Limits) -> String {
    // Something to set, for the server that knows none of the others.
    let mut settings = vec!["autocommit = 1".to_owned()];
    if let Some(seconds) = limits.lock_wait {
        settings.push(format!("lock_wait_timeout = {}", seconds.max(1)));
    }
    if server.is_mariadb_since((10, 1, 1)) {
        settings.push(format!("max_statement_time = {}", limits.statement.as_secs_f64()));
    }
    if server.is_mysql_since((5, 7, 8)) {
        settings.push(format!("max_execution_time = {}", limits.statement.as_millis().max(1)));
    }
    if server.is_mysql_since((8, 0, 3)) {
        // The sizes of tables are of now, not of a day ago.
        settings.push("information_schema_stats_expiry = 0".into());
    }
    if limits.log_slow_filter && server.has_log_slow_filter() {
        settings.push("log_slow_filter = 'tmp_table_on_disk,filesort_on_disk'".into());
    }
    let settings: Vec<_> = settings.iter().map(|setting| format!("SESSION {setting}")).collect();
    format!("SET {}", settings.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_the_server_knows() {
        let limits = Limits {
            connections: 2,
            statement: Duration::from_millis(2500),
            lock_wait: Some(2),
            log_slow_filter: true,
        };
        for (version, comment, set) in [
            (
                "10.11.6-MariaDB",
                "",
                "SET SESSION autocommit = 1, SESSION lock_wait_timeout = 2, SESSION \
                 max_statement_time = 2.5, SESSION log_slow_filter = \
                 'tmp_table_on_disk,filesort_on_disk'",
            ),
            (
                "9.7.4",
                "",
                "SET SESSION autocommit = 1, SESSION lock_wait_timeout = 2, SESSION \
                 max_execution_time = 2500, SESSION information_schema_stats_expiry = 0",
            ),
            ("5.6.51", "", "SET SESSION autocommit = 1, SESSION lock_wait_timeout = 2"),
        ] {
            assert_eq!(settings(&Server::new(version, comment, true), &limits), set);
        }
        let none = Limits { lock_wait: None, ..limits };
        let set = settings(&Server::new("5.6.51", "", true), &none);
        assert_eq!(set, "SET SESSION autocommit = 1");
    }
}
