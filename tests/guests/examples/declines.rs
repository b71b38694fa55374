//! Says that the protocol is somebody else's.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;

/// Declines after one record, and wants to emit another one.
#[parser(name = "declines", tcp = [9], records = [Note])]
async fn declines(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    flow.emit(&Note::new("not for long", 1));
    Err(Error::decline("it does not say please"))
}
