//! Emits a record with a field too many.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::{Note, host};

/// `["a", 1, 2]` where the schema has two fields.
#[parser(name = "wrong_count_record", tcp = [9], records = [Note])]
async fn wrong_count_record(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    host::emit(0, b"\x83\x61a\x01\x02");
    Ok(())
}
