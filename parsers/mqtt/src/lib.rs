//! MQTT 3.1, 3.1.1 and 5: sessions, messages and subscriptions.
//!
//! Both sides are read concurrently and independently: a packet says itself how long it is. What
//! belongs together (a message and its acknowledgement, a request and its answer) meets in the
//! `session`, which is bounded. Only the start of a payload is kept; the rest is never delivered.

mod body;
mod half;
mod head;
mod in_flight;
mod names;
mod pending;
mod properties;
mod records;
mod session;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::half::Half;
use crate::records::{Connect, Publish, Subscribe};
use crate::session::Session;

/// The messages of the Internet of Things: sessions, messages published, topics subscribed to.
#[parser(
    name = "mqtt",
    tcp = [1883],
    client = r"^\x10.{1,4}\x00[\x04\x06]MQ(TT|Isdp)",
    records = [Connect, Publish, Subscribe]
)]
async fn mqtt(mut flow: Flow) -> Result<()> {
    let midstream = flow.info().midstream;
    let (mut client, mut server) = flow.streams();
    let session = Session::new(&flow, midstream);
    let mut speaking = pin!(Half::new(&mut client, &session).follow(midstream));
    let mut listening = pin!(Half::new(&mut server, &session).follow(midstream));
    let (mut client_over, mut server_over) = (false, false);
    // The client half is polled first: the server half waits for what it finds out.
    let outcome = poll_fn(|cx| {
        if !client_over && let Poll::Ready(outcome) = speaking.as_mut().poll(cx) {
            client_over = true;
            session.client_is_over();
            outcome?;
        }
        if !server_over && let Poll::Ready(outcome) = listening.as_mut().poll(cx) {
            server_over = true;
            outcome?;
        }
        if client_over && server_over { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await;
    session.finish();
    if outcome.is_ok() && !session.is_confirmed() {
        return Err(Error::decline("neither side speaks MQTT"));
    }
    outcome
}
