//! Allocates and keeps what it gets.

use flowcell_sdk::prelude::*;

/// Takes 64 KiB at a time, for ever.
#[parser(name = "memory_bomb", tcp = [9])]
async fn memory_bomb(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    client.get_line().await?;
    let mut kept = Vec::new();
    loop {
        kept.push(vec![0xaa_u8; 64 << 10]);
        std::hint::black_box(&kept);
    }
}
