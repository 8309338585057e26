//! The 48 bytes of an NTP packet: RFC 5905, section 7.3.

use std::time::{SystemTime, UNIX_EPOCH};

pub(super) const PACKET_LENGTH: usize = 48;

/// Seconds since 1900 in 32.32 bits. They wrap in 2036.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timestamp(pub(super) u64);

/// From 1900 to 1970.
const EPOCH: u64 = 2_208_988_800;
const SECOND: f64 = 4_294_967_296.0;

impl Timestamp {
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        Self((since.as_secs().wrapping_add(EPOCH) << 32) | fraction)
    }

    /// Seconds from `other` to this time, if they are less than 68 years apart.
    pub(super) fn since(self, other: Self) -> f64 {
        self.0.wrapping_sub(other.0).cast_signed() as f64 / SECOND
    }

    pub(super) fn seconds_since_1970(self) -> f64 {
        if self.0 == 0 {
            return 0.0;
        }
        // The first bit is set until 2036.
        let seconds = (self.0 >> 32) + if self.0 >> 63 == 0 { 1 << 32 } else { 0 };
        let nanoseconds = ((self.0 & 0xffff_ffff) * 1_000_000_000) >> 32;
        (seconds.wrapping_sub(EPOCH).cast_signed() * 1_000_000_000 + nanoseconds.cast_signed())
            as f64
            / 1e9
    }

    pub(super) fn next_midnight(self) -> Self {
        const DAY: u64 = 86_400;
        // 1900 began at midnight, so multiples of a day are midnights.
        let seconds = self.0 >> 32;
        Self((seconds - seconds % DAY).wrapping_add(DAY) << 32)
    }

    #[cfg(test)]
    #[expect(clippy::cast_possible_truncation, reason = "tests add days at most")]
    pub(super) fn plus(self, seconds: f64) -> Self {
        Self(self.0.wrapping_add(((seconds * SECOND) as i64).cast_unsigned()))
    }
}

/// The reply of a server, and values computed from its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) leap: u8,
    pub(super) stratum: u8,
    pub(super) root_delay: f64,
    pub(super) root_dispersion: f64,
    /// When the clock of the server was last set.
    pub(super) reference: Timestamp,
    /// When the server sent the reply.
    pub(super) transmitted: Timestamp,
    pub(super) round_trip: f64,
    pub(super) offset: f64,
    /// The minimum error of the offset: a packet cannot arrive before it was sent.
    pub(super) min_error: f64,
}

/// A request with a nonce that the reply has to repeat.
pub(super) fn query(version: u8, nonce: u64) -> [u8; PACKET_LENGTH] {
    const CLIENT: u8 = 3;
    let mut packet = [0; PACKET_LENGTH];
    let (head, transmit) = packet.split_at_mut(PACKET_LENGTH - 8);
    if let Some(first) = head.first_mut() {
        *first = version << 3 | CLIENT;
    }
    transmit.copy_from_slice(&nonce.to_be_bytes());
    packet
}

