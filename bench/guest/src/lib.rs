//! Reads lines and does nothing with them: what a delivery costs by itself.

use flowcell_sdk::prelude::*;

/// Reads the client's lines.
#[parser(name = "lines", tcp = [1], records = [])]
async fn lines(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    while client.get_line().await.or_end()?.is_some() {}
    Ok(())
}
