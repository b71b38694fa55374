//! What both sides have said, and how far they are.

mod encryption;
mod said;

use flowcell_sdk::prelude::*;

use crate::chain::Chain;
use crate::client_hello::ClientHello;
use crate::layer::{Content, Header};
use crate::messages::Messages;
use crate::records::Alert;
use crate::server_hello::ServerHello;
use crate::sslv2;

/// Most letters of the history, as in Zeek.
const MAX_HISTORY: usize = 100;

/// What is taken for a hello, in bytes: from version, random, an empty session id and a cipher suite to
/// twice of what OpenSSL takes.
const HELLO: std::ops::RangeInclusive<usize> = 37..=1 << 18;

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
    flipped: bool,
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

    /// This side does not begin as TLS does.
    pub(crate) fn foreign(&mut self, side: Side) -> Result<()> {
        self.party(side).foreign = true;
        self.incomplete = true;
        let torn = self.flow.info().midstream || self.party(side).torn;
        if self.confirmed && !torn {
            return Err(Error::violation("one side speaks TLS, the other does not"));
        }
        if !self.confirmed && (!torn || self.parties.iter().all(|party| party.foreign)) {
            return Err(Error::decline("not the beginning of a handshake"));
        }
        Ok(())
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

    fn letter(&mut self, side: Side, letter: u8) {
        if self.history.len() < MAX_HISTORY {
            let client = self.is_client(side);
            self.history.push(if client { letter.to_ascii_uppercase() } else { letter });
        }
    }
}
