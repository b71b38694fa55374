//! Panics at a line that it does not like.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;

/// Emits a record for the first line and panics at the second.
#[parser(name = "panic_in_poll", tcp = [9], records = [Note])]
async fn panic_in_poll(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    flow.emit(&Note::new("first line", 1));
    let line = client.get_line().await?;
    panic!("a line of {} bytes", line.bytes().len());
}