impl Reply {
    /// Parses the reply to the request with this nonce.
    pub(super) fn parse(
        packet: &[u8],
        nonce: u64,
        sent: Timestamp,
        received: Timestamp,
    ) -> Result<Self, &'static str> {
        const SERVER: u8 = 4;
        let short = "an answer that is too short";
        let packet: &[u8; PACKET_LENGTH] = packet.first_chunk().ok_or(short)?;
        let (words, _) = packet.as_chunks::<4>();
        let read_u32 =
            |index: usize| words.get(index).map(|word| u32::from_be_bytes(*word)).ok_or(short);
        let read_u64 = |index: usize| -> Result<u64, &'static str> {
            Ok(u64::from(read_u32(index)?) << 32 | u64::from(read_u32(index + 1)?))
        };
        let head = read_u32(0)?.to_be_bytes();
        let [flags, stratum, ..] = head;
        if flags & 7 != SERVER {
            return Err("an answer that is not a server's");
        }
        if read_u64(6)? != nonce {
            return Err("an answer to another query");
        }
        let (arrived, transmitted) = (Timestamp(read_u64(8)?), Timestamp(read_u64(10)?));
        if transmitted.0 == 0 {
            return Err("an answer without a time");
        }
        if transmitted.since(arrived) < 0.0 {
            return Err("an answer that was sent before its query arrived");
        }
        let (outbound, inbound) = (arrived.since(sent), received.since(transmitted));
        Ok(Self {
            leap: flags >> 6,
            stratum,
            root_delay: f64::from(read_u32(1)?) / 65_536.0,
            root_dispersion: f64::from(read_u32(2)?) / 65_536.0,
            reference: Timestamp(read_u64(4)?),
            transmitted,
            round_trip: (outbound + inbound).max(0.0),
            offset: f64::midpoint(outbound, -inbound),
            min_error: (-outbound).max(-inbound).max(0.0),
        })
    }

    /// RFC 5905, appendix A.5.5.2.
    pub(super) fn root_distance(&self) -> f64 {
        f64::midpoint(self.round_trip, self.root_delay) + self.root_dispersion
    }

    /// Whether the server is synchronized, and its clock was set recently.
    pub(super) fn is_valid(&self) -> bool {
        const STRATA: std::ops::Range<u8> = 1..16;
        const MAX_POLL_INTERVAL: f64 = 131_072.0;
        const MAX_DISPERSION: f64 = 16.0;
        let age = self.transmitted.since(self.reference);
        STRATA.contains(&self.stratum)
            && self.leap != 3
            && (0.0..=MAX_POLL_INTERVAL).contains(&age)
            && self.root_delay / 2.0 + self.root_dispersion <= MAX_DISPERSION
    }

    #[cfg(test)]
    pub(super) fn valid() -> Self {
        let transmitted = Timestamp((3_900_000_000 << 32) | 7);
        Self {
            leap: 0,
            stratum: 2,
            root_delay: 0.01,
            root_dispersion: 0.02,
            reference: transmitted.plus(-64.0),
            transmitted,
            round_trip: 0.0001,
            offset: 0.0,
            min_error: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timestamp {
        Timestamp(3_900_000_000 << 32).plus(seconds)
    }

    fn packet(flags: u8, nonce: u64, arrived: Timestamp, transmitted: Timestamp) -> Vec<u8> {
        [
            &[flags, 2, 6, 0xe9][..],
            &0x0001_8000_u32.to_be_bytes(),
            &0x0000_4000_u32.to_be_bytes(),
            b"GPS\0",
            &at(-64.0).0.to_be_bytes(),
            &nonce.to_be_bytes(),
            &arrived.0.to_be_bytes(),
            &transmitted.0.to_be_bytes(),
        ]
        .concat()
    }

    #[test]
    fn replies_are_parsed() {
        // The server is half a second ahead.
        let packet = packet(0x64, 77, at(0.75), at(1.0));
        let reply = Reply::parse(&packet, 77, at(0.0), at(0.75)).unwrap();
        let expected = Reply {
            leap: 1,
            stratum: 2,
            root_delay: 1.5,
            root_dispersion: 0.25,
            reference: at(-64.0),
            transmitted: at(1.0),
            round_trip: 0.5,
            offset: 0.5,
            min_error: 0.25,
        };
        assert_eq!(reply, expected);
        assert!((reply.root_distance() - 1.25).abs() < 1e-9);
    }

    #[test]
    fn invalid_replies_are_errors() {
        let valid = packet(0x24, 77, at(0.0), at(0.1));
        for end in 0..PACKET_LENGTH {
            assert!(Reply::parse(&valid[..end], 77, at(0.0), at(0.1)).is_err());
        }
        for (packet, problem) in [
            (packet(0x23, 77, at(0.0), at(0.1)), "not a server's"),
            (packet(0x24, 78, at(0.0), at(0.1)), "another query"),
            (packet(0x24, 77, at(0.0), Timestamp(0)), "without a time"),
            (packet(0x24, 77, at(0.2), at(0.1)), "before its query"),
            (vec![0xff; PACKET_LENGTH], "not a server's"),
        ] {
            let error = Reply::parse(&packet, 77, at(0.0), at(0.1)).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn timestamps_wrap_in_2036() {
        let in_2023 = Timestamp((2_208_988_800 + 1_700_000_000) << 32 | 1 << 31);
        assert!((in_2023.seconds_since_1970() - 1_700_000_000.5).abs() < 1e-6);
        let in_2036 = Timestamp(1 << 32);
        assert!((in_2036.seconds_since_1970() - 2_085_978_497.0).abs() < 1e-6);
        assert!(Timestamp(0).seconds_since_1970().abs() < 1e-9);
        let midnight = in_2023.next_midnight().seconds_since_1970();
        assert!((midnight % 86_400.0).abs() < 1e-6 && midnight - 1_700_000_000.0 < 86_400.0);
        assert!((Timestamp::now().seconds_since_1970() / 1.6e9) > 1.0);
    }

    #[test]
    fn requests_have_the_right_format() {
        let packet = query(4, 0x0102_0304_0506_0708);
        assert_eq!((packet[0], &packet[40..]), (0x23, &[1, 2, 3, 4, 5, 6, 7, 8][..]));
    }
}
