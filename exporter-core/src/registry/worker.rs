//! The thread on which blocking collectors run, one after another.
//!
//! A scrape is one job, because waking a thread for each of fifty collectors costs more than the
//! collectors. A collector that exceeds its time limit keeps its thread, because a system call
//! cannot be interrupted; the rest of the scrape continues on a new thread.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::sleep_until;

use super::encoding::Encoding;
use super::member::BlockingCollector;
use super::outcome::{Failure, Run};
use super::settings::Settings;
use crate::exposition::limits::OutputLimits;

/// The collectors that a scrape still has to run, with their indices.
pub(super) type Tasks = Vec<(usize, Arc<BlockingCollector>)>;

/// A worker thread. It is started with the first job.
#[derive(Default)]
pub(super) struct Worker {
    jobs: Option<mpsc::Sender<Job>>,
}

struct Job {
    tasks: Tasks,
    encoding: Encoding,
    limit: Duration,
    limits: OutputLimits,
    deadline: Instant,
    progress: Arc<Progress>,
    done: oneshot::Sender<()>,
}

/// The progress of a job.
#[derive(Default)]
struct Progress(Mutex<JobState>);

#[derive(Default)]
struct JobState {
    runs: Vec<Run>,
    running: Option<(usize, Instant)>,
    /// Whether the scrape continues without this thread.
    is_abandoned: bool,
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, JobState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    /// Runs all tasks, each within the limits of `settings`, all by `deadline`. Returns a run for each.
    pub(super) async fn run(
        &mut self,
        mut tasks: Tasks,
        encoding: Encoding,
        settings: &Settings,
        deadline: Instant,
    ) -> Vec<Run> {
        let limit = settings.limit;
        let mut runs = Vec::with_capacity(tasks.len());
        while !tasks.is_empty() {
            if Instant::now() >= deadline {
                runs.extend(
                    tasks
                        .drain(..)
                        .map(|(member, _)| Run::failed(member, Duration::ZERO, Failure::Deadline)),
                );
                break;
            }
            let progress = Arc::default();
            let (done, finished) = oneshot::channel();
            let job = Job {
                tasks: tasks.clone(),
                encoding,
                limit,
                limits: settings.limits.clone(),
                deadline,
                progress: Arc::clone(&progress),
                done,
            };
            if let Err(error) = self.send(job) {
                let failure = || Failure::Thread(error.to_string());
                let failed = |(member, _)| Run::failed(member, Duration::ZERO, failure());
                runs.extend(tasks.drain(..).map(failed));
                break;
            }
            self.wait(&progress, finished, limit, deadline, &mut runs).await;
            tasks.retain(|(member, _)| runs.iter().all(|run| run.member != *member));
        }
        runs
    }

    /// Waits until the thread has finished or a collector overruns, which keeps the thread.
    async fn wait(
        &mut self,
        progress: &Progress,
        mut finished: oneshot::Receiver<()>,
        limit: Duration,
        deadline: Instant,
        runs: &mut Vec<Run>,
    ) {
        let mut check_at = deadline.min(Instant::now() + limit);
        loop {
            tokio::select! {
                _ = &mut finished => break,
                () = sleep_until(check_at.into()) => {}
            }
            let mut state = progress.lock();
            let now = Instant::now();
            check_at = match state.running {
                Some((_, since)) => deadline.min(since + limit),
                // Between two collectors, or before the first.
                None => now + Duration::from_millis(1),
            };
            if check_at <= now
                && let Some((member, since)) = state.running
            {
                state.is_abandoned = true;
                runs.append(&mut state.runs);
                let elapsed = now - since;
                runs.push(Run::failed(member, elapsed, Failure::stopped(elapsed, limit)));
                self.jobs = None;
                return;
            }
        }
        let mut state = progress.lock();
        runs.append(&mut state.runs);
        if let Some((member, since)) = state.running {
            // The thread ended: the running collector must have ended it.
            runs.push(Run::failed(member, since.elapsed(), Failure::Panic("thread lost".into())));
            self.jobs = None;
        }
    }

    fn send(&mut self, job: Job) -> io::Result<()> {
        let job = match &self.jobs {
            Some(jobs) => match jobs.send(job) {
                Ok(()) => return Ok(()),
                Err(mpsc::SendError(job)) => job,
            },
            None => job,
        };
        let (sender, jobs) = mpsc::channel::<Job>();
        let thread = thread::Builder::new().name("collect".into()).stack_size(STACK_SIZE);
        thread.spawn(move || jobs.iter().all(work))?;
        sender.send(job).map_err(|_| io::Error::other("the thread ended at once"))?;
        self.jobs = Some(sender);
        Ok(())
    }
}

const STACK_SIZE: usize = 1 << 20;

/// Runs the collectors of a job. Returns whether the thread is still used.
fn work(job: Job) -> bool {
    for (member, collector) in job.tasks {
        let start = Instant::now();
        job.progress.lock().running = Some((member, start));
        let deadline = job.deadline.min(start + job.limit);
        let mut out = job.encoding.families(deadline);
        out.limits.clone_from(&job.limits);
        let result = collector.run(out);
        let run = Run::new(member, start.elapsed(), result);
        let mut state = job.progress.lock();
        if state.is_abandoned {
            return false;
        }
        state.running = None;
        state.runs.push(run);
    }
    // The scrape may have been cancelled.
    let _ = job.done.send(());
    true
}
