//! Emits bytes that are no CBOR.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::{Note, host};

/// One good record, then one that is noise.
#[parser(name = "garbage_record", tcp = [9], records = [Note])]
async fn garbage_record(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    flow.emit(&Note::new("good", 1));
    host::emit(0, b"\xff\x00garbage");
    Ok(())
}
