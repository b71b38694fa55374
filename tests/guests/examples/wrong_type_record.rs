//! Emits a record whose second field is of another type than described.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::{Note, host};

/// `["a", true]` where the schema says text and unsigned.
#[parser(name = "wrong_type_record", tcp = [9], records = [Note])]
async fn wrong_type_record(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    host::emit(0, b"\x82\x61a\xf5");
    Ok(())
}
