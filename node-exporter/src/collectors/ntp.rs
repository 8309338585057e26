//! Clock quality of the local NTP server: an NTP query, RFC 5905.
//!
//! Deprecated in `node_exporter`; the timex collector provides the same without a query.

mod packet;
mod query;

use std::net::IpAddr;
use std::time::Duration;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use self::packet::{Reply, Timestamp};
use self::query::Query;
use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("ntp", "Time of the local NTP server", |_, flags| {
        Ok(Source::blocking(Ntp::new(flags)?))
    })
    .cost("one packet to the server and back")
    .rights("the network")
    .off_by_default()
    .flags(&[&SERVER, &PORT, &VERSION, &IS_LOCAL, &TTL, &MAX_DISTANCE, &TOLERANCE])
    .metrics(&[&COLUMNS]);

static SERVER: Flag = Flag::text("collector.ntp.server", "127.0.0.1", "Address of the NTP server.");
static PORT: Flag = Flag::text("collector.ntp.server-port", "123", "Its UDP port.");
static VERSION: Flag =
    Flag::text("collector.ntp.protocol-version", "4", "NTP version of the queries: 2, 3 or 4.");
static IS_LOCAL: Flag = Flag::switch(
    "collector.ntp.server-is-local",
    false,
    "Treat the server as local, whatever its address.",
);
static TTL: Flag =
    Flag::text("collector.ntp.ip-ttl", "1", "How many routers a query may pass, plus one.");
static MAX_DISTANCE: Flag = Flag::text(
    "collector.ntp.max-distance",
    "3.46608s",
    "How far from the reference clock the server may be and still be sane.",
);
static TOLERANCE: Flag = Flag::text(
    "collector.ntp.local-offset-tolerance",
    "1ms",
    "How far the server's clock may be from this machine's and still be sane.",
);

static COLUMNS: [Column<Reading, 0>; 8] = [
    Desc::gauge("node_ntp_stratum", "Stratum of the server.", [])
        .column(|reading| Some(reading.reply.stratum.into())),
    Desc::gauge(
        "node_ntp_leap",
        "Leap indicator: 0 none, 1 second to be added, 2 to be deleted, 3 not synchronised.",
        [],
    )
    .column(|reading| Some(reading.reply.leap.into())),
    Desc::gauge("node_ntp_rtt_seconds", "Time between query and answer.", [])
        .column(|reading| Some(reading.reply.round_trip)),
    Desc::gauge(
        "node_ntp_offset_seconds",
        "How far the server's clock is ahead of this machine's.",
        [],
    )
    .column(|reading| Some(reading.reply.offset)),
    Desc::gauge(
        "node_ntp_reference_timestamp_seconds",
        "When the server's clock was last set, in seconds since 1970; 0 if it never was.",
        [],
    )
    .column(|reading| Some(reading.reply.reference.seconds_since_1970().max(0.0))),
    Desc::gauge("node_ntp_root_delay_seconds", "Round-trip time to the reference clock.", [])
        .column(|reading| Some(reading.reply.root_delay)),
    Desc::gauge(
        "node_ntp_root_dispersion_seconds",
        "How far the server may be from the reference clock.",
        [],
    )
    .column(|reading| Some(reading.reply.root_dispersion)),
    Desc::gauge(
        "node_ntp_sanity",
        "Whether the server is sane: RFC 5905's rules, and the limits given by flags.",
        [],
    )
    .column(|reading| Some(f64::from(u8::from(reading.is_sane)))),
];

#[derive(Clone, Copy, Debug)]
struct Reading {
    reply: Reply,
    is_sane: bool,
}

struct Ntp {
    query: Query,
    limits: Limits,
    /// The time of the last announced leap second. Servers stop announcing it afterwards.
    leap: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    max_distance: Duration,
    tolerance: Duration,
}

