//! Packets: a length, a sequence number, and a payload.

use std::fmt::{self, Debug, Formatter};
use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::Error;
use super::transport::Transport;

/// Reads and writes packets.
pub(super) struct PacketStream {
    transport: Transport,
    /// Bytes that were read but not consumed.
    buffer: BytesMut,
    /// The sequence number of the next packet in either direction.
    sequence: u8,
}

/// The maximum size of an OK, ERR or EOF packet.
pub(super) const MAX_STATUS_PACKET: usize = 64 << 10;
/// The maximum payload of a packet. After a packet of this length, the payload continues in the next
/// packet.
const MAX_PAYLOAD: usize = 0xff_ffff;
/// The size of a read in bytes.
const READ_SIZE: usize = 16 << 10;

impl PacketStream {
    pub(super) fn new(transport: Transport) -> Self {
        Self { transport, buffer: BytesMut::new(), sequence: 0 }
    }

    /// Continues on another transport, which is built from this one. No bytes may have been read
    /// ahead: they would be mistaken for bytes of the new transport.
    pub(super) async fn upgrade<F, R>(&mut self, upgrade: F) -> Result<(), Error>
    where
        F: FnOnce(Transport) -> R,
        R: Future<Output = Result<Transport, Error>>,
    {
        if !self.buffer.is_empty() {
            return Err(Error::Malformed("data before TLS"));
        }
        let transport = std::mem::replace(&mut self.transport, Box::new(tokio::io::empty()));
        self.transport = upgrade(transport).await?;
        Ok(())
    }

    /// Sends a command.
    pub(super) async fn send_command(&mut self, command: u8, argument: &[u8]) -> Result<(), Error> {
        if !self.buffer.is_empty() {
            return Err(Error::Malformed("data after a response"));
        }
        self.sequence = 0;
        self.write(&[&[command], argument]).await
    }

    /// Sends a packet that consists of `parts`.
    pub(super) async fn write(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let [a, b, c, 0, ..] = length.to_le_bytes() else {
            return Err(too_long());
        };
        if length == MAX_PAYLOAD {
            return Err(too_long());
        }
        let mut packet = Vec::with_capacity(4 + length);
        packet.extend([a, b, c, self.sequence]);
        self.sequence = self.sequence.wrapping_add(1);
        for part in parts {
            packet.extend(*part);
        }
        self.transport.write_all(&packet).await?;
        self.transport.flush().await?;
        Ok(())
    }

    /// Waits for a payload of at most `limit` bytes, which may span several packets.
    pub(super) async fn read(&mut self, limit: usize) -> Result<BytesMut, Error> {
        let mut payload = self.read_packet(limit).await?;
        let mut last_length = payload.len();
        while last_length == MAX_PAYLOAD {
            let packet = self.read_packet(limit.saturating_sub(payload.len())).await?;
            last_length = packet.len();
            payload.unsplit(packet);
        }
        Ok(payload)
    }

    async fn read_packet(&mut self, limit: usize) -> Result<BytesMut, Error> {
        self.fill(4).await?;
        let &[a, b, c, sequence, ..] = &*self.buffer else { return Err(Error::Closed) };
        let length = u32::from_le_bytes([a, b, c, 0]) as usize;
        if sequence != self.sequence {
            return Err(Error::Malformed("out of order"));
        }
        if length > limit {
            return Err(Error::TooLarge("a login or a response without rows needs"));
        }
        self.sequence = sequence.wrapping_add(1);
        self.buffer.advance(4);
        self.fill(length).await?;
        Ok(self.buffer.split_to(length))
    }

    /// Reads until `length` bytes are available. Memory is allocated as they arrive.
    async fn fill(&mut self, length: usize) -> Result<(), Error> {
        while self.buffer.len() < length {
            self.buffer.reserve(READ_SIZE);
            if self.transport.read_buf(&mut self.buffer).await? == 0 {
                return Err(Error::Closed);
            }
        }
        Ok(())
    }
}

fn too_long() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::InvalidInput, "the statement is longer than 16 MiB"))
}

impl Debug for PacketStream {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketStream").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &'static [u8], limit: usize) -> Result<Vec<u8>, String> {
        let transport = tokio::io::join(bytes, tokio::io::sink());
        let mut packets = PacketStream::new(Box::new(transport));
        let packet = packets.read(limit).await;
        packet.map(|packet| packet.to_vec()).map_err(|error| error.to_string())
    }

    #[tokio::test(flavor = "current_thread")]
    async fn packets_are_limited_in_size() {
        for (bytes, limit, packet) in [
            (&b"\x02\0\0\0ab"[..], 2, Ok(&b"ab"[..])),
            (b"\0\0\0\0", 0, Ok(b"")),
            (
                b"\x03\0\0\0abc",
                2,
                Err("it sent more than a login or a response without rows needs"),
            ),
            (
                b"\xff\xff\xff\0",
                1 << 20,
                Err("it sent more than a login or a response without rows needs"),
            ),
            (b"\x02\0\0\x01ab", 2, Err("it sent an invalid packet: out of order")),
            (b"\x02\0\0\0a", 2, Err("it closed the connection")),
            (b"\x02\0", 2, Err("it closed the connection")),
        ] {
            let expected = packet.map(<[u8]>::to_vec).map_err(str::to_owned);
            assert_eq!(read(bytes, limit).await, expected, "{bytes:?}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_payload_may_span_packets() {
        let mut bytes = vec![b'x'; MAX_PAYLOAD + 8 + 3];
        bytes[..4].copy_from_slice(b"\xff\xff\xff\0");
        bytes[4 + MAX_PAYLOAD..8 + MAX_PAYLOAD].copy_from_slice(b"\x03\0\0\x01");
        let bytes: &[u8] = Vec::leak(bytes);
        assert_eq!(read(bytes, MAX_PAYLOAD + 3).await.unwrap().len(), MAX_PAYLOAD + 3);
        assert!(read(bytes, MAX_PAYLOAD + 2).await.unwrap_err().starts_with("it sent more"));
    }
}
