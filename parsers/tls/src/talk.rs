//! What both sides have said, and how far they are.

use flowcell_sdk::prelude::*;

use crate::chain::Chain;
use crate::client_hello::ClientHello;
use crate::layer::{Content, Header};
use crate::messages::{
    CERTIFICATE, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, Message, Messages, SERVER_HELLO,
    SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE,
};
use crate::records::Alert;
use crate::server_hello::ServerHello;
use crate::{key_exchange, names, sslv2};

/// Most letters of the history, as in Zeek.
const MAX_HISTORY: usize = 100;

/// Most alerts that are kept.
const MAX_ALERTS: usize = 16;

/// What is taken for a hello, in bytes: from version, random, an empty session id and a cipher suite to
/// twice of what OpenSSL takes.
const HELLO: std::ops::RangeInclusive<usize> = 37..=1 << 18;

/// Most encrypted records of a client that are passed over until its Finished.
const MAX_PASSED: u32 = 1_024;

/// How to go on behind a record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// Its content is wanted.
    Read,
    /// Its content is not wanted.
    Skip,
    /// This side has said all that is wanted of it.
    Done,
}

/// One side.
#[derive(Debug, Default)]
pub(crate) struct Party {
    messages: Messages,
    /// The record that is being read.
    record: Option<Header>,
    /// The level of an alert whose description is in the next record.
    alert_level: Option<u8>,
    /// It has sent a hello, or the beginning of one.
    greeted: bool,
    /// What it began with is not TLS.
    foreign: bool,
    /// Bytes are missing.
    pub(crate) torn: bool,
    /// It has changed ciphers; in TLS 1.3 that means nothing (RFC 8446 §D.4).
    pub(crate) changed_cipher: bool,
    /// It has sent Finished, as far as can be seen.
    pub(crate) finished: bool,
    /// Encrypted records that were passed over.
    passed: u32,
    pub(crate) chain: Option<Chain>,
    pub(crate) hello_done: bool,
    pub(crate) key_exchange: bool,
}

/// The conversation.
#[derive(Debug)]
pub(crate) struct Talk<'f> {
    pub(crate) flow: &'f Flow,
    /// By the sides of the flow.
    parties: [Party; 2],
    /// The endpoint that was connected to is the client of TLS.
    pub(crate) flipped: bool,
    pub(crate) history: Vec<u8>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) alerts_cut: bool,
    pub(crate) client_hello: Option<ClientHello>,
    pub(crate) retry: Option<ServerHello>,
    pub(crate) server_hello: Option<ServerHello>,
    /// The server answered in SSL 2.0.
    pub(crate) sslv2: bool,
    pub(crate) curve: Option<u16>,
    /// Bytes of the handshake are missing.
    pub(crate) incomplete: bool,
    pub(crate) confirmed: bool,
}

