//! Emits a record of a kind that it has not described.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::{Note, host};

/// Record 7 of 1.
#[parser(name = "unknown_record", tcp = [9], records = [Note])]
async fn unknown_record(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    host::emit(7, b"\x82\x61a\x01");
    Ok(())
}
