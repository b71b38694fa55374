//! Allocates and keeps what it gets.

use flowcell_sdk::prelude::*;

/// Takes 1 MiB at a time, for ever.
#[parser(name = "memory_bomb", tcp = [9])]
async fn memory_bomb(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    let mut kept = Vec::new();
    loop {
        kept.push(vec![0xaa_u8; 1 << 20]);
        std::hint::black_box(&kept);
    }
}
