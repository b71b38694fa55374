//! The handshake of SSH: everything that is said before encryption starts.
//!
//! RFC 4253 with RFC 4419 (group exchange), RFC 4432 (RSA), RFC 8308 (extension negotiation), RFC 9142
//! (algorithms of today), and what SSH-1 shows. HASSH as Salesforce defines it.
//!
//! Two halves read the two sides independently of each other, so that either may be missing; `known`
//! puts together what they have found. Nothing is read behind the first encrypted byte.

mod digest;
mod half;
mod handshake;
mod identification;
mod kexinit;
mod known;
mod records;
mod ssh1;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::half::Half;
use crate::known::Known;
use crate::records::Handshake;

/// The Secure Shell: versions, algorithms, host key and fingerprints of a handshake.
#[parser(
    name = "ssh",
    tcp = [22, 2222],
    client = r"^SSH-[12]\.",
    server = r"^SSH-[12]\.",
    records = [Handshake]
)]
async fn ssh(mut flow: Flow) -> Result<()> {
    let midstream = flow.info().midstream;
    let (mut client, mut server) = flow.streams();
    let known = Known::new(&flow);
    let mut speaking = pin!(Half::new(&mut client, &known, &known.client).listen(midstream));
    let mut listening = pin!(Half::new(&mut server, &known, &known.server).listen(midstream));
    let (mut client_over, mut server_over) = (false, false);
    let outcome = poll_fn(|cx| {
        if !client_over && let Poll::Ready(outcome) = speaking.as_mut().poll(cx) {
            client_over = true;
            outcome?;
        }
        if !server_over && let Poll::Ready(outcome) = listening.as_mut().poll(cx) {
            server_over = true;
            outcome?;
        }
        if known.is_complete() || (client_over && server_over) {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    })
    .await;
    if !known.is_confirmed() {
        return outcome.and(Err(Error::decline("neither side starts an SSH handshake")));
    }
    known.emit();
    outcome
}
