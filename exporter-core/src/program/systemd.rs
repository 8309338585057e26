//! Running under a service manager: its notifications, its watchdog, and signals.

use std::future::{self, Future};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;
use std::{env, io, process};

use rustix::time::{ClockId, clock_gettime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tracing::info;

use crate::sys;
use crate::web::Site;

/// Sends the state of the service to systemd, or to another service manager that set
/// `NOTIFY_SOCKET`. Without this variable, nothing is sent.
#[derive(Clone, Debug)]
pub struct Notifier {
    socket: Option<Arc<(UnixDatagram, SocketAddr)>>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Reads the environment.
    pub fn from_env() -> Self {
        let mine = env::var("WATCHDOG_PID").map_or(true, |pid| pid.parse() == Ok(process::id()));
        let period = env::var("WATCHDOG_USEC").ok().filter(|_| mine);
        Self::new(env::var("NOTIFY_SOCKET").ok().as_deref(), period.as_deref())
    }

    fn new(address: Option<&str>, watchdog: Option<&str>) -> Self {
        let socket = address.and_then(|address| open(address).ok()).map(Arc::new);
        let watchdog = watchdog.and_then(|micros| micros.parse().ok()).filter(|micros| *micros > 0);
        Self { socket, watchdog: watchdog.map(Duration::from_micros) }
    }

    /// All configuration is read and the sockets are open.
    pub fn ready(&self) {
        self.notify("READY=1");
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        self.notify(&format!("STATUS={}", status.replace(char::is_control, " ")));
    }

    /// The configuration is being reloaded; call [`Self::ready`] afterwards.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000);
        self.notify(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// No further connections are accepted.
    pub fn stopping(&self) {
        self.notify("STOPPING=1\nSTATUS=Completing requests in progress");
    }

    /// Feeds the watchdog, twice as often as required. It must run on the runtime that serves
    /// requests: when that hangs, the watchdog is not fed.
    async fn feed_watchdog(&self) {
        let Some(period) = self.watchdog else { return future::pending().await };
        let mut ticks = interval(period / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.notify("WATCHDOG=1");
        }
    }

    /// Errors are ignored: there is no way to report them.
    fn notify(&self, message: &str) {
        if let Some(manager) = &self.socket {
            let (socket, address) = &**manager;
            let _ = socket.send_to_addr(message.as_bytes(), address);
        }
    }
}

/// A future that ends on SIGTERM or SIGINT. Until then, SIGHUP reloads all configuration, and the
/// watchdog is fed. Signals are handled from the time of the call.
pub fn shutdown(site: Arc<Site>, notifier: Notifier) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        let reloads = async {
            while hangup.recv().await.is_some() {
                reload(&site, &notifier).await;
            }
            future::pending::<()>().await;
        };
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            () = reloads => "",
            () = notifier.feed_watchdog() => "",
        };
        info!(signal = name, "stopping");
        notifier.stopping();
    })
}

async fn reload(site: &Arc<Site>, notifier: &Notifier) {
    notifier.reloading();
    let site = Arc::clone(site);
    // The log and the metrics also have the result.
    match spawn_blocking(move || site.reload()).await {
        Ok(Err(error)) => notifier.status(&format!("The last good configuration stays: {error}")),
        _ => notifier.status(""),
    }
    notifier.ready();
}

/// An address as in `NOTIFY_SOCKET`: a path, or `@` followed by an abstract name.
fn open(address: &str) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match address.strip_prefix('@') {
        Some(name) => sys::abstract_address(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not stop the service.
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(name: &str) -> (UnixDatagram, String) {
        let name = format!("exporter-test-{}-{name}", process::id());
        let address = sys::abstract_address(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        (socket, format!("@{name}"))
    }

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn the_service_manager_is_notified() {
        let (socket, address) = manager("notify");
        let notifier = Notifier::new(Some(&address), None);
        notifier.ready();
        assert_eq!(heard(&socket), "READY=1");
        notifier.status("two\nlines");
        assert_eq!(heard(&socket), "STATUS=two lines");
        notifier.reloading();
        let reloading = heard(&socket);
        let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(micros.parse::<u64>().unwrap() > 0);
        notifier.stopping();
        assert!(heard(&socket).starts_with("STOPPING=1\n"));
    }

    #[test]
    fn a_missing_or_blocked_manager_does_not_block() {
        Notifier::new(None, None).ready();
        Notifier::new(Some("/nowhere/at/all"), Some("x")).ready();
        Notifier::new(Some(""), Some("0")).ready();
        let (_socket, address) = manager("deaf");
        let notifier = Notifier::new(Some(&address), None);
        for _ in 0..2000 {
            notifier.ready();
        }
    }

    #[tokio::test]
    async fn the_watchdog_is_fed_twice_per_interval() {
        let (socket, address) = manager("watchdog");
        let notifier = Notifier::new(Some(&address), Some("200000"));
        let feed = notifier.feed_watchdog();
        assert!(tokio::time::timeout(Duration::from_millis(350), feed).await.is_err());
        socket.set_nonblocking(true).unwrap();
        let mut count = 0;
        while socket.recv(&mut [0; 64]).is_ok() {
            count += 1;
        }
        assert!((3..=4).contains(&count), "{count}");
    }
}
