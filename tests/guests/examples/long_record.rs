//! Emits a record that is longer than a record may be.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;

/// The longest record that is allowed, then one byte more.
#[parser(name = "long_record", tcp = [9], records = [Note])]
async fn long_record(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    // The array's head, the text's head of 5 bytes and the number take 7 bytes.
    for length in [(256 << 10) - 7, (256 << 10) - 6] {
        flow.emit(&Note::new(&"x".repeat(length), 1));
    }
    Ok(())
}
