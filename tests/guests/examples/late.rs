//! Knows flows by something that they say anywhere, and nobody knows when it has to be given up.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;
use flowcell_test_guests::orders::orders;

/// Does as told, and talks.
#[parser(name = "late", client = "^.*LATE", records = [Note])]
async fn late(flow: Flow) -> Result<()> {
    orders(flow, "late", true).await
}
