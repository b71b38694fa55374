//! Reads lines and does nothing with them but count: what a delivery costs by itself.

use flowcell_sdk::prelude::*;

/// What there was of a flow.
#[derive(Debug, Record)]
pub struct Count {
    /// Lines of the client.
    pub lines: u64,
}

/// Counts the client's lines.
#[parser(name = "lines", tcp = [1], records = [Count])]
async fn lines(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    let mut lines = 0;
    while client.get_line().await.or_end()?.is_some() {
        lines += 1;
    }
    flow.emit(&Count { lines });
    Ok(())
}
