//! Reads a line and never comes back.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;

/// Emits one record, then spins.
#[parser(name = "loop_in_poll", tcp = [9], records = [Note])]
async fn loop_in_poll(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    flow.confirm();
    flow.emit(&Note::new("before the loop", 1));
    loop {
        std::hint::spin_loop();
    }
}
