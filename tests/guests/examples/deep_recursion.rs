//! Calls itself until the stack ends.

use flowcell_sdk::prelude::*;

/// Recurses once for almost every number there is.
#[parser(name = "deep_recursion", tcp = [9])]
async fn deep_recursion(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    let byte = client.read_u8().await?;
    let sum = dive(u64::from(byte));
    Err(Error::violation(format!("came back up with {sum}")))
}

/// Needs no memory of its own, so that nothing but the call stack grows.
#[inline(never)]
fn dive(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    dive(depth + 1).rotate_left(7) ^ depth
}
