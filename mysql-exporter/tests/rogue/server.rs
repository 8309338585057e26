//! A scripted MySQL server on loopback.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Accepts connections until the test ends, each on its own thread.
pub(crate) struct RogueServer {
    pub(crate) port: u16,
    received: Received,
}

/// The packets of clients, in order of arrival.
type Received = Arc<Mutex<Vec<Vec<u8>>>>;

/// The server's end of one connection.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    sequence: u8,
    received: Received,
}

/// `PROTOCOL_41`, `TRANSACTIONS`, `SECURE_CONNECTION`, `PLUGIN_AUTH`, `PLUGIN_AUTH_LENENC`.
pub(crate) const CAPABILITIES: u32 = 0x0028_a205;
pub(crate) const NONCE: &[u8; 20] = b"abcdefghijklmnopqrst";

impl RogueServer {
    /// Starts a server that runs `script` for each connection. The connection is closed when the
    /// script ends.
    pub(crate) fn start(
        script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Received::default();
        let script = Arc::new(script);
        let packets = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let received = Arc::clone(&packets);
                let mut peer = Peer { stream: stream.unwrap(), sequence: 0, received };
                let script = Arc::clone(&script);
                // The client may close the connection at any time.
                thread::spawn(move || drop(script(&mut peer)));
            }
        });
        Self { port, received }
    }

    pub(crate) fn received(&self) -> Vec<Vec<u8>> {
        self.received.lock().unwrap().clone()
    }
}

impl Peer {
    /// Sends a packet.
    pub(crate) fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut packet = u32::try_from(payload.len()).unwrap().to_le_bytes();
        packet[3] = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&[&packet, payload].concat())
    }

    /// Waits for a packet.
    pub(crate) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header)?;
        self.sequence = header[3].wrapping_add(1);
        let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload)?;
        self.received.lock().unwrap().push(payload.clone());
        Ok(payload)
    }

    /// The sequence number of the next packet, for tests that build packets themselves.
    pub(crate) fn sequence(&self) -> u8 {
        self.sequence
    }

    /// Sends a greeting with an authentication plugin, and reads the handshake response.
    pub(crate) fn greet(&mut self, plugin: &str) -> io::Result<Vec<u8>> {
        self.send(&greeting(plugin, CAPABILITIES))?;
        self.read()
    }

    pub(crate) fn ok(&mut self) -> io::Result<()> {
        self.send(&[0, 0, 0, 2, 0, 0, 0])
    }

    /// Accepts the login of the client with any password.
    pub(crate) fn log_in(&mut self) -> io::Result<()> {
        self.greet("mysql_native_password")?;
        self.ok()
    }

    /// Sends an `AuthSwitchRequest`, and reads the response.
    pub(crate) fn switch(&mut self, plugin: &str, data: &[u8]) -> io::Result<Vec<u8>> {
        self.send(&[b"\xfe", plugin.as_bytes(), b"\0", data, b"\0"].concat())?;
        self.read()
    }

    /// Responds to the statements of the session setup, and calls `respond` for other statements.
    pub(crate) fn serve(
        &mut self,
        respond: impl Fn(&mut Self, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            let command = self.read()?;
            let sql = String::from_utf8_lossy(command.get(1..).unwrap_or_default()).into_owned();
            match command.first() {
                Some(3) if sql.contains("version_comment") => self.version()?,
                Some(3) if sql.starts_with("SET ") => self.ok()?,
                Some(3) => respond(self, &sql)?,
                Some(14) => self.ok()?,
                _ => return Ok(()),
            }
        }
    }

    fn version(&mut self) -> io::Result<()> {
        let rows = [
            ["version", "8.4.0"],
            ["version_comment", "MySQL Community Server"],
            ["performance_schema", "OFF"],
        ];
        self.columns(&["Variable_name", "Value"])?;
        for row in rows {
            self.row(&row)?;
        }
        self.eof()
    }

    /// Starts a result set.
    pub(crate) fn columns(&mut self, names: &[&str]) -> io::Result<()> {
        self.send(&[u8::try_from(names.len()).unwrap()])?;
        for name in names {
            self.send(&column(name))?;
        }
        self.eof()
    }

    pub(crate) fn row(&mut self, values: &[&str]) -> io::Result<()> {
        self.send(&values.iter().flat_map(|value| length_encoded_string(value)).collect::<Vec<_>>())
    }

    pub(crate) fn eof(&mut self) -> io::Result<()> {
        self.send(&[0xfe, 0, 0, 2, 0])
    }
}

/// The greeting: the first packet of a server.
pub(crate) fn greeting(plugin: &str, capabilities: u32) -> Vec<u8> {
    let [low, high] = [capabilities as u16, (capabilities >> 16) as u16].map(u16::to_le_bytes);
    [
        &b"\x0a8.4.0\0\x07\0\0\0"[..],
        &NONCE[..8],
        &[0],
        &low,
        &[45, 2, 0],
        &high,
        &[21],
        &[0; 10],
        &NONCE[8..],
        &[0],
        plugin.as_bytes(),
        &[0],
    ]
    .concat()
}

/// The definition of a text column.
pub(crate) fn column(name: &str) -> Vec<u8> {
    let names = ["def", "", "", "", name, name].map(length_encoded_string).concat();
    [&names[..], &[12, 45, 0, 0, 1, 0, 0, 0xfd, 0, 0, 0, 0, 0]].concat()
}

/// A length-encoded string of at most 64 KiB.
pub(crate) fn length_encoded_string(value: &str) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_le_bytes();
    let length = if value.len() < 251 { vec![length[0]] } else { [&[0xfc][..], &length].concat() };
    [&length, value.as_bytes()].concat()
}
