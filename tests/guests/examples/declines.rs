//! Says that the protocol is somebody else's.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;

/// Declines after a line.
#[parser(name = "declines", tcp = [9], records = [Note])]
async fn declines(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    Err(Error::decline("it does not say please"))
}
