//! HTTP/1.1, 1.0 and 0.9.
//!
//! RFC 9110 (semantics) and RFC 9112 (messages). Two halves read the two sides concurrently and meet in
//! `talk`: the client half runs ahead of the responses as far as the client did (pipelining), the
//! server half gives each response to its request. Bodies pass through a digest and are never held;
//! content codings are not undone. What stops being HTTP is handed over: tunnels behind CONNECT, and
//! what Upgrade agrees on.

mod anomalies;
mod basic;
mod body;
mod client;
mod codings;
mod emit;
mod framing;
mod hand_over;
mod header;
mod message;
mod records;
mod roles;
mod scan;
mod server;
mod shown;
mod start_line;
mod state;
mod talk;
mod target;
mod text;

use std::future::{Future, poll_fn};
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::client::Client;
use crate::records::Transaction;
use crate::server::Server;
use crate::talk::Talk;

/// The Hypertext Transfer Protocol, versions 0.9 to 1.1: requests with their responses.
#[parser(
    name = "http",
    tcp = [80, 81, 3128, 8000, 8008, 8080, 8888],
    client = [r"^(GET|POST|HEAD|PUT|OPTIONS) (/|https?://)", r"^[A-Za-z][!-~]{0,31} [^\r\n]+ HTTP/1\."],
    server = r"^HTTP/1\.[01] [1-9][0-9][0-9]",
    records = [Transaction]
)]
async fn http(mut flow: Flow) -> Result<()> {
    let midstream = flow.info().midstream;
    let (mut client, mut server) = flow.streams();
    let roles = roles::look(&mut client, &mut server).await;
    if roles.swapped {
        (client, server) = (server, client);
    }
    // Like the halves, never dropped: the sandbox frees it.
    let talk = ManuallyDrop::new(Talk::new(&flow, roles.server_first));
    let mut speaking = undropped(Client::new(&mut client, &talk, midstream).speak());
    let mut listening = undropped(Server::new(&mut server, &talk, midstream).listen());
    // The client half is polled first: when a response is read, all that was asked before is known.
    let mut client_ended = false;
    let outcome = poll_fn(|cx| {
        if !client_ended {
            match speaking.as_mut().poll(cx) {
                Poll::Ready(Ok(())) => client_ended = true,
                Poll::Pending => {}
                over => return over,
            }
        }
        listening.as_mut().poll(cx)
    })
    .await;
    talk.finish();
    outcome?;
    if !talk.is_confirmed() {
        return Err(Error::decline("neither side speaks HTTP"));
    }
    Ok(())
}

/// A half that is never dropped. A flow is over with its parser, and the sandbox frees all of it at once:
/// what would drop a half midway would be code for nothing. Natively, only tests run this.
fn undropped<F: Future>(half: F) -> ManuallyDrop<Pin<Box<F>>> {
    ManuallyDrop::new(Box::pin(half))
}
