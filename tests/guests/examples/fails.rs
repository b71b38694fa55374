//! Says that the protocol is violated, at length.

use flowcell_sdk::prelude::*;

/// Fails at the first line.
#[parser(name = "fails", tcp = [9])]
async fn fails(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    flow.confirm();
    Err(Error::violation(format!("line\n{}", "é".repeat(1000))))
}
