//! Takes everything and reads nothing.

use flowcell_sdk::prelude::*;

/// Waits for what never comes.
#[parser(name = "never_reads", tcp = [9])]
async fn never_reads(_flow: Flow) -> Result<()> {
    std::future::pending().await
}
