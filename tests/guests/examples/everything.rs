//! Says that it knows everything, and never says more: what it gets, nobody else gets.

use flowcell_sdk::prelude::*;

/// Reads both sides to their ends.
#[parser(name = "everything", client = "^.", server = "^.", udp_client = "^.", udp_server = "^.")]
async fn everything(mut flow: Flow) -> Result<()> {
    let (mut client, mut server) = flow.streams();
    while client.rest().await?.is_some() {}
    while server.rest().await?.is_some() {}
    Ok(())
}
