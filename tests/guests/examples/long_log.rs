//! Logs a line that the host would have to copy for long.

use flowcell_sdk::prelude::*;

/// One line of 1 MiB.
#[parser(name = "long_log", tcp = [9])]
async fn long_log(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    flow.log(Level::Info, &"x".repeat(1 << 20));
    Ok(())
}
