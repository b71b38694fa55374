//! TLS and SSL: what a handshake shows before encryption hides the rest.
//!
//! RFC 8446 and 9846 (TLS 1.3), 5246 (1.2) and what these obsolete, 6101 (SSL 3.0), with their extensions: server
//! names (6066), ALPN (7301), tickets (5077), GREASE (8701), ECH (9849). DTLS is another protocol.
//!
//! ```text
//!   client ── layer ── messages ──┐                      ┌── client_hello, server_hello, key_exchange
//!                                 ├──► talk ── message ──┤
//!   server ── layer ── messages ──┘      │               └── chain ── x509
//!                                        └──► handshake: the record, with ja3 and ja4
//! ```
//!
//! The two sides are read concurrently and do not wait for each other, so that one of them may be missing.
//! A side is read until it encrypts, and the parser ends when both do: data is never read.

mod bytes;
mod chain;
mod ciphers;
mod client_hello;
mod digest;
mod handshake;
mod ja3;
mod ja4;
mod key_exchange;
mod layer;
mod messages;
mod names;
mod records;
mod server_hello;
mod sslv2;
mod talk;

use std::cell::RefCell;

use flowcell_sdk::futures::future::try_join;
use flowcell_sdk::prelude::*;

use crate::layer::Layer;
use crate::records::Handshake;
use crate::talk::Talk;

/// Transport Layer Security and its predecessors: the handshake, with certificates and fingerprints.
#[parser(
    name = "tls",
    tcp = [443, 465, 563, 585, 614, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 5223, 8443, 9001],
    client = [
        r"^\x16\x03[\x00-\x04][\x00-\x48].\x01", // a record with a ClientHello
        r"^[\x80-\xbf].\x01(\x03[\x00-\x03]|\x00\x02)", // the same in the form of SSL 2.0
    ],
    server = [
        r"^\x16\x03[\x00-\x04][\x00-\x48].\x02", // a record with a ServerHello
        r"^\x15\x03[\x00-\x04]\x00\x02[\x01\x02]", // an alert in its place
    ],
    records = [Handshake]
)]
async fn tls(mut flow: Flow) -> Result<()> {
    let (mut client, mut server) = flow.streams();
    let talk = RefCell::new(Talk::new(&flow));
    let sides = [Layer::new(Side::Client, &talk), Layer::new(Side::Server, &talk)];
    let outcome = try_join(sides[0].follow(&mut client), sides[1].follow(&mut server)).await;
    let talk = talk.borrow();
    if talk.confirmed {
        handshake::emit(&talk);
    }
    outcome?;
    if !talk.confirmed && talk.is_foreign() {
        return Err(Error::decline("no handshake was seen"));
    }
    Ok(())
}
