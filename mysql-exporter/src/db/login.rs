//! Logins to one server, one at a time.
//!
//! A server counts an interrupted login as a connection error of the client's host. After 100 errors
//! (`max_connect_errors`), it blocks the host, including all other clients on it. Therefore a login
//! continues if the scrape that needs it is abandoned, and later scrapes wait for the same login. After
//! an interrupted login, for example because the certificate is not trusted, there are no logins for a
//! while.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::lock::lock;
use crate::client::Error;

/// The login in progress, and when the next one may begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Logins(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    running: Option<watch::Receiver<Outcome>>,
    /// The end of the pause, and its reason.
    pause: Option<(Instant, Arc<Error>)>,
}

/// `None` while the login is in progress.
type Outcome = Option<Result<(), Arc<Error>>>;

/// The pause after a login that the server counts as a connection error.
const PAUSE: Duration = Duration::from_secs(60);
/// The maximum time added to a pause, so that many exporters do not retry at the same time.
const JITTER: Duration = Duration::from_secs(15);

impl Logins {
    /// Waits for the login in progress, or starts `attempt`. If `attempt` fails with [`Error::Paused`],
    /// all logins fail with the same error until the end of the pause.
    pub(super) async fn join<Attempt>(
        &self,
        attempt: impl FnOnce() -> Attempt,
    ) -> Result<(), Arc<Error>>
    where
        Attempt: Future<Output = Result<(), Arc<Error>>> + Send + 'static,
    {
        let mut running = self.running(attempt)?;
        let outcome = running.wait_for(Option::is_some).await;
        // The sender is dropped without an outcome when the runtime ends.
        outcome.ok().and_then(|outcome| outcome.clone()).unwrap_or(Err(Arc::new(Error::Closed)))
    }

    fn running<Attempt>(
        &self,
        attempt: impl FnOnce() -> Attempt,
    ) -> Result<watch::Receiver<Outcome>, Arc<Error>>
    where
        Attempt: Future<Output = Result<(), Arc<Error>>> + Send + 'static,
    {
        let mut state = lock(&self.0);
        if let Some(running) = state.running.as_ref().filter(|running| running.borrow().is_none()) {
            return Ok(running.clone());
        }
        if let Some((until, problem)) = &state.pause {
            let remaining = until.saturating_duration_since(Instant::now());
            if !remaining.is_zero() {
                return Err(Arc::clone(problem));
            }
        }
        let (sender, receiver) = watch::channel(None);
        state.running = Some(receiver.clone());
        state.pause = None;
        let (attempt, logins) = (attempt(), self.clone());
        tokio::spawn(async move {
            let outcome = attempt.await;
            if let Err(problem) = &outcome
                && matches!(**problem, Error::Paused(_))
            {
                logins.pause(problem);
            }
            sender.send_replace(Some(outcome));
        });
        Ok(receiver)
    }

    fn pause(&self, problem: &Arc<Error>) {
        let mut random = [0];
        // Without a random number there is no jitter.
        let _ = aws_lc_rs::rand::fill(&mut random);
        let [random] = random;
        let until = Instant::now() + PAUSE + JITTER * u32::from(random) / 255;
        lock(&self.0).pause = Some((until, Arc::clone(problem)));
    }
}
