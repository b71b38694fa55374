//! POP3 and the mails that it hands out.
//!
//! RFC 1939 with its extensions: CAPA and pipelining (2449), STLS (2595), AUTH (5034), UTF8 and LANG
//! (6856).
//!
//! The server answers each command before it looks at the next (RFC 2449 §6.8), and so does this
//! parser: it reads a command, then the reply, then what the command has the server send. A client that
//! does not wait for replies only has its commands wait here. Where one side is missing from the
//! capture, the other one is read alone as soon as that is clear.

mod command;
mod content;
mod conversation;
mod pace;
mod records;
mod reply;
mod session;

use flowcell_sdk::prelude::*;

use crate::conversation::Conversation;
use crate::pace::Pace;
use crate::records::{Command, Mail};

/// The Post Office Protocol, version 3: commands with their replies, and mails with their attachments.
#[parser(
    name = "pop3",
    tcp = [110],
    client = r"^(?i:CAPA|STLS|APOP [^\r\n]+)\r?\n",
    server = r"^\+OK [^\r\n]*(?i:pop)",
    records = [Mail, Command],
)]
async fn pop3(mut flow: Flow) -> Result<()> {
    let midstream = flow.info().midstream;
    let (client, server) = flow.streams();
    let pace = Pace::default();
    pace.count(Conversation::new(&flow, &pace, client, server).run(midstream)).await
}
