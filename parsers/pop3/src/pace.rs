//! Who of the two was ahead.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;

/// Knows whether the server had said what is read of it before the client said what it answers.
///
/// The parser is polled whenever something of a side has come, and reads until it has to wait. In the poll
/// that ended a wait for the client, all that it reads of the server was there before. That follows from the
/// order in which the sides spoke; what is there of a side, or not yet, would depend on how its bytes are
/// cut.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    polls: Cell<u64>,
    /// The poll that ended the last wait for the client.
    client_came: Cell<u64>,
}

impl Pace {
    /// Runs the conversation and counts its polls.
    pub(crate) async fn count<T>(&self, conversation: impl Future<Output = T>) -> T {
        let mut conversation = pin!(conversation);
        poll_fn(|cx| {
            self.polls.set(self.polls.get().wrapping_add(1));
            conversation.as_mut().poll(cx)
        })
        .await
    }

    /// Waits for something of the client.
    pub(crate) async fn client<T>(&self, read: impl Future<Output = T>) -> T {
        let before = self.polls.get();
        let read = read.await;
        if self.polls.get() != before {
            self.client_came.set(self.polls.get());
        }
        read
    }

    /// Whether what is read of the server now was there before the client's last bytes.
    pub(crate) fn server_was_ahead(&self) -> bool {
        self.client_came.get() == self.polls.get()
    }
}
