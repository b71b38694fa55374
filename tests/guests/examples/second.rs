//! Knows flows by how they begin, and does as told: the second of three that know the same flows.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;
use flowcell_test_guests::orders::orders;

/// Does as told.
#[parser(
    name = "second",
    tcp = [90],
    udp = [90],
    client = "^HEY ",
    server = "^hey ",
    udp_client = "^HEY ",
    udp_server = "^hey ",
    records = [Note],
)]
async fn second(flow: Flow) -> Result<()> {
    orders(flow, "second", false).await
}
