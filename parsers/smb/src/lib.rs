//! SMB: who logs on to which server, which shares they use, and what they do with files.
//!
//! SMB 2 and 3 (MS-SMB2) over TCP and over the NetBIOS session service (RFC 1002), with what NTLM
//! (MS-NLMP) says of names. SMB 1 (MS-SMB) is followed until a session is set up. What is encrypted is
//! counted.
//!
//! Both sides are read concurrently and never wait for each other: `framing` cuts them into
//! messages, `request` and `reply` read what is of interest in these, `pending` brings the two
//! together by their message ids, and the `conversation` makes of them sessions, trees and files. Payloads
//! are skipped, so that the host need not deliver them.

mod conversation;
mod files;
mod framing;
mod header;
mod names;
mod netbios;
mod ntlm;
mod out;
mod pending;
mod records;
mod reply;
mod request;
mod sessions;
mod smb1;
mod spnego;
mod text;
mod trees;
mod wire;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::mem::ManuallyDrop;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::conversation::Conversation;
use crate::framing::{Course, listen};
use crate::records::{Connection, File, Session, Tree};

/// Server Message Block, versions 2 and 3: log-ons with NTLM, shares, and files with what was read and
/// written. Of version 1, log-ons.
#[parser(
    name = "smb",
    tcp = [445, 139],
    // A message; a call of a NetBIOS name and the answers to it.
    client = [r"^\x00...[\xFC-\xFF]SMB", r"^\x81\x00\x00\x44\x20[A-P]{32}\x00\x20[A-P]{32}\x00"],
    server = [r"^\x00...[\xFC-\xFF]SMB", r"^\x82\x00\x00\x00\x00...\xFFSMB"],
    records = [Session, Tree, File, Connection],
)]
async fn smb(mut flow: Flow) -> Result<()> {
    let midstream = flow.info().midstream;
    let (mut client, mut server) = flow.streams();
    // Neither this nor the halves are ever dropped: the sandbox frees them.
    let conversation = ManuallyDrop::new(RefCell::new(Conversation::new(&flow)));
    let mut halves = [&mut client, &mut server]
        .map(|stream| Some(ManuallyDrop::new(Box::pin(listen(stream, &conversation, midstream)))));
    let outcome = poll_fn(|cx| {
        for half in &mut halves {
            if let Some(reading) = half {
                match reading.as_mut().poll(cx) {
                    Poll::Ready(Ok(Course::Ended)) => *half = None,
                    Poll::Ready(over) => return Poll::Ready(over),
                    Poll::Pending => {}
                }
            }
        }
        match halves.iter().any(Option::is_some) {
            true => Poll::Pending,
            false => Poll::Ready(Ok(Course::Ended)),
        }
    })
    .await;
    if !conversation.borrow().is_confirmed() {
        outcome?;
        return Err(Error::decline("neither side speaks SMB"));
    }
    conversation.borrow_mut().finish();
    outcome.map(drop)
}
