//! TLS for a socket that a program serves itself.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::config::ConfigError;
use super::reload::ConfigStore;

/// TLS for a socket that a program serves itself, beside its [`Site`](super::Site): the section
/// `tls_server_config` of a web configuration file.
#[derive(Clone)]
pub struct ServerTls {
    config: Arc<ConfigStore>,
}

impl ServerTls {
    /// Reads and validates a web configuration file. It is an error if the file has no TLS, or if
    /// it has users, whose passwords would not be checked.
    ///
    /// Blocks on the files.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let path = path.into();
        let config = ConfigStore::load(Some(path.clone()))?;
        let current = config.current();
        let fault = |key: &str, problem| {
            Err(ConfigError::new(&path, problem).with_key(Some(key.to_owned())))
        };
        if current.tls.is_none() {
            return fault("tls_server_config", "is missing: this listener needs TLS");
        }
        if current.users.is_some() {
            let problem = "passwords are not checked on this listener; leave it out";
            return fault("basic_auth_users", problem);
        }
        Ok(Self { config })
    }

    /// Never returns: reads the files again when one of them changes. An invalid file is logged,
    /// and the last valid configuration stays in force.
    pub async fn watch(&self) {
        Arc::clone(&self.config).watch().await;
    }

    /// Completes the handshake of a connection. HTTP/1.1 is the only protocol that is offered.
    /// There is no time limit.
    pub async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>> {
        let settings = self.config.current();
        let Some(tls) = &settings.tls else {
            return Err(io::Error::other("the web configuration has no TLS any more"));
        };
        let mut tls = ServerConfig::clone(tls);
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TlsAcceptor::from(Arc::new(tls)).accept(stream).await?;
        if let Err(rejection) = settings.admits(stream.get_ref().1) {
            return Err(io::Error::other(format!("client certificate: {rejection:?}")));
        }
        Ok(stream)
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}
