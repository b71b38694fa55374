//! IMAP and the mails that it carries.
//!
//! RFC 9051 and RFC 3501 with IDLE (2177), STARTTLS (2595), LITERAL+ and LITERAL- (7888), MULTIAPPEND
//! (3502), BINARY (3516), COMPRESS (4978) and SASL-IR (4959).
//!
//! Both sides may speak at any time: two halves read them, and what they share is in `talk`. The client
//! half reads commands and what is to be appended, the server half reads responses and what was
//! fetched; tags tell which response completes which command. Only where the client has to wait for the
//! server (a literal, an authentication, the switch to TLS or to compression) does its half wait as well.

mod client;
mod command;
mod fetch;
mod items;
mod literal;
mod records;
mod response;
mod server;
mod session;
mod talk;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::client::Client;
use crate::records::{Command, Mail};
use crate::server::Server;
use crate::session::Session;
use crate::talk::{Course, Talk};

/// The Internet Message Access Protocol: commands with their responses, and the mails that are fetched
/// and appended.
#[parser(
    name = "imap",
    tcp = [143],
    client = r"^[A-Za-z0-9.]+ (?i:CAPABILITY|STARTTLS|(?:LOGIN|AUTHENTICATE|ID) [^\r\n]+)\r?\n",
    server = r"^\* (?:OK|PREAUTH)[ \r]",
    records = [Mail, Command],
)]
async fn imap(mut flow: Flow) -> Result<()> {
    let midstream = flow.info().midstream;
    let (mut client, mut server) = flow.streams();
    let talk = Talk::new(Session::new(&flow));
    let course = {
        let mut speaking = pin!(Client::new(&mut client, &talk, &flow).speak());
        let mut listening = pin!(Server::new(&mut server, &talk, midstream).speak());
        let (mut client_ended, mut server_ended) = (false, false);
        poll_fn(|cx| {
            if !client_ended {
                match speaking.as_mut().poll(cx) {
                    Poll::Ready(Ok(Course::GoesOn)) => client_ended = true,
                    Poll::Pending => {}
                    over => return over,
                }
            }
            if !server_ended {
                match listening.as_mut().poll(cx) {
                    Poll::Ready(Ok(Course::GoesOn)) => {
                        server_ended = true;
                        if !client_ended {
                            cx.waker().wake_by_ref(); // the client half may wait for the server
                        }
                    }
                    Poll::Pending => {}
                    over => return over,
                }
            }
            if client_ended && server_ended {
                return Poll::Ready(Ok(Course::GoesOn));
            }
            Poll::Pending
        })
        .await?
    };
    talk.finish()?;
    match course {
        Course::Tls => Err(Error::switch_to("tls")),
        Course::GoesOn | Course::Over => Ok(()),
    }
}
