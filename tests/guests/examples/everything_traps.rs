//! Says that it knows everything, and breaks down at once.

use flowcell_sdk::prelude::*;

/// Panics at the first byte.
#[parser(
    name = "everything_traps",
    client = "^.",
    server = "^.",
    udp_client = "^.",
    udp_server = "^."
)]
async fn everything_traps(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    if client.peek(1).await.is_ok() {
        panic!("it knows nothing");
    }
    Ok(())
}
