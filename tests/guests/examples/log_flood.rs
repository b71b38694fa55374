//! Logs far more than anybody reads.

use flowcell_sdk::prelude::*;

/// A thousand lines for one of the client's, with control characters and at great length.
#[parser(name = "log_flood", tcp = [9])]
async fn log_flood(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    for number in 0..1000 {
        flow.log(Level::Warn, &format!("line {number}\x1b[2J {}", "é".repeat(2000)));
    }
    Ok(())
}
