//! Redis: commands and their replies.
//!
//! RESP2 and RESP3 as the Redis documentation specifies them ("Redis serialization protocol
//! specification"), inline commands, and what servers do beside answering: pub/sub, MONITOR, replication.
//!
//! Two halves read the two sides concurrently and meet in `talk`: the client half reads commands, the
//! server half gives each reply to its command, in order. Of a string, its start is kept; the rest is
//! never delivered. Values are read without recursion, whatever they nest.

mod client;
mod command;
mod counts;
mod inline;
mod number;
mod records;
mod server;
mod talk;
mod tell;
mod value;
mod words;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::client::Client;
use crate::records::{Command, Push};
use crate::server::Server;
use crate::talk::Talk;

/// The protocol of Redis and of those that speak it too: commands with their replies, messages of
/// channels.
#[parser(
    name = "redis",
    tcp = [6379],
    client = r"^\*\d+\r\n\$\d+\r\n[A-Za-z]",
    records = [Command, Push]
)]
async fn redis(mut flow: Flow) -> Result<()> {
    let midstream = flow.info().midstream;
    let (mut client, mut server) = flow.streams();
    let talk = Talk::new(&flow, midstream);
    let mut speaking = pin!(Client::new(&mut client, &talk).speak(midstream));
    let mut listening = pin!(Server::new(&mut server, &talk).listen());
    let (mut client_over, mut server_over) = (false, false);
    // The client half is polled first: when a reply is read, all that was said before is known.
    let outcome = poll_fn(|cx| {
        if !client_over && let Poll::Ready(outcome) = speaking.as_mut().poll(cx) {
            client_over = true;
            talk.client_is_over();
            outcome?;
        }
        if !server_over && let Poll::Ready(outcome) = listening.as_mut().poll(cx) {
            server_over = true;
            outcome?;
        }
        let over = talk.is_over() || (client_over && server_over);
        if over { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await;
    if !talk.is_confirmed() {
        return outcome.and(Err(Error::decline("no command of Redis was seen")));
    }
    talk.finish();
    outcome
}
