//! SMB 1 (MS-CIFS, MS-SMB), until a session is set up.

use memchr::memchr;

use crate::names;
use crate::ntlm::Authenticate;
use crate::out::Out;
use crate::request::{Offer, Proof};
use crate::sessions::{Agreement, Decision, Exchange};
use crate::text::{NAME_MAX, Name, oem, utf16};
use crate::wire::{part, u8_at, u16_at, u32_at};

/// Length of the header and the two counts behind it, in bytes (MS-CIFS §2.2.3).
pub(crate) const HEADER: usize = 35;

/// Where the words start: parameters of 16 bits.
const WORDS: usize = 33;

const NEGOTIATE: u8 = 0x72;
const SESSION_SETUP: u8 = 0x73;

/// Most dialects of an offer.
const DIALECTS_MAX: usize = 16;

/// Longest name of a dialect, in bytes.
const DIALECT_MAX: usize = 48;

/// How many bytes of a message with this command are of interest.
pub(crate) fn wanted(command: Option<u8>) -> usize {
    match command {
        Some(NEGOTIATE | SESSION_SETUP) => 8_192,
        _ => HEADER,
    }
}

/// Whether this is a header rather than something that starts like one: 12 bytes that are known, and the
/// command is one of those that clients use.
pub(crate) fn is_header(bytes: &[u8]) -> bool {
    let reserved = bytes.get(22..24);
    let known = matches!(bytes.get(4), Some(0..=0x34 | 0x70..=0x75 | 0x80..=0x84 | 0xa0..=0xc3));
    known && reserved == Some(&[0, 0])
}

/// What a message leads to outside of here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The client can do SMB 2 as well, and the server may answer in it (MS-SMB2 §3.3.5.3.1).
    OffersSmb2,
    /// The server answers in SMB 1.
    Declines,
    Other,
}

/// How far it got.
#[derive(Debug, Default)]
pub(crate) struct Smb1 {
    /// The first dialect of the last offer, among all that were offered.
    first: usize,
    exchange: Option<Box<Exchange>>,
    over: bool,
}

impl Smb1 {
    /// A session is set up.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes a message, or the start of it.
    pub(crate) fn message(
        &mut self,
        bytes: &[u8],
        agreement: &mut Agreement,
        out: &mut Out<'_>,
    ) -> Outcome {
        let Some(message) = Message::parse(bytes) else {
            return Outcome::Other;
        };
        match (message.command, message.reply) {
            (NEGOTIATE, false) => return self.offer(&message, agreement),
            (NEGOTIATE, true) => {
                self.choice(&message, agreement);
                return Outcome::Declines;
            }
            (SESSION_SETUP, false) => self.request(&message),
            (SESSION_SETUP, true) => self.reply(&message, agreement, out),
            _ => {}
        }
        Outcome::Other
    }

    /// Tells what was not decided.
    pub(crate) fn finish(&mut self, agreement: &Agreement, out: &mut Out<'_>) {
        if let Some(exchange) = self.exchange.take() {
            exchange.emit(0, None, agreement, out);
        }
    }

    /// MS-CIFS §2.2.4.52.1: names of dialects, a byte 2 before each.
    fn offer(&mut self, message: &Message<'_>, agreement: &mut Agreement) -> Outcome {
        let mut offer = Offer::default();
        let mut left = message.data;
        while let Some((2, rest)) = left.split_first()
            && offer.dialects.len() < DIALECTS_MAX
        {
            let end = memchr(0, rest).unwrap_or(rest.len());
            offer.dialects.push(oem(part(rest, 0, end), DIALECT_MAX).text);
            left = rest.get(end + 1..).unwrap_or_default();
        }
        let smb2 = offer.dialects.iter().any(|dialect| dialect.starts_with(b"SMB 2"));
        self.first = agreement.offered.len();
        agreement.offered(offer);
        if smb2 { Outcome::OffersSmb2 } else { Outcome::Other }
    }

