//! Is found by nothing but its name, and tells of each line.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;
use flowcell_test_guests::orders::orders;

/// Does as told, and talks.
#[parser(name = "nameless", records = [Note])]
async fn nameless(flow: Flow) -> Result<()> {
    orders(flow, "nameless", true).await
}
