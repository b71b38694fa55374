//! Knows flows by how they begin, and says which flows are to come.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;
use flowcell_test_guests::orders::orders;

/// Does as told, and talks.
#[parser(name = "expecting", client = "^CONTROL ", expects = true, records = [Note])]
async fn expecting(flow: Flow) -> Result<()> {
    orders(flow, "expecting", true).await
}
