//! How the two halves of a parser wait for each other.
//!
//! A parser of a protocol in which both sides may be ahead has a half for each: a future that reads one side,
//! and tells what they share what it has found. Both are polled with every delivery, the client half first.
//! Nothing that they find may depend on how the bytes are cut, nor on which side was captured a little
//! earlier; so a half that needs the other [races](race) it against its own side, which it lets pile up as
//! far as it must, and takes turns with it where more than one unit is there at once.

use std::future::{Future, poll_fn};
use std::mem::ManuallyDrop;
use std::pin::pin;
use std::task::{Context, Poll};

use flowcell_sdk::{ByteStream, ReadError, Result};

/// Runs both halves until the server half is over, or the client half with something else than what
/// `goes_on`.
///
/// The client half is polled first: when the server half reads an answer, all that was asked before is known.
/// Neither is ever dropped. A flow is over with its parser, and the sandbox frees all of it at once: what
/// would drop a half midway would be code for nothing. Natively, only tests run this.
///
/// # Errors
/// Those of the halves.
pub fn converse<T>(
    client: impl Future<Output = Result<T>>,
    server: impl Future<Output = Result<T>>,
    goes_on: impl Fn(&T) -> bool,
) -> impl Future<Output = Result<T>> {
    let mut speaking = ManuallyDrop::new(Box::pin(client));
    let mut listening = ManuallyDrop::new(Box::pin(server));
    let mut client_ended = false;
    poll_fn(move |cx| {
        if !client_ended {
            match speaking.as_mut().poll(cx) {
                Poll::Ready(Ok(course)) if goes_on(&course) => client_ended = true,
                Poll::Pending => {}
                over => return over,
            }
        }
        listening.as_mut().poll(cx)
    })
}

/// What ended a race between what the halves share and a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raced {
    /// What was waited for is the case.
    Held,
    /// The stream holds back all that it may.
    Full,
    /// The stream has a gap.
    Torn,
}

/// Waits for `until`, or until `stream` holds back `room` bytes or has a gap; nothing is read. Behind the end
/// of the stream, only `until` counts.
pub async fn race(
    stream: &mut ByteStream,
    room: usize,
    mut until: impl FnMut(&Context<'_>) -> bool,
) -> Raced {
    let mut held_back = pin!(stream.look_ahead(room));
    let mut ended = false;
    poll_fn(|cx| {
        if until(cx) {
            return Poll::Ready(Raced::Held);
        }
        if !ended {
            match held_back.as_mut().poll(cx) {
                Poll::Ready(Ok(_)) => return Poll::Ready(Raced::Full),
                Poll::Ready(Err(ReadError::End(_))) => ended = true,
                Poll::Ready(Err(_)) => return Poll::Ready(Raced::Torn),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    })
    .await
}

/// Has both halves polled once more, the client half first: what one has found may let the other go on,
/// before the next bytes of the first are looked at.
pub async fn settle() {
    let mut polled = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Lets the other half go on as far as it can. `steps` counts what it does.
pub async fn catch_up(steps: impl Fn() -> u64) {
    loop {
        let before = steps();
        settle().await;
        if steps() == before {
            return;
        }
    }
}
