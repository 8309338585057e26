//! Stand-in until the web configuration is merged.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;

use super::settings::Settings;

#[derive(Debug)]
pub struct Live {
    settings: Arc<Settings>,
    generation: watch::Sender<u64>,
}

#[derive(Clone, Debug, thiserror::Error)]
#[error("bad")]
pub struct ConfigError;

#[derive(Debug)]
pub struct Reloaded;

#[derive(Debug)]
pub struct ReloadStatus {
    pub last_success: SystemTime,
}

impl ReloadStatus {
    pub fn is_good(&self) -> bool {
        true
    }
}

impl Live {
    pub fn load(_path: Option<PathBuf>) -> Result<Arc<Self>, ConfigError> {
        let settings = Arc::new(Settings::default());
        Ok(Arc::new(Self { settings, generation: watch::channel(0).0 }))
    }

    pub fn current(&self) -> Arc<Settings> {
        Arc::clone(&self.settings)
    }

    pub fn reload(&self) -> Result<Reloaded, ConfigError> {
        self.generation.send_modify(|count| *count += 1);
        Ok(Reloaded)
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    pub async fn watch(self: Arc<Self>) {
        std::future::pending().await
    }

    pub fn status(&self) -> ReloadStatus {
        ReloadStatus { last_success: SystemTime::now() }
    }
}