    /// MS-CIFS §2.2.4.52.2: the number of the dialect.
    fn choice(&self, message: &Message<'_>, agreement: &mut Agreement) {
        let Some(number) = u16_at(message.words, 0) else {
            return;
        };
        let chosen = agreement.offered.get(self.first.saturating_add(number.into()));
        agreement.dialect = chosen.cloned();
        let mode = if message.words.len() > 26 { u8_at(message.words, 2) } else { None };
        agreement.signing_required |= mode.is_some_and(|mode| mode & 8 != 0);
    }

    /// MS-CIFS §2.2.4.53.1, and MS-SMB §2.2.4.6.1 where a security token takes the place of passwords.
    fn request(&mut self, message: &Message<'_>) {
        let exchange = self.exchange.get_or_insert_default();
        let length = |at| u16_at(message.words, at).map_or(0, usize::from);
        let before = match message.words.len() {
            24 => {
                exchange.take(Proof::of_token(part(message.data, 0, length(14))));
                return;
            }
            20 => length(14),
            26 => length(14) + length(16),
            _ => return,
        };
        let mut texts = Texts::new(message, before);
        let user = texts.next();
        let domain = texts.next();
        exchange.take_plain(Authenticate {
            anonymous: user.is_empty(),
            user,
            domain,
            ..Authenticate::default()
        });
    }

    /// MS-CIFS §2.2.4.53.2.
    fn reply(&mut self, message: &Message<'_>, agreement: &Agreement, out: &mut Out<'_>) {
        let mut exchange = self.exchange.take().unwrap_or_default();
        if message.words.len() == 8 {
            let length = u16_at(message.words, 6).map_or(0, usize::from);
            exchange.take(Proof::of_token(part(message.data, 0, length)));
        }
        if message.status == names::MORE_PROCESSING_REQUIRED {
            self.exchange = Some(exchange);
            return;
        }
        let guest = u16_at(message.words, 4).is_some_and(|action| action & 1 != 0);
        let decision = Decision { status: message.status, guest, ..Decision::default() };
        exchange.emit(message.user_id.into(), Some(decision), agreement, out);
        // Until it is known who the client is, there may be more.
        self.over = message.status == names::SUCCESS && exchange.names_client();
    }
}

/// A message.
struct Message<'a> {
    command: u8,
    reply: bool,
    unicode: bool,
    status: u32,
    user_id: u16,
    words: &'a [u8],
    /// What follows the words, and where it starts in the message.
    data: &'a [u8],
    data_at: usize,
}

impl<'a> Message<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let count = usize::from(u8_at(bytes, 32)?) * 2;
        let words = part(bytes, WORDS, count);
        let data_at = WORDS + count + 2;
        let length = u16_at(bytes, data_at - 2)?;
        Some(Self {
            command: u8_at(bytes, 4)?,
            status: u32_at(bytes, 5)?,
            reply: u8_at(bytes, 9)? & 0x80 != 0,
            unicode: u16_at(bytes, 10)? & 0x8000 != 0,
            user_id: u16_at(bytes, 28)?,
            words,
            data: part(bytes, data_at, length.into()),
            data_at,
        })
    }
}

/// Texts that end with NUL, one after the other.
struct Texts<'a> {
    left: &'a [u8],
    unicode: bool,
}

impl<'a> Texts<'a> {
    /// Those behind the first `before` bytes of the data; in Unicode they start at an even place.
    fn new(message: &Message<'a>, before: usize) -> Self {
        let odd = (message.data_at + before) % 2;
        let before = if message.unicode { before + odd } else { before };
        Self { left: message.data.get(before..).unwrap_or_default(), unicode: message.unicode }
    }

    fn next(&mut self) -> Name {
        let (end, width) = match self.unicode {
            true => (self.left.chunks_exact(2).position(|unit| unit == [0, 0]).map(|at| at * 2), 2),
            false => (memchr(0, self.left), 1),
        };
        let end = end.unwrap_or(self.left.len());
        let text = part(self.left, 0, end);
        self.left = self.left.get(end + width..).unwrap_or_default();
        if self.unicode { utf16(text, NAME_MAX) } else { oem(text, NAME_MAX) }
    }
}