impl<'f> Talk<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        Self {
            flow,
            parties: Default::default(),
            flipped: false,
            history: Vec::new(),
            alerts: Vec::new(),
            alerts_cut: false,
            client_hello: None,
            retry: None,
            server_hello: None,
            sslv2: false,
            curve: None,
            incomplete: false,
            confirmed: false,
        }
    }

    fn party(&mut self, side: Side) -> &mut Party {
        let [first, second] = &mut self.parties;
        if side == Side::Client { first } else { second }
    }

    /// The client and the server of TLS.
    pub(crate) fn roles(&self) -> (&Party, &Party) {
        let [first, second] = &self.parties;
        if self.flipped { (second, first) } else { (first, second) }
    }

    fn is_client(&self, side: Side) -> bool {
        (side == Side::Client) != self.flipped
    }

    /// Whether TLS 1.3 was chosen, if that is known.
    fn tls13(&self) -> Option<bool> {
        self.server_hello.as_ref().or(self.retry.as_ref()).map(ServerHello::is_tls13)
    }

    /// A side was seen that does not speak TLS.
    pub(crate) fn is_foreign(&self) -> bool {
        self.parties.iter().any(|party| party.foreign)
    }

    fn confirm(&mut self) {
        self.confirmed = true;
        self.flow.confirm();
    }

    // ---- what comes of the bytes ----

    /// This side does not begin as TLS does.
    pub(crate) fn foreign(&mut self, side: Side) -> Result<()> {
        self.party(side).foreign = true;
        let torn = self.flow.info().midstream || self.party(side).torn;
        if self.parties.iter().all(|party| party.foreign) || !(torn || self.confirmed) {
            return Err(Error::decline("not the beginning of a handshake"));
        }
        self.incomplete = true;
        if torn { Ok(()) } else { Err(Error::violation("one side speaks TLS, the other does not")) }
    }

    /// What this side says does not make sense.
    pub(crate) fn nonsense(&mut self, side: Side, reason: &'static str) -> Result<()> {
        let sslv2 = self.client_hello.as_ref().is_some_and(|hello| hello.sslv2);
        if self.party(side).torn || (sslv2 && self.server_hello.is_none()) {
            self.incomplete = true;
            return Ok(());
        }
        if self.confirmed { Err(Error::violation(reason)) } else { Err(Error::decline(reason)) }
    }

    /// This side has said its last.
    pub(crate) fn ended(&mut self, side: Side, unread: bool) -> Result<()> {
        let mut messages = std::mem::take(&mut self.party(side).messages);
        self.incomplete |= unread || messages.has_begun();
        self.begun(side, &messages)?;
        match messages.rest() {
            Some(message) => self.message(side, message),
            None => Ok(()),
        }
    }

    /// Bytes are missing, and where the next record begins is not known.
    pub(crate) fn torn(&mut self, side: Side) -> Result<()> {
        self.party(side).torn = true;
        self.incomplete = true;
        self.ended(side, true)
    }

    /// Bytes of a record's content are missing.
    pub(crate) fn missing(&mut self, side: Side, count: usize) -> Result<()> {
        let party = self.party(side);
        party.torn = true;
        if party.record.is_some_and(|record| record.content == Content::Handshake) {
            party.messages.missing(count);
        }
        self.incomplete = true;
        self.content(side, &[]).map(drop)
    }

    /// A hello in the form of SSL 2.0, without the header of its record.
    pub(crate) fn sslv2_hello(&mut self, message: &[u8]) -> Result<()> {
        let Some(hello) = sslv2::read(message) else {
            return Err(Error::decline("a hello of SSL 2.0 that does not add up"));
        };
        self.letter(Side::Client, b'c');
        self.party(Side::Client).greeted = true;
        self.client_hello = Some(hello);
        self.confirm();
        Ok(())
    }

    /// The server begins as one that answers in SSL 2.0.
    pub(crate) fn sslv2_answer(&mut self, side: Side) -> Result<()> {
        if !self.client_hello.as_ref().is_some_and(|hello| hello.sslv2) {
            return self.foreign(side);
        }
        self.letter(side, b's');
        self.sslv2 = true;
        Ok(())
    }

    // ---- records ----

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
        // RFC 8446 §4.2.10: early data ends with a HelloRetryRequest.
        let early =
            self.retry.is_none() && self.client_hello.as_ref().is_some_and(|h| h.early_data);
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
                if party.changed_cipher && tls13.is_none() && !is_hello(bytes, header.length) {
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

    /// RFC 8446 §6: level and description. They need not be in one record (RFC 5246 §6.2.1).
    fn alerts(&mut self, side: Side, bytes: &[u8]) -> Result<Course> {
        let mut course = Course::Read;
        for byte in bytes {
            let Some(level) = self.party(side).alert_level.take() else {
                self.party(side).alert_level = Some(*byte);
                continue;
            };
            let known = names::known_alert(*byte).is_some() && matches!(level, 1 | 2);
            if !self.confirmed && !self.flow.info().midstream {
                if !known {
                    return self.foreign(side).map(|()| Course::Done);
                }
                self.confirm();
            }
            self.letter(side, b'l');
            if self.alerts.len() < MAX_ALERTS {
                self.alerts.push(Alert {
                    from: if self.is_client(side) { "client" } else { "server" },
                    level: names::alert_level(level),
                    description: names::alert(*byte),
                });
            } else {
                self.alerts_cut = true;
            }
            if level == 2 {
                course = Course::Done; // RFC 8446 §6.2: nothing comes behind it
            }
        }
        Ok(course)
    }

    // ---- handshake messages ----

    /// Looks at the beginning of the message that is being put together.
    fn begun(&mut self, side: Side, messages: &Messages) -> Result<()> {
        match messages.begun() {
            Some((kind, length, body)) if body.len() >= 2 => self.greet(side, kind, length, body),
            _ => Ok(()),
        }
    }

    /// The first message of a side is a hello, and says who is who.
    fn greet(&mut self, side: Side, kind: u8, length: usize, body: &[u8]) -> Result<()> {
        if self.party(side).greeted {
            return Ok(());
        }
        let version = matches!(body, [3, 0..=4, ..] | [0x7f, ..]);
        if !matches!(kind, CLIENT_HELLO | SERVER_HELLO) || !version || !HELLO.contains(&length) {
            return self.foreign(side);
        }
        let flipped = (kind == CLIENT_HELLO) == (side == Side::Server);
        if self.parties.iter().any(|party| party.greeted) && flipped != self.flipped {
            return Err(Error::violation("both sides are clients, or both are servers"));
        }
        if flipped && !self.flipped {
            self.history.insert(0, b'^');
        }
        self.flipped = flipped;
        self.party(side).greeted = true;
        self.confirm();
        Ok(())
    }

    fn message(&mut self, side: Side, message: Message) -> Result<()> {
        let Message { kind, body, torn, cut } = message;
        if body.len() >= 2 {
            self.greet(side, kind, body.len(), &body)?;
        }
        if !self.party(side).greeted {
            return Ok(());
        }
        self.incomplete |= torn;
        let whole = !torn && !cut;
        let mut letter = names::letter(kind);
        match kind {
            CLIENT_HELLO if self.client_hello.is_none() => {
                let mut hello = ClientHello::read(&body);
                if whole && !hello.whole && hello.cut.is_empty() {
                    return Err(Error::violation("a ClientHello that does not add up"));
                }
                hello.whole &= whole;
                if cut {
                    hello.cut.push("ssl_client_exts");
                }
                self.client_hello = Some(hello);
            }
            SERVER_HELLO => {
                let mut hello = ServerHello::read(&body);
                if whole && !hello.whole && !hello.cut {
                    return Err(Error::violation("a ServerHello that does not add up"));
                }
                if hello.retry {
                    letter = b'j';
                }
                if hello.group.is_some() {
                    self.curve = hello.group;
                }
                let place = if hello.retry { &mut self.retry } else { &mut self.server_hello };
                hello.whole &= whole;
                place.get_or_insert(hello);
            }
            CERTIFICATE if self.sends_x509(side) && self.party(side).chain.is_none() => {
                let (mut chain, sound) = Chain::read(&body);
                chain.cut |= cut;
                self.party(side).chain = Some(chain);
                if whole && sound.is_none() {
                    return Err(Error::violation("a chain of certificates that does not add up"));
                }
            }
            SERVER_KEY_EXCHANGE => {
                let cipher = self.server_hello.as_ref().and_then(|hello| hello.cipher);
                let curve = cipher.and_then(|cipher| key_exchange::curve(cipher, &body));
                self.curve = curve.or(self.curve);
            }
            SERVER_HELLO_DONE => self.party(side).hello_done = true,
            CLIENT_KEY_EXCHANGE => self.party(side).key_exchange = true,
            _ => {}
        }
        if !torn {
            self.letter(side, letter);
        }
        Ok(())
    }

    /// RFC 7250: a certificate may be a bare key, or of another kind, if both agreed on that.
    fn sends_x509(&self, side: Side) -> bool {
        let [client, server] = self.server_hello.as_ref().map_or([true; 2], |hello| hello.x509);
        if self.is_client(side) { client } else { server }
    }

    fn letter(&mut self, side: Side, letter: u8) {
        if self.history.len() < MAX_HISTORY {
            let client = self.is_client(side);
            self.history.push(if client { letter.to_ascii_uppercase() } else { letter });
        }
    }
}

/// The shortest record with a Finished of TLS 1.3 in it: its header, a SHA-256, the type, a tag of 8 bytes.
/// An encrypted alert has 19 bytes at most, an empty Certificate 25.
const SHORTEST_FINISHED: usize = 4 + 32 + 1 + 8;

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
