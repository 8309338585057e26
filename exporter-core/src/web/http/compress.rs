//! Compression of response bodies.

use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Larger bodies are compressed on another thread: a megabyte takes some milliseconds.
pub(crate) const INLINE: usize = 1 << 20;

/// Smaller bodies are not compressed.
const MIN_SIZE: usize = 256;

/// On a page of 377 kB: 0.9 ms and 58 kB. Level 1 takes 0.6 ms for 71 kB, level 6 2.5 ms for 50 kB.
const GZIP_LEVEL: u32 = 2;

const ZSTD_LEVEL: i32 = 1;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Identity,
    Zstd,
}

impl Coding {
    /// The coding that the client prefers among those that it names. Without any it is identity,
    /// even if the client excludes it.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Self {
        let (mut gzip, mut zstd, mut identity) = (0.0, 0.0, 0.0);
        let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        for (name, quality) in lines.flat_map(|line| line.split(',')).map(with_quality) {
            for (coding, known) in
                [("gzip", &mut gzip), ("zstd", &mut zstd), ("identity", &mut identity)]
            {
                if name.eq_ignore_ascii_case(coding) {
                    *known = quality;
                }
            }
        }
        let best = f32::max(gzip, zstd);
        if best <= 0.0 || identity > best {
            Self::Identity
        } else if zstd >= gzip {
            Self::Zstd
        } else {
            Self::Gzip
        }
    }

    /// The name in `Content-Encoding`.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
            Self::Zstd => Some("zstd"),
        }
    }
}

/// A coding and its quality, from `gzip;q=0.5`. An invalid quality is 0.
fn with_quality(item: &str) -> (&str, f32) {
    let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
    let quality = match parameters.trim().split_once('=') {
        None => 1.0,
        Some((_, quality)) => quality.trim().parse().unwrap_or(0.0),
    };
    (name.trim(), quality)
}

/// A compressor that keeps the state of deflate, a quarter of a megabyte, between scrapes.
#[derive(Debug, Default)]
pub(crate) struct Compressor {
    gzip: Mutex<Option<Compress>>,
}

impl Compressor {
    /// The compressed body, and the coding that was used.
    pub(crate) fn compress(&self, body: &Bytes, coding: Coding) -> io::Result<(Bytes, Coding)> {
        if body.len() < MIN_SIZE {
            return Ok((body.clone(), Coding::Identity));
        }
        match coding {
            Coding::Gzip => Ok((self.gzip(body)?.into(), coding)),
            Coding::Identity => Ok((body.clone(), coding)),
            Coding::Zstd => Ok((zstd::bulk::compress(body, ZSTD_LEVEL)?.into(), coding)),
        }
    }

    fn gzip(&self, body: &[u8]) -> io::Result<Vec<u8>> {
        let spare = self.gzip.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut deflate = match spare {
            Some(deflate) => deflate,
            None => Compress::new_gzip(Compression::new(GZIP_LEVEL), 15),
        };
        // Pages shrink to a tenth. If this one does not, the vector grows.
        let mut out = Vec::with_capacity(body.len() / 6 + 1024);
        loop {
            let done = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
            let rest = body.get(done..).unwrap_or_default();
            match deflate.compress_vec(rest, &mut out, FlushCompress::Finish)? {
                Status::StreamEnd => break,
                Status::BufError | Status::Ok => out.reserve(body.len() / 4 + 1024),
            }
        }
        deflate.reset();
        *self.gzip.lock().unwrap_or_else(PoisonError::into_inner) = Some(deflate);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_preferred_coding_is_used() {
        for (accept, coding) in [
            ("", Coding::Identity),
            ("gzip", Coding::Gzip),
            ("deflate, gzip, br, zstd", Coding::Zstd),
            ("gzip;q=1.0, zstd;q=0.5", Coding::Gzip),
            ("gzip;q=0", Coding::Identity),
            ("gzip;q=0.5, identity;q=1", Coding::Identity),
            ("gzip;q=0.5, identity;q=0.1", Coding::Gzip),
            ("GZIP ; Q = 0.1", Coding::Gzip),
            ("*", Coding::Identity),
            ("gzip;q=nonsense", Coding::Identity),
            (",,;q=1,", Coding::Identity),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
            assert_eq!(Coding::negotiate(&headers), coding, "{accept}");
        }
    }

    #[test]
    fn decompression_restores_each_body() {
        let compressor = Compressor::default();
        for size in [MIN_SIZE, 10_000, 3_000_000] {
            // Bodies that shrink, and bodies that do not.
            for step in [1_usize, 2_654_435_761] {
                let body: Vec<u8> =
                    (0..size).map(|i| (i.wrapping_mul(step) >> 24).to_le_bytes()[0]).collect();
                let body = Bytes::from(body);
                let (coded, _) = compressor.compress(&body, Coding::Gzip).unwrap();
                let mut plain = Vec::new();
                flate2::read::GzDecoder::new(&coded[..]).read_to_end(&mut plain).unwrap();
                assert_eq!(plain, body);
                let (coded, _) = compressor.compress(&body, Coding::Zstd).unwrap();
                assert_eq!(zstd::bulk::decompress(&coded, size).unwrap(), body);
            }
        }
    }
}
