//! Hands every flow to itself, with all that it was given of it.

use flowcell_sdk::prelude::*;

/// Never reads anything.
#[parser(name = "itself", client = "^MYSELF")]
async fn itself(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.peek(6).await?;
    Err(Error::switch_to("itself"))
}
