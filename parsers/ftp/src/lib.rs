//! FTP: the commands of the control connection, and the files of the data connections.
//!
//! RFC 959 with its extensions: 2228 (AUTH) and 4217 (TLS), 2428 (EPRT, EPSV), 2640, 3659. What RFC 1639
//! (LPRT, LPSV) says of data connections is not read.
//!
//! Two halves read the two sides of the control connection, line by line in order of arrival. The
//! `dialogue` gives each reply to its command; the `session` turns what they agree on into records, and
//! says which data connections are to come. Those come to this parser again, with what the session told
//! of them as their context.

mod address;
mod command;
mod data;
mod dialogue;
mod directory;
mod proof;
mod records;
mod reply;
mod session;
mod telnet;
mod transfer;
mod verb;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::command::Command;
use crate::dialogue::Dialogue;
use crate::reply::{Heard, Reply};
use crate::verb::Verb;

/// Most bytes that wait for the server's answer to AUTH TLS.
const HELD_MAX: usize = 8_192;

/// Shortest hello of TLS, and longest record (RFC 8446 §4 and §5.1), in bytes.
const HELLO_MIN: u16 = 4;
const RECORD_MAX: u16 = 1 << 14;

/// The File Transfer Protocol: commands with their replies, and the files that are moved.
#[parser(
    name = "ftp",
    tcp = [21, 2121],
    server = [
        r"^220[ -]",
        r"^(?:230|331) ",
        r"^227 [^\r\n]*[0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+",
        r"^229 [^\r\n]*\(\|",
    ],
    client = [
        r"^(?i:USER) [^\r\n]+\r?\n",
        r"^(?i:AUTH (?:TLS|SSL)|FEAT|SYST|PASV|EPSV|X?PWD|TYPE [AI])\r?\n",
        r"^(?i:PORT) [0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+\r?\n",
        r"^(?i:EPRT) \|[12]\|",
        r"^(?i:RETR|STOR|CWD|SIZE|MDTM|NLST|MLSD) [^\r\n]+\r?\n",
    ],
    records = [records::Command, records::File],
    expects = true,
)]
async fn ftp(flow: Flow) -> Result<()> {
    if flow.info().context.is_some() {
        return data::data(flow).await;
    }
    control(flow).await
}

async fn control(mut flow: Flow) -> Result<()> {
    let midstream = flow.info().midstream;
    let (mut client, mut server) = flow.streams();
    let dialogue = RefCell::new(Dialogue::new(&flow));
    {
        let mut speaking = pin!(speak(&mut client, &dialogue, &flow));
        let mut listening = pin!(listen(&mut server, &dialogue, midstream));
        let (mut client_ended, mut server_ended) = (false, false);
        poll_fn(|cx| {
            loop {
                if !client_ended && let Poll::Ready(result) = speaking.as_mut().poll(cx) {
                    client_ended = true;
                    result?;
                }
                if !server_ended && let Poll::Ready(result) = listening.as_mut().poll(cx) {
                    server_ended = true;
                    result?;
                }
                if client_ended && server_ended {
                    return Poll::Ready(Ok(()));
                }
                if !dialogue.borrow_mut().take_turn() {
                    return Poll::<Result<()>>::Pending;
                }
            }
        })
        .await?;
    }
    dialogue.into_inner().finish()
}

/// The client half: reads commands to the end.
async fn speak(
    client: &mut ByteStream,
    dialogue: &RefCell<Dialogue<'_>>,
    flow: &Flow,
) -> Result<()> {
    // The first line may be the rest of one.
    let mut torn = flow.info().midstream;
    loop {
        let may_be_tls = torn || client.offset() == 0 || dialogue.borrow().tls_is_near();
        if may_be_tls && tls_begins(client).await {
            return Err(dialogue.borrow_mut().tls_begins());
        }
        match Command::read(client, flow.secrets()).await {
            Ok(command) if torn && command.verb == Verb::Unknown => torn = false,
            Ok(command) => {
                torn = command.incomplete;
                let asks_for_tls = command.asks_for_tls();
                dialogue.borrow_mut().command(command)?;
                if asks_for_tls {
                    answer_to_auth(client, dialogue).await;
                }
            }
            Err(ReadError::Gap(_)) => {
                torn = true;
                dialogue.borrow_mut().commands_lost();
            }
            Err(_) => return dialogue.borrow_mut().client_ended(),
        }
    }
}

/// What the client sends after AUTH TLS depends on the answer. If none comes while it sends on, what it
/// sends tells.
async fn answer_to_auth(client: &mut ByteStream, dialogue: &RefCell<Dialogue<'_>>) {
    let one_sided = !dialogue.borrow().server_was_seen();
    let mut held_back = pin!(client.look_ahead(if one_sided { 1 } else { HELD_MAX }));
    poll_fn(|cx| {
        if !dialogue.borrow().awaits_tls() || held_back.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

/// The server half: reads replies to the end.
async fn listen(
    server: &mut ByteStream,
    dialogue: &RefCell<Dialogue<'_>>,
    midstream: bool,
) -> Result<()> {
    let mut torn = midstream;
    loop {
        let may_be_tls = torn || server.offset() == 0 || dialogue.borrow().tls_is_near();
        if may_be_tls && tls_begins(server).await {
            return Err(dialogue.borrow_mut().tls_begins());
        }
        match Reply::read(server).await {
            Ok(Heard::Reply(reply)) if torn && reply.code.is_none() => torn = false,
            Ok(Heard::Reply(reply)) => {
                torn = reply.incomplete;
                dialogue.borrow_mut().reply(reply)?;
                yield_turn(dialogue).await;
            }
            Ok(Heard::Noise) => {
                if !torn {
                    dialogue.borrow().noise()?;
                }
                torn = false;
            }
            Err(ReadError::Gap(_)) => {
                torn = true;
                dialogue.borrow_mut().replies_lost();
            }
            Err(_) => return dialogue.borrow_mut().server_ended(),
        }
    }
}

/// If the client half can go on, lets it: what it holds back was there before what the server says next.
async fn yield_turn(dialogue: &RefCell<Dialogue<'_>>) {
    let mut yielded = !dialogue.borrow().has_turn();
    poll_fn(
        |_| if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending },
    )
    .await;
}

/// A TLS handshake stands where a line should begin: a record of it (RFC 8446 §5.1), with the hello of a
/// client or a server (§4). Waits for no more than looks like one.
async fn tls_begins(stream: &mut ByteStream) -> bool {
    let mut length = 0u16;
    for count in 1..=6 {
        let Ok([.., byte]) = stream.look_ahead(count).await else {
            return false;
        };
        let fits = match count {
            1 => *byte == 22,
            2 => *byte == 3,
            3 => *byte <= 4,
            4 | 5 => {
                length = length << 8 | u16::from(*byte);
                count == 4 || (HELLO_MIN..=RECORD_MAX).contains(&length)
            }
            _ => matches!(byte, 1 | 2),
        };
        if !fits {
            return false;
        }
    }
    true
}
