//! Wants nothing.

use flowcell_sdk::prelude::*;

/// Is done with the first delivery.
#[parser(name = "ready_at_once", tcp = [9])]
async fn ready_at_once(_flow: Flow) -> Result<()> {
    Ok(())
}
