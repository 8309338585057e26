//! The thread that blocking collectors run on, one after another.
//!
//! A thread hop for each of fifty collectors costs more than the collectors do, so a scrape is one
//! hop. A collector that overruns keeps the thread it is on, because nothing can take it away from
//! a system call; the rest of the scrape goes on with a fresh one.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::Form;
use super::outcome::{Failure, Run};
use super::slot::Chair;

/// The collectors that a scrape still has to run, by their slots.
pub(super) type Tasks = Vec<(usize, Arc<Chair>)>;

/// Where the jobs go. It has no thread before its first job.
#[derive(Default)]
pub(super) struct Lane {
    worker: Option<mpsc::Sender<Job>>,
}

struct Job {
    tasks: Tasks,
    form: Form,
    limit: Duration,
    deadline: Instant,
    progress: Arc<Progress>,
    done: oneshot::Sender<()>,
}

/// What a worker has done of a job, and what it is at.
#[derive(Default)]
struct Progress(Mutex<Stand>);

#[derive(Default)]
struct Stand {
    runs: Vec<Run>,
    running: Option<(usize, Instant)>,
    /// The scrape goes on without this worker.
    given_up: bool,
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, Stand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    /// Runs all tasks, each within `limit`, all by `deadline`. A run for each comes back.
    pub(super) async fn run(
        &mut self,
        mut tasks: Tasks,
        form: Form,
        limit: Duration,
        deadline: Instant,
    ) -> Vec<Run> {
        let mut runs = Vec::with_capacity(tasks.len());
        while !tasks.is_empty() {
            if Instant::now() >= deadline {
                runs.extend(
                    tasks
                        .drain(..)
                        .map(|(slot, _)| Run::failed(slot, Duration::ZERO, Failure::Deadline)),
                );
                break;
            }
            let progress = Arc::default();
            let (done, finished) = oneshot::channel();
            let job = Job {
                tasks: tasks.clone(),
                form,
                limit,
                deadline,
                progress: Arc::clone(&progress),
                done,
            };
            if let Err(error) = self.send(job) {
                let failed = |(slot, _)| Failure::Thread(error.to_string()).at(slot);
                runs.extend(tasks.drain(..).map(failed));
                break;
            }
            self.wait(&progress, finished, limit, deadline, &mut runs).await;
            tasks.retain(|(slot, _)| runs.iter().all(|run| run.slot != *slot));
        }
        runs
    }

    /// Waits until the worker is done or overruns; then it is left behind with what it is at.
    async fn wait(
        &mut self,
        progress: &Progress,
        mut finished: oneshot::Receiver<()>,
        limit: Duration,
        deadline: Instant,
        runs: &mut Vec<Run>,
    ) {
        let mut check = deadline.min(Instant::now() + limit);
        loop {
            tokio::select! {
                _ = &mut finished => break,
                () = sleep_until(check) => {}
            }
            let mut stand = progress.lock();
            let now = Instant::now();
            check = match stand.running {
                Some((_, since)) => deadline.min(since + limit),
                // Between two collectors, or not yet at the first.
                None => now + Duration::from_millis(1),
            };
            if check <= now
                && let Some((slot, since)) = stand.running
            {
                stand.given_up = true;
                runs.append(&mut stand.runs);
                let elapsed = now - since;
                runs.push(Run::failed(slot, elapsed, Failure::late(elapsed, limit)));
                self.worker = None;
                return;
            }
        }
        let mut stand = progress.lock();
        runs.append(&mut stand.runs);
        if let Some((slot, since)) = stand.running {
            // The thread is gone without a word: only that collector can be why.
            runs.push(Run::failed(slot, since.elapsed(), Failure::Panic("thread lost".into())));
            self.worker = None;
        }
    }

    fn send(&mut self, job: Job) -> io::Result<()> {
        let job = match &self.worker {
            Some(worker) => match worker.send(job) {
                Ok(()) => return Ok(()),
                Err(mpsc::SendError(job)) => job,
            },
            None => job,
        };
        let (sender, jobs) = mpsc::channel::<Job>();
        let thread = thread::Builder::new().name("collect".into()).stack_size(STACK);
        thread.spawn(move || jobs.iter().all(work))?;
        sender.send(job).map_err(|_| io::Error::other("the thread ended at once"))?;
        self.worker = Some(sender);
        Ok(())
    }
}

const STACK: usize = 1 << 20;

/// Runs the collectors of a job; whether the worker is still wanted after it.
fn work(job: Job) -> bool {
    for (slot, chair) in job.tasks {
        let start = Instant::now();
        job.progress.lock().running = Some((slot, start));
        let deadline = job.deadline.min(start + job.limit);
        let result = chair.run(job.form.families(deadline));
        let run = Run::new(slot, start.elapsed(), result);
        let mut stand = job.progress.lock();
        if stand.given_up {
            return false;
        }
        stand.running = None;
        stand.runs.push(run);
    }
    // The scrape may be gone; the next one is as welcome.
    let _ = job.done.send(());
    true
}

impl Failure {
    fn at(self, slot: usize) -> Run {
        Run::failed(slot, Duration::ZERO, self)
    }
}
