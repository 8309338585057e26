//! Logins, one at a time.
//!
//! A server counts a login that breaks off as an error of the client's host, and after 100 of them it
//! refuses the host, with every client on it. So a login is not given up with the scrape that needs
//! it: it goes on until the server answers, and later scrapes wait for it as well. After a login that
//! failed half-way, as when the certificate is not trusted, there is a pause.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::pool::{Pool, lock};
use super::setup;
use crate::client::{Connection, Error, Greeted};

/// The login that is under way, and when the next may begin.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    running: Option<watch::Receiver<Outcome>>,
    /// Why there is a pause, and until when.
    pause: Option<(Instant, Arc<Error>)>,
}

/// None: it is not over.
type Outcome = Option<Result<(), Arc<Error>>>;

/// How long a server may take for a login: one attempt a minute.
const LIMIT: Duration = Duration::from_secs(60);
/// How long it takes until the next attempt, after one that the server counts as an error.
const PAUSE: Duration = Duration::from_secs(60);
/// At most so much more, so that exporters do not come all at once.
const JITTER: Duration = Duration::from_secs(15);

impl Logins {
    /// Waits for the login that is under way, or starts one. Its connection is then idle in `pool`.
    pub(super) async fn join(&self, pool: &Arc<Pool>) -> Result<(), Arc<Error>> {
        let mut running = self.running(pool)?;
        let outcome = running.wait_for(Option::is_some).await;
        // The sender is gone without an outcome when the runtime ends.
        outcome.ok().and_then(|outcome| outcome.clone()).unwrap_or(Err(Arc::new(Error::Closed)))
    }

    fn running(&self, pool: &Arc<Pool>) -> Result<watch::Receiver<Outcome>, Arc<Error>> {
        let mut state = lock(&self.0);
        if let Some(running) = state.running.as_ref().filter(|running| running.borrow().is_none()) {
            return Ok(running.clone());
        }
        if let Some((until, problem)) = &state.pause {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Err(Arc::clone(problem));
            }
        }
        let (sender, receiver) = watch::channel(None);
        state.running = Some(receiver.clone());
        state.pause = None;
        let pool = Arc::clone(pool);
        tokio::spawn(async move {
            let outcome = attempt(&pool).await;
            sender.send_replace(Some(outcome));
        });
        Ok(receiver)
    }

    pub(super) fn pause(&self, problem: &Arc<Error>) {
        let mut random = [0];
        // Without randomness there is no jitter.
        let _ = aws_lc_rs::rand::fill(&mut random);
        let [random] = random;
        let until = Instant::now() + PAUSE + JITTER * u32::from(random) / 255;
        lock(&self.0).pause = Some((until, Arc::clone(problem)));
    }
}

async fn attempt(pool: &Pool) -> Result<(), Arc<Error>> {
    let (login, limits) = pool.parameters();
    let work = async {
        let greeted = Greeted::connect(login).await.map_err(Arc::new)?;
        let id = pool.register(greeted.id());
        let connection = greeted.log_in(login).await.map_err(|error| {
            if matches!(error, Error::Server { .. }) {
                return Arc::new(error);
            }
            let error = Arc::new(Error::Paused(Arc::new(error)));
            pool.pause_logins(&error);
            error
        });
        let mut connection: Connection = connection?;
        let server = setup::set_up(&mut connection, limits).await.map_err(Arc::new)?;
        pool.add(connection, server, id);
        Ok(())
    };
    timeout(LIMIT, work).await.unwrap_or_else(|_| Err(Arc::new(Error::Late(LIMIT.as_secs()))))
}
