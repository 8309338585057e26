//! The page of a collection: the output of the collectors, and the families of the registry itself.

use std::sync::Arc;

use bytes::Bytes;

use super::dropped::Dropped;
use super::ignored::Ignored;
use super::member::Member;
use super::outcome::Run;
use super::settings::Settings;
use crate::exposition;
use crate::exposition::desc::Desc;
use crate::exposition::families::{Families, Precedence};

static AGE: Desc<1> = Desc::gauge(
    "exporter_collector_result_age_seconds",
    "How long ago the result of a collector with an interval was collected.",
    ["collector"],
)
.with_unit("seconds");

/// What a collection exposes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) bytes: Bytes,
    /// The number of series that were written for it; a histogram or summary is one.
    pub(crate) series: usize,
}

/// Joins the output of `runs`, which are runs of `members`, with the families of the registry
/// itself. `own` is the sink for the latter.
pub(super) fn page(
    settings: &Settings,
    dropped: &Dropped,
    ignored: &Ignored,
    members: &[Arc<Member>],
    runs: Vec<Run>,
    mut own: Families,
) -> Page {
    let (format, escaping) = (own.format, own.escaping);
    own.set_precedence(Precedence::Exporter);
    if let Some(desc) = settings.duration {
        let mut duration = own.family(desc);
        for (member, run) in with_members(members, &runs) {
            duration.sample([&member.label], run.elapsed.as_secs_f64());
        }
    }
    if let Some(desc) = settings.success {
        let mut success = own.family(desc);
        for (member, run) in with_members(members, &runs) {
            success.sample([&member.label], f64::from(run.failure.is_none()));
        }
    }
    if let Some(desc) = settings.absent {
        let mut absent = own.family(desc);
        for (member, _) in with_members(members, &runs).filter(|(_, run)| run.is_absence()) {
            absent.sample([&member.label], 1.0);
        }
    }
    let mut ages = own.family(&AGE);
    for (member, run) in with_members(members, &runs) {
        if let Some(age) = run.age {
            ages.sample([&member.label], age.as_secs_f64());
        }
    }
    for (member, run) in with_members(members, &runs) {
        member.record(run);
        let over_limit = run.out.as_ref().map_or(0, |out| out.over_limit);
        dropped.over_limit(&member.name, over_limit);
        let refused = run.out.as_ref().map_or(0, |out| out.refused);
        dropped.refused(&member.name, refused);
    }
    (settings.own)(&mut own);
    if settings.exposes_dropped {
        dropped.write(&mut own);
        if settings.ignores_unavailable {
            ignored.write(&mut own);
        }
    }
    let written = runs.into_iter().filter_map(|run| Some((run.out?, members.get(run.member))));
    let (parts, members): (Vec<_>, Vec<_>) = written.chain([(own, None)]).unzip();
    let series = parts.iter().map(|part| part.series.len()).sum();
    let (page, conflicts) = exposition::join(&parts, format, escaping);
    for (part, member) in parts.into_iter().zip(members) {
        if let Some(member) = member {
            member.recycle(part);
        }
    }
    dropped.record(conflicts);
    Page { bytes: Bytes::from(page), series }
}

fn with_members<'a>(
    members: &'a [Arc<Member>],
    runs: &'a [Run],
) -> impl Iterator<Item = (&'a Member, &'a Run)> {
    runs.iter().filter_map(|run| Some((&**members.get(run.member)?, run)))
}
