//! SIP over UDP and TCP, and the media that it sets up.
//!
//! RFC 3261, and of the session descriptions in its messages (RFC 4566) what says where media go. A
//! message is taken line by line, from a datagram or from a stream, and told as soon as it is whole: the
//! two sides send requests and replies alike.

mod header;
mod message;
mod records;
mod sdp;
mod start;
mod stream;
mod text;
mod transactions;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::message::{Message, Next};
use crate::start::Start;
use crate::text::trim;
use crate::transactions::Transactions;

/// Most datagrams that are no SIP before the first that is; keep-alives do not count.
const FOREIGN_MAX: usize = 8;

/// What the two sides share.
struct Conversation<'f> {
    flow: &'f Flow,
    transactions: RefCell<Transactions>,
    /// A message was seen.
    known: Cell<bool>,
}

impl<'f> Conversation<'f> {
    fn new(flow: &'f Flow) -> Self {
        Self { flow, transactions: RefCell::default(), known: Cell::new(false) }
    }

    fn confirm(&self) {
        self.known.set(true);
        self.flow.confirm();
    }

    fn is_known(&self) -> bool {
        self.known.get()
    }

    fn end(&self) -> Result<()> {
        if self.is_known() { Ok(()) } else { Err(Error::decline("neither side speaks SIP")) }
    }

    fn emit(&self, side: Side, message: &Message, ignored_bytes: u64) {
        let number = self.transactions.borrow_mut().number_of(message);
        message.emit(self.flow, side == self.flow.info().originator, number, ignored_bytes);
    }
}

/// The Session Initiation Protocol: requests, replies, and the media that they agree on.
#[parser(
    name = "sip",
    tcp = [5060, 5061],
    udp = [5060, 5061],
    client = [
        r"^[\r\n\x00]{0,8}[A-Za-z]{3,20} +(?i:sips?|tel|urn|im|pres):[^\r\n]+ (?i:SIP)/2\.0[ \r\n]",
        r"^[\r\n\x00]{0,8}(?i:SIP)/2\.0 +[1-6][0-9][0-9][ \r\n]",
    ],
    server = [
        r"^[\r\n\x00]{0,8}[A-Za-z]{3,20} +(?i:sips?|tel|urn|im|pres):[^\r\n]+ (?i:SIP)/2\.0[ \r\n]",
        r"^[\r\n\x00]{0,8}(?i:SIP)/2\.0 +[1-6][0-9][0-9][ \r\n]",
    ],
    udp_client = [
        r"^[\r\n\x00]{0,8}[A-Za-z]{3,20} +(?i:sips?|tel|urn|im|pres):[^\r\n]+ (?i:SIP)/2\.0[ \r\n]",
        r"^[\r\n\x00]{0,8}(?i:SIP)/2\.0 +[1-6][0-9][0-9][ \r\n]",
    ],
    udp_server = [
        r"^[\r\n\x00]{0,8}[A-Za-z]{3,20} +(?i:sips?|tel|urn|im|pres):[^\r\n]+ (?i:SIP)/2\.0[ \r\n]",
        r"^[\r\n\x00]{0,8}(?i:SIP)/2\.0 +[1-6][0-9][0-9][ \r\n]",
    ],
    records = [records::Message],
)]
async fn sip(flow: Flow) -> Result<()> {
    match flow.info().transport {
        Transport::Udp => datagrams(flow).await,
        Transport::Tcp => streams(flow).await,
    }
}

/// RFC 3261 §18.3: over UDP, a message is a datagram.
async fn datagrams(mut flow: Flow) -> Result<()> {
    let mut datagrams = flow.datagrams();
    let conversation = Conversation::new(&flow);
    let mut foreign = 0usize;
    // Of the client and of the server.
    let mut ignored = [0u64; 2];
    loop {
        let datagram = match datagrams.next().await {
            Ok(Some(datagram)) => datagram,
            Ok(None) => break,
            // The capture has cut the datagram before this; what was there of it was read.
            Err(ReadError::Gap(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let [client, server] = &mut ignored;
        let ignored = if datagram.side == Side::Client { client } else { server };
        if let Some(message) = read(datagram.bytes, flow.secrets()) {
            conversation.confirm();
            conversation.emit(datagram.side, &message, std::mem::take(ignored));
            continue;
        }
        *ignored = ignored.saturating_add(datagram.bytes.len() as u64);
        let is_keep_alive = datagram.bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0));
        foreign = foreign.saturating_add(usize::from(!is_keep_alive));
        if !conversation.is_known() && foreign > FOREIGN_MAX {
            break;
        }
    }
    conversation.end()
}

/// Reads a datagram. Keep-alives may stand before the message.
fn read(datagram: &[u8], secrets: Secrets) -> Option<Message> {
    let mut rest = datagram;
    let start = loop {
        let line = trim(next_line(&mut rest)?);
        if let Some(start) = Start::parse(line, secrets) {
            break start;
        }
        if line.iter().any(|byte| *byte != 0) {
            return None;
        }
    };
    let mut message = Message::new(start, secrets);
    loop {
        let Some(line) = next_line(&mut rest) else {
            message.cut_header();
            break;
        };
        if message.header_line(line, true) != Next::Header {
            break;
        }
    }
    // RFC 3261 §18.3: what is longer than was said is left out.
    let length = message.declared().and_then(|length| usize::try_from(length).ok());
    let body = length.and_then(|length| rest.get(..length)).unwrap_or(rest);
    message.incomplete |= message.declared().is_some_and(|length| length > body.len() as u64);
    message.body_seen = body.len() as u64;
    let mut rest = body;
    while message.wants_body()
        && let Some(line) = next_line(&mut rest)
    {
        message.body_line(line);
    }
    Some(message)
}

/// The next line without its end, which may be missing. `None` if nothing is left.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if rest.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    let (line, behind) = rest.split_at(end);
    *rest = behind;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Over TCP, each side is a stream of messages.
async fn streams(mut flow: Flow) -> Result<()> {
    let (mut client, mut server) = flow.streams();
    let conversation = Conversation::new(&flow);
    let mut from_client = pin!(stream::messages(&mut client, &conversation));
    let mut from_server = pin!(stream::messages(&mut server, &conversation));
    let (mut client_ended, mut server_ended) = (false, false);
    poll_fn(|cx| {
        if !client_ended && let Poll::Ready(result) = from_client.as_mut().poll(cx) {
            client_ended = true;
            result?;
        }
        if !server_ended && let Poll::Ready(result) = from_server.as_mut().poll(cx) {
            server_ended = true;
            result?;
        }
        if client_ended && server_ended { Poll::Ready(Ok(())) } else { Poll::<Result<()>>::Pending }
    })
    .await?;
    conversation.end()
}
