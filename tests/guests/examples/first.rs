//! Knows flows by how they begin, and does as told: the first of three that know the same flows.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;
use flowcell_test_guests::orders::orders;

/// Does as told.
#[parser(
    name = "first",
    tcp = [9],
    udp = [9],
    client = "^HEY ",
    server = "^hey ",
    udp_client = "^HEY ",
    udp_server = "^hey ",
    records = [Note],
)]
async fn first(flow: Flow) -> Result<()> {
    orders(flow, "first", false).await
}
