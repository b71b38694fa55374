//! Handshake messages out of the content of records (RFC 8446 §5.1): a message may be spread over many
//! records, and a record may hold many messages.

pub(crate) const CLIENT_HELLO: u8 = 1;
pub(crate) const SERVER_HELLO: u8 = 2;
pub(crate) const CERTIFICATE: u8 = 11;
pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
pub(crate) const SERVER_HELLO_DONE: u8 = 14;
pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;

/// Most bytes that are kept of a hello.
const MAX_HELLO: usize = 64 << 10;

/// Most bytes that are kept of a chain of certificates.
const MAX_CHAIN: usize = 128 << 10;

/// Most bytes that are kept of a ServerKeyExchange: its beginning names the curve.
const MAX_KEY_EXCHANGE: usize = 1_024;

/// Bytes of a message's header: its type and its length.
const HEADER: usize = 4;

/// A message, or what there is of it.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) kind: u8,
    /// Its first bytes; nothing of messages that are not looked into.
    pub(crate) body: Vec<u8>,
    /// Bytes of it are missing from the capture.
    pub(crate) torn: bool,
    /// It was cut at a limit.
    pub(crate) cut: bool,
}

/// Puts the messages of one side together.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    header: [u8; HEADER],
    /// Bytes of the header that are here.
    known: usize,
    /// Bytes of the body that are still to come.
    left: usize,
    body: Vec<u8>,
    torn: bool,
    cut: bool,
    /// Where the next message begins is not known; the next record may begin with one.
    lost: bool,
}

impl Messages {
    /// Takes bytes off the front of `content` until a message is complete.
    pub(crate) fn next(&mut self, content: &mut &[u8]) -> Option<Message> {
        if self.lost {
            return None;
        }
        while self.known < HEADER {
            let (first, rest) = content.split_first()?;
            *content = rest;
            if let Some(byte) = self.header.get_mut(self.known) {
                *byte = *first;
            }
            self.known += 1;
            if self.known == HEADER {
                let [_, length @ ..] = self.header;
                self.left = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            }
        }
        let (here, rest) = content.split_at(self.left.min(content.len()));
        *content = rest;
        self.left -= here.len();
        self.keep(here);
        if self.left > 0 {
            return None;
        }
        self.take()
    }

    fn keep(&mut self, bytes: &[u8]) {
        let limit = match self.header[0] {
            CLIENT_HELLO | SERVER_HELLO => MAX_HELLO,
            CERTIFICATE => MAX_CHAIN,
            SERVER_KEY_EXCHANGE => MAX_KEY_EXCHANGE,
            _ => 0,
        };
        if self.torn {
            return; // what stands behind a hole can not be placed
        }
        let room = limit.saturating_sub(self.body.len());
        match bytes.get(..room) {
            Some(fitting) => {
                self.body.extend_from_slice(fitting);
                self.cut |= fitting.len() < bytes.len();
            }
            None => self.body.extend_from_slice(bytes),
        }
    }

    /// Bytes of the content are missing. A hole in the body of a message costs that message; a hole in
    /// a header costs the place in the stream.
    pub(crate) fn missing(&mut self, count: usize) {
        if self.known < HEADER || count > self.left {
            self.lost = true;
        } else {
            self.left -= count;
        }
        self.torn = true;
    }

    /// A record begins. If the place was lost, a message may begin here.
    pub(crate) fn record_begins(&mut self) {
        if self.lost {
            *self = Self::default();
        }
    }

    /// The beginning of the hello that is being put together: type, announced length and first bytes.
    pub(crate) fn begun(&self) -> Option<(u8, usize, &[u8])> {
        let [kind, ..] = self.header;
        (self.known == HEADER).then_some((kind, self.left + self.body.len(), &*self.body))
    }

    /// A message has begun that is not complete.
    pub(crate) fn has_begun(&self) -> bool {
        self.known > 0
    }

    /// What there is of a message that will not be completed.
    pub(crate) fn rest(&mut self) -> Option<Message> {
        self.torn = true;
        if self.known < HEADER {
            self.known = 0;
            return None;
        }
        self.take()
    }

    fn take(&mut self) -> Option<Message> {
        let [kind, ..] = self.header;
        let Self { body, torn, cut, .. } = std::mem::take(self);
        Some(Message { kind, body, torn, cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(messages: &mut Messages, mut content: &[u8]) -> Vec<(u8, Vec<u8>, bool)> {
        let next = || messages.next(&mut content).map(|m| (m.kind, m.body, m.torn));
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn messages_in_pieces_and_together() {
        let content = b"\x01\x00\x00\x02ab\x0e\x00\x00\x00\x02\x00\x00\x01c\x10\x00\x00\x05";
        let mut messages = Messages::default();
        let whole = all(&mut messages, content);
        let (a, c) = (b"ab".to_vec(), b"c".to_vec());
        assert_eq!(whole, [(1, a, false), (14, vec![], false), (2, c, false)]);
        let mut messages = Messages::default();
        let pieces: Vec<_> = content.iter().flat_map(|byte| all(&mut messages, &[*byte])).collect();
        assert_eq!(pieces, whole);
    }

    #[test]
    fn a_hole_costs_one_message() {
        let mut messages = Messages::default();
        assert!(all(&mut messages, b"\x01\x00\x00\x05ab").is_empty());
        messages.missing(2);
        let rest = all(&mut messages, b"e\x02\x00\x00\x01c");
        assert_eq!(rest, [(1, b"ab".to_vec(), true), (2, b"c".to_vec(), false)]);
    }

    #[test]
    fn a_hole_in_a_header_costs_what_follows_in_the_record() {
        let mut messages = Messages::default();
        assert!(all(&mut messages, b"\x01\x00").is_empty());
        messages.missing(4);
        messages.record_begins();
        assert_eq!(all(&mut messages, b"\x02\x00\x00\x01c").len(), 1);
        messages.missing(9);
        assert!(all(&mut messages, b"\x02\x00\x00\x01c").is_empty());
    }

    #[test]
    fn announcing_much_costs_nothing() {
        let mut messages = Messages::default();
        assert!(all(&mut messages, b"\x0b\xff\xff\xffabc").is_empty());
        assert!(messages.body.capacity() < 100);
        for _ in 0..20 {
            assert!(all(&mut messages, &[b'x'; 16_384]).is_empty());
        }
        assert_eq!(messages.body.len(), MAX_CHAIN);
        assert!(messages.rest().is_some_and(|message| message.cut));
    }
}
