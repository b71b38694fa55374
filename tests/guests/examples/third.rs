//! Knows flows by how they begin, and tells of each line: the third of three that know the same flows.

use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;
use flowcell_test_guests::orders::orders;

/// Does as told, and talks.
#[parser(
    name = "third",
    tcp = [91],
    udp = [91],
    client = "^HEY ",
    server = "^hey ",
    udp_client = "^HEY ",
    udp_server = "^hey ",
    records = [Note],
)]
async fn third(flow: Flow) -> Result<()> {
    orders(flow, "third", true).await
}
