//! SMTP and the mails that it carries.
//!
//! RFC 5321 with its extensions: SIZE (1870), PIPELINING (2920), CHUNKING (3030), STARTTLS (3207), AUTH
//! (4954), 8BITMIME (6152), SMTPUTF8 (6531), and LMTP (2033).
//!
//! Two halves read the two sides concurrently and meet in `talk`: the client half runs ahead of the
//! replies as far as the client did, the server half gives each reply to its command. The
//! `session` turns what they agree on into records. The content of a message passes through the library
//! `flowcell_mail`, which knows nothing of SMTP; no body is ever held.

mod client;
mod command;
mod path;
mod records;
mod reply;
mod said;
mod session;
mod shown;
mod state;
mod talk;
mod verb;

use std::mem::ManuallyDrop;

use flowcell_halves::converse;
use flowcell_sdk::prelude::*;

use crate::client::Client;
use crate::records::{Command, Mail};
use crate::reply::{Heard, Reply};
use crate::said::Said;
use crate::session::Session;
use crate::state::Course;
use crate::talk::Talk;

/// The Simple Mail Transfer Protocol: commands with their replies, and mails with their attachments.
#[parser(
    name = "smtp",
    tcp = [25, 587, 2525],
    client = r"^(?i:EHLO|HELO|LHLO)[ \t][^\r\n]*\r?\n",
    server = r"^220[ -]",
    records = [Mail, Command],
)]
async fn smtp(mut flow: Flow) -> Result<()> {
    let midstream = flow.info().midstream;
    let (mut client, mut server) = flow.streams();
    // Like the halves, never dropped: the sandbox frees it.
    let talk = ManuallyDrop::new(Talk::new(Session::new(&flow)));
    talk.say(if midstream { Said::Lost } else { Said::Opening });
    let speaking = Client::new(&mut client, &talk, &flow).speak();
    let listening = listen(&mut server, &talk, midstream);
    let course = converse(speaking, listening, |course| *course == Course::GoesOn).await?;
    if talk.is_foreign() {
        return Err(Error::decline("neither side speaks SMTP"));
    }
    talk.finish();
    match course {
        Course::Tls => Err(Error::switch_to("tls")),
        _ => Ok(()),
    }
}

/// The server half: reads replies to the end, and then waits for the end of the client.
async fn listen(server: &mut ByteStream, talk: &Talk<'_>, midstream: bool) -> Result<Course> {
    // The first line may be the rest of one.
    let mut torn = midstream;
    loop {
        match Reply::read(server).await {
            Ok(Heard::Reply(reply)) => match talk.hear(&reply, server).await {
                Course::GoesOn => {}
                Course::Over => return Ok(Course::Over),
                // The client half says when.
                Course::Tls => std::future::pending().await,
                Course::Foreign => {
                    return Err(Error::decline("the server asks as none of SMTP does"));
                }
            },
            Ok(Heard::Noise) => {
                if talk.is_foreign() && !torn {
                    return Err(Error::decline("the server's first line is no reply"));
                }
                torn = false;
            }
            Err(ReadError::Gap(_)) => {
                torn = true;
                talk.replies_lost().await;
            }
            Err(_) => break,
        }
    }
    talk.server_ended().await;
    Ok(Course::GoesOn)
}
