//! One collection: the precheck, then the blocking collectors one after another, and the async ones
//! at the same time.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, future, stream};
use tokio::time::timeout_at;

use super::Registry;
use super::encoding::Encoding;
use super::member::{Member, MemberSource};
use super::outcome::{Failure, Run};
use super::page::{Page, page};
use crate::exposition::families::Families;

impl Registry {
    /// Runs collectors until the deadline.
    pub(super) async fn collect(
        &self,
        mut members: Vec<Arc<Member>>,
        encoding: Encoding,
        deadline: Instant,
    ) -> Page {
        let page = |members: &[Arc<Member>], runs| {
            let own = encoding.families(deadline);
            page(&self.settings, &self.dropped, &self.ignored, members, runs, own)
        };
        let mut runs = Vec::with_capacity(members.len() + 1);
        if let Some(precheck) = &self.precheck {
            let run = self.run_async(members.len(), precheck, encoding, deadline).await;
            let failed = run.failure.is_some();
            members.push(Arc::clone(precheck));
            runs.push(run);
            if failed {
                return page(&members, runs);
            }
        }
        let count = members.len() - runs.len();
        let numbered = members.iter().take(count).enumerate();
        let (blocking, mut asynchronous): (Vec<_>, Vec<_>) =
            numbered.partition(|(_, member)| matches!(member.source, MemberSource::Blocking(_)));
        // The slowest ones start first, so that none of them runs alone at the end.
        asynchronous.sort_by_key(|(_, member)| Reverse(member.last_elapsed()));
        let asynchronous: Vec<_> = asynchronous
            .into_iter()
            .map(|(index, member)| self.run_async(index, member, encoding, deadline))
            .collect();
        let asynchronous = stream::iter(asynchronous).buffer_unordered(self.settings.concurrency);
        let (blocking, asynchronous) = future::join(
            self.run_blocking(&blocking, encoding, deadline),
            asynchronous.collect::<Vec<_>>(),
        )
        .await;
        runs.extend(blocking);
        runs.extend(asynchronous);
        runs.sort_unstable_by_key(|run| run.member);
        page(&members, runs)
    }

    async fn run_blocking(
        &self,
        members: &[(usize, &Arc<Member>)],
        encoding: Encoding,
        deadline: Instant,
    ) -> Vec<Run> {
        if members.is_empty() {
            return Vec::new();
        }
        let Ok(mut worker) = timeout_at(deadline.into(), self.worker.lock()).await else {
            let timed_out = |member| Run::failed(member, Duration::ZERO, Failure::Deadline);
            return members.iter().map(|(index, _)| timed_out(*index)).collect();
        };
        // The same time for all of them, because all are checked for being due before the first one
        // runs.
        let started_at = Instant::now();
        let (mut cached, mut tasks) = (Vec::new(), Vec::with_capacity(members.len()));
        for (index, member) in members {
            match member.cached_run(*index, || self.families(encoding, deadline)) {
                Some(run) => cached.push(run),
                None => tasks.extend(member.blocking().map(|collector| (*index, collector))),
            }
        }
        let mut runs = worker.run(tasks, encoding, &self.settings, deadline).await;
        drop(worker);
        for run in &mut runs {
            let member = members.iter().find(|(index, _)| *index == run.member);
            if let Some((_, member)) = member {
                member.store(run, started_at, || self.families(encoding, deadline));
            }
        }
        runs.extend(cached);
        runs
    }

    async fn run_async(
        &self,
        index: usize,
        member: &Member,
        encoding: Encoding,
        deadline: Instant,
    ) -> Run {
        let families = || self.families(encoding, deadline);
        // One run at a time, so that a scrape in another format can use its result.
        let guard = match &member.interval {
            Some(interval) => match timeout_at(deadline.into(), interval.lock()).await {
                Ok(turn) => Some(turn),
                Err(_) => return Run::failed(index, Duration::ZERO, Failure::Deadline),
            },
            None => None,
        };
        if let Some(run) = member.cached_run(index, families) {
            return run;
        }
        let start = Instant::now();
        let until = deadline.min(start + self.settings.limit);
        let run = member.run_async(self.families(encoding, until));
        let result = timeout_at(until.into(), run).await;
        let elapsed = start.elapsed();
        let late = |_| Err(Failure::stopped(elapsed, self.settings.limit));
        let mut run = Run::new(index, elapsed, result.unwrap_or_else(late));
        member.store(&mut run, start, families);
        drop(guard);
        run
    }

    fn families(&self, encoding: Encoding, deadline: Instant) -> Families {
        let mut families = encoding.families(deadline);
        families.limits.clone_from(&self.settings.limits);
        families
    }
}
