//! Emits without end.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;

/// The same record again and again.
#[parser(name = "record_flood", tcp = [9], records = [Note])]
async fn record_flood(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    let note = Note::new("", 1);
    loop {
        flow.emit(&note);
    }
}
