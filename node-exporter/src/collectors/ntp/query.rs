//! Queries over UDP with a time limit.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use exporter_core::collector::Error;

use super::packet::{self, PACKET_LENGTH, Reply, Timestamp};

#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) server: String,
    pub(super) port: u16,
    pub(super) version: u8,
    pub(super) ttl: u8,
}

/// The time limit: a local server responds at once.
const TIMEOUT: Duration = Duration::from_secs(1);

impl Query {
    /// Queries the server, for at most a second or the time that is left.
    pub(super) fn run(&self, time_left: Option<Duration>) -> Result<Reply, Error> {
        let timeout = time_left.unwrap_or(TIMEOUT).min(TIMEOUT);
        self.exchange(Instant::now() + timeout).map_err(|error| {
            let Self { server, port, .. } = self;
            Error::Other(format!("NTP server {server}, port {port}: {error}").into())
        })
    }

    fn exchange(&self, deadline: Instant) -> io::Result<Reply> {
        let server = (self.server.as_str(), self.port).to_socket_addrs()?.next();
        let server =
            server.ok_or_else(|| io::Error::new(ErrorKind::NotFound, "it has no address"))?;
        let socket = self.connect(server)?;
        // Unpredictable, so that others cannot forge a reply.
        let nonce = RandomState::new().build_hasher().finish();
        let (sent, sent_at) = (Timestamp::now(), Instant::now());
        socket.send(&packet::query(self.version, nonce))?;
        let mut problem = "no reply";
        loop {
            let time_left = deadline.saturating_duration_since(Instant::now());
            if time_left.is_zero() {
                let waited = sent_at.elapsed().as_secs_f64();
                let problem = format!("{problem} within {waited:.1} s");
                return Err(io::Error::new(ErrorKind::TimedOut, problem));
            }
            socket.set_read_timeout(Some(time_left))?;
            let mut buffer = [0; PACKET_LENGTH];
            match socket.recv(&mut buffer) {
                Ok(length) => {
                    let received = Timestamp::now();
                    let packet = buffer.get(..length).unwrap_or_default();
                    match Reply::parse(packet, nonce, sent, received) {
                        Ok(reply) => return Ok(reply),
                        Err(found) => problem = found,
                    }
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A socket that only receives packets from the server.
    fn connect(&self, server: SocketAddr) -> io::Result<UdpSocket> {
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        match server {
            SocketAddr::V4(_) => socket.set_ttl(self.ttl.into())?,
            SocketAddr::V6(_) => {
                rustix::net::sockopt::set_ipv6_unicast_hops(&socket, Some(self.ttl))?;
            }
        }
        socket.connect(server)?;
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Queries a server that replies with the result of `replies` for the query.
    fn query_server(replies: fn(&[u8]) -> Vec<Vec<u8>>) -> Result<Reply, String> {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let mut query = [0; 100];
            let (length, client) = server.recv_from(&mut query).unwrap();
            for reply in replies(&query[..length]) {
                server.send_to(&reply, client).unwrap();
            }
            server
        });
        let query = Query { server: "127.0.0.1".to_owned(), port, version: 4, ttl: 1 };
        let reply = query.run(None).map_err(|error| error.to_string());
        server.join().unwrap();
        reply
    }

    fn valid(query: &[u8]) -> Vec<u8> {
        let now = Timestamp::now().0.to_be_bytes();
        let mut reply = vec![0x24, 3, 6, 0xe9];
        reply.resize(16, 0);
        reply.extend([&now[..], &query[40..], &now, &now].concat());
        reply
    }

    #[test]
    fn a_valid_reply_is_returned() {
        let reply = query_server(|query| vec![valid(query)]).unwrap();
        assert_eq!((reply.stratum, reply.leap), (3, 0));
    }

    #[test]
    fn invalid_packets_before_the_reply_are_ignored() {
        let replies = |query: &[u8]| {
            let mut other = valid(query);
            other[24] ^= 1;
            vec![vec![], vec![0xff; 48], valid(query)[..47].to_vec(), other, valid(query)]
        };
        assert_eq!(query_server(replies).unwrap().stratum, 3);
    }

    #[test]
    fn a_missing_reply_times_out() {
        for (replies, problem) in [
            ((|_| vec![]) as fn(&[u8]) -> Vec<Vec<u8>>, "no reply within"),
            (|query| vec![valid(query)[..20].to_vec()], "an answer that is too short within"),
            (|_| vec![vec![0; 48]], "an answer that is not a server's within"),
        ] {
            let error = query_server(replies).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_closed_port_is_an_error_at_once() {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let query = Query { server: "127.0.0.1".to_owned(), port, version: 4, ttl: 1 };
        let error = query.run(None).unwrap_err().to_string();
        assert!(error.starts_with("NTP server 127.0.0.1, port "), "{error}");
    }
}
