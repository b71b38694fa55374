//! Who is client and who is server, where the connection's opening does not say it, or says it wrongly.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::start_line::{PREFIX, starts_with_method};

/// Bytes by which a role is recognised: a response's version, or one of the common methods and a space.
const START: usize = 8;

/// How a conversation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Roles {
    /// The client is who was taken for the server.
    pub(crate) swapped: bool,
    /// The server speaks first.
    pub(crate) server_first: bool,
}

/// Looks whether whoever speaks first speaks as the other side does: the client starts with a
/// response, or the server with a request. Waits for no more than it takes to see that, and for nothing
/// once the other side has spoken.
pub(crate) async fn look(client: &mut ByteStream, server: &mut ByteStream) -> Roles {
    let one = first(client, 1, server).await;
    let swapped = match one {
        Some(Side::Client) => {
            first(client, START, server).await == one
                && starts(client, |bytes| bytes.starts_with(PREFIX)).await
        }
        Some(Side::Server) => {
            first(server, START, client).await == one && starts(server, starts_with_method).await
        }
        None => false,
    };
    Roles { swapped, server_first: (one == Some(Side::Server)) != swapped }
}

/// Whether `one` says so many bytes before the other says anything. Neither if a gap or the end comes
/// before that.
async fn first(one: &mut ByteStream, count: usize, other: &mut ByteStream) -> Option<Side> {
    let sides = [one.side(), other.side()];
    let mut from_one = pin!(one.look_ahead(count));
    let mut from_other = pin!(other.look_ahead(1));
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = from_one.as_mut().poll(cx) {
            return Poll::Ready(outcome.is_ok().then_some(sides[0]));
        }
        from_other.as_mut().poll(cx).map(|outcome| outcome.is_ok().then_some(sides[1]))
    })
    .await
}

async fn starts(stream: &mut ByteStream, is: fn(&[u8]) -> bool) -> bool {
    stream.look_ahead(START).await.is_ok_and(is)
}
