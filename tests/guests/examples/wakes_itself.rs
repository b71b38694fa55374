//! Wakes itself for ever: an executor that polls while it is woken must still be stopped.

use std::future::poll_fn;
use std::task::Poll;

use flowcell_sdk::prelude::*;

/// Is always about to be ready.
#[parser(name = "wakes_itself", tcp = [9])]
async fn wakes_itself(_flow: Flow) -> Result<()> {
    poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
