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

use std::mem::ManuallyDrop;

use flowcell_halves::converse;
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
    let speaking = Client::new(&mut client, &talk, midstream).speak();
    let listening = Server::new(&mut server, &talk, midstream).listen();
    let outcome = converse(speaking, listening, |()| true).await;
    talk.finish();
    outcome?;
    if !talk.is_confirmed() {
        return Err(Error::decline("neither side speaks HTTP"));
    }
    Ok(())
}
