//! Does what its client says: each is a way to end as no parser should.

use flowcell_sdk::prelude::*;

/// Obeys the client's first line.
#[parser(name = "faulty", tcp = [2, 3, 4], records = [])]
async fn faulty(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    match client.get_line().await?.bytes() {
        b"grow" => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 64 << 10]);
                std::hint::black_box(&hoard);
            }
        }
        b"spin" => loop {
            std::hint::black_box(());
        },
        line => panic!("no idea what {} bytes mean", line.len()),
    }
}