impl Ntp {
    fn new(flags: &Flags) -> Result<Self, Error> {
        let server = flags.text(&SERVER);
        let is_loopback = server.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        if !is_loopback && !flags.is_on(&IS_LOCAL) {
            let problem = format!(
                "{server} is not a loopback address: add --{} if the server is on this machine",
                IS_LOCAL.name
            );
            return Err(SERVER.error(problem));
        }
        let version = flags.parsed(&VERSION, "2, 3 or 4")?;
        if !(2..=4).contains(&version) {
            return Err(VERSION.error(format!("expected 2, 3 or 4, found {version}")));
        }
        let query = Query {
            server: server.to_owned(),
            port: flags.parsed(&PORT, "a port from 1 to 65535")?,
            version,
            ttl: flags.parsed(&TTL, "a number from 1 to 255")?,
        };
        if query.port == 0 {
            return Err(PORT.error("expected a port from 1 to 65535, found 0"));
        }
        let limits = Limits {
            max_distance: flags.duration(&MAX_DISTANCE)?,
            tolerance: flags.duration(&TOLERANCE)?,
        };
        Ok(Self { query, limits, leap: None })
    }
}

impl Collector for Ntp {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let reply = self.query.run(out.time_left())?;
        let is_sane = self.limits.is_sane(&reply, &mut self.leap);
        out.table(&COLUMNS, &[([], Reading { reply, is_sane })]);
        Ok(())
    }
}

impl Limits {
    fn is_sane(self, reply: &Reply, leap: &mut Option<Timestamp>) -> bool {
        const DAY: f64 = 86_400.0;
        const SMEARING: f64 = 1.0;
        if matches!(reply.leap, 1 | 2) {
            *leap = Some(reply.transmitted.next_midnight());
        }
        let is_smeared = leap.is_some_and(|leap| reply.transmitted.since(leap).abs() < DAY);
        let tolerance = self.tolerance.as_secs_f64() + if is_smeared { SMEARING } else { 0.0 };
        reply.is_valid()
            && reply.root_distance() <= self.max_distance.as_secs_f64()
            && reply.min_error <= tolerance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(given: &[(&'static Flag, &str)]) -> Option<String> {
        let flags = Flags::new(given.iter().map(|(flag, value)| (*flag, *value)));
        Ntp::new(&flags).err().map(|error| error.to_string())
    }

    #[test]
    fn invalid_flags_are_errors() {
        assert_eq!(problem(&[]), None);
        assert_eq!(problem(&[(&SERVER, "::1"), (&PORT, "11123"), (&VERSION, "2")]), None);
        assert_eq!(problem(&[(&SERVER, "ntp.example"), (&IS_LOCAL, "true")]), None);
        for (given, start) in [
            (&[(&SERVER, "192.0.2.1")][..], "--collector.ntp.server: 192.0.2.1 is not a loopback"),
            (&[(&VERSION, "5")], "--collector.ntp.protocol-version: expected 2, 3 or 4"),
            (&[(&PORT, "0")], "--collector.ntp.server-port: expected a port"),
            (&[(&PORT, "65536")], "--collector.ntp.server-port: expected a port"),
            (&[(&TTL, "x")], "--collector.ntp.ip-ttl: expected a number"),
            (&[(&MAX_DISTANCE, "far")], "--collector.ntp.max-distance: expected a duration"),
        ] {
            let problem = problem(given).unwrap();
            assert!(problem.starts_with(start), "{problem}");
        }
    }

    #[test]
    fn the_sanity_checks_are_applied() {
        let limits = Limits {
            max_distance: Duration::from_secs_f64(3.46608),
            tolerance: Duration::from_millis(1),
        };
        let valid = Reply::valid();
        for (reply, expected) in [
            (valid, true),
            (Reply { stratum: 0, ..valid }, false),
            (Reply { stratum: 16, ..valid }, false),
            (Reply { leap: 3, ..valid }, false),
            (Reply { root_dispersion: 3.4, ..valid }, true),
            (Reply { root_dispersion: 3.5, ..valid }, false),
            (Reply { min_error: 0.002, ..valid }, false),
            (Reply { reference: valid.transmitted.plus(1.0), ..valid }, false),
            (Reply { reference: valid.transmitted.plus(-200_000.0), ..valid }, false),
        ] {
            assert_eq!(limits.is_sane(&reply, &mut None), expected, "{reply:?}");
        }
        let mut leap = None;
        assert!(limits.is_sane(&Reply { leap: 1, min_error: 0.5, ..valid }, &mut leap));
        assert!(limits.is_sane(&Reply { min_error: 0.5, ..valid }, &mut leap));
        let later = valid.transmitted.plus(3.0 * 86_400.0);
        let later = Reply { transmitted: later, reference: later, min_error: 0.5, ..valid };
        assert!(!limits.is_sane(&later, &mut leap));
    }
}
