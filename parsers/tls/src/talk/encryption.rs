//! Records: which are in the clear, which are encrypted, and when there is nothing more to see.

use flowcell_sdk::prelude::*;

use super::{Course, HELLO, Talk};
use crate::layer::{Content, Header};
use crate::messages::CLIENT_HELLO;

/// Most encrypted records of a client that are passed over until its Finished.
const MAX_PASSED: u32 = 128;

/// The shortest record with a Finished of TLS 1.3 in it: its header, a SHA-256, the type, a tag of 8 bytes.
/// An encrypted alert has 19 bytes at most, an empty Certificate 25.
const SHORTEST_FINISHED: usize = 4 + 32 + 1 + 8;

impl Talk<'_> {
    /// A record begins.
    pub(crate) fn record(&mut self, side: Side, header: Header) -> Result<Course> {
        let tls13 = self.tls13();
        let client = self.is_client(side);
        let party = self.party(side);
        party.record = Some(header);
        let changed = party.changed_cipher;
        Ok(match header.content {
            Content::ChangeCipherSpec => {
                party.changed_cipher = true;
                self.letter(side, b'i');
                Course::Skip
            }
            Content::Handshake
                if changed && (tls13 == Some(false) || tls13.is_none() && !client) =>
            {
                party.finished = true;
                Course::Done
            }
            Content::Handshake => {
                party.messages.record_begins();
                Course::Read
            }
            // Longer ones are encrypted, or several at once (RFC 5246 §6.2.1).
            Content::Alert if header.length <= 2 || !changed && header.length <= 16 => Course::Read,
            Content::Alert => Course::Done,
            Content::Heartbeat => {
                if !changed {
                    self.letter(side, b'b');
                }
                Course::Skip
            }
            Content::ApplicationData => return self.encrypted(side, header.length),
        })
    }

    /// A record of TLS 1.3 that is encrypted, of this many bytes; or one of data.
    fn encrypted(&mut self, side: Side, length: usize) -> Result<Course> {
        if !self.party(side).greeted {
            self.foreign(side)?;
            return Ok(Course::Done);
        }
        // RFC 8446 §4.2.10: early data may come before Finished, but not after a HelloRetryRequest.
        let hello = self.client_hello.as_ref();
        let early =
            self.retry.is_none() && hello.is_none_or(|hello| hello.early_data || !hello.whole);
        let answered = self.server_hello.is_some();
        let cipher = self.server_hello.as_ref().and_then(|hello| hello.cipher);
        let (tls13, client) = (self.tls13(), self.is_client(side));
        let party = self.party(side);
        if tls13 == Some(false) {
            return Ok(Course::Done); // data without a change of ciphers: something was not seen
        }
        if !client {
            party.finished = answered;
            return Ok(Course::Done);
        }
        let finished = match (early, answered) {
            (false, _) => length >= SHORTEST_FINISHED,
            (true, true) => length == finished_length(cipher),
            (true, false) => false,
        };
        if finished {
            party.finished = true;
            return Ok(Course::Done);
        }
        party.passed += 1;
        Ok(if party.passed < MAX_PASSED { Course::Skip } else { Course::Done })
    }

    /// Bytes of the content of the record that has begun.
    pub(crate) fn content(&mut self, side: Side, mut bytes: &[u8]) -> Result<Course> {
        let tls13 = self.tls13();
        let party = self.party(side);
        let Some(header) = party.record else {
            return Ok(Course::Read);
        };
        match header.content {
            Content::Alert => self.alerts(side, bytes),
            Content::Handshake => {
                // Without the server's hello, this is Finished of TLS 1.2, or the second hello of 1.3.
                let unclear =
                    party.changed_cipher && tls13.is_none() && !party.messages.has_begun();
                if unclear && !is_hello(bytes, header.length) {
                    party.finished = true;
                    return Ok(Course::Done);
                }
                let mut messages = std::mem::take(&mut party.messages);
                while let Some(message) = messages.next(&mut bytes) {
                    self.message(side, message)?;
                }
                self.begun(side, &messages)?;
                self.party(side).messages = messages;
                Ok(Course::Read)
            }
            _ => Ok(Course::Read),
        }
    }
}

/// The length of a record with just a Finished of TLS 1.3 in it.
fn finished_length(cipher: Option<u16>) -> usize {
    match cipher {
        Some(0x1302 | 0x1306) => 4 + 48 + 1 + 16, // suites with SHA-384
        Some(0x1305) => SHORTEST_FINISHED,
        _ => 4 + 32 + 1 + 16,
    }
}

/// Whether a record of this length that begins so holds a ClientHello, or its first part.
fn is_hello(content: &[u8], length: usize) -> bool {
    let [CLIENT_HELLO, a, b, c, 3, 3, ..] = *content else {
        return content.is_empty(); // nothing is here of it
    };
    let announced = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
    HELLO.contains(&announced) && announced + 4 >= length
}
