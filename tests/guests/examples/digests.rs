//! Found by its name. Has the host make 16 digests of what each side says, byte by byte in turns, and tells
//! them at the end.

use flowcell_sdk::futures::try_join;
use flowcell_sdk::prelude::*;
use flowcell_sdk::{ByteStream, Sha256};
use flowcell_test_guests::Note;

/// Eight digests a side.
#[parser(name = "digests", tcp = [92], records = [Note])]
async fn digests(mut flow: Flow) -> Result<()> {
    let (mut client, mut server) = flow.streams();
    try_join!(digest(&flow, &mut client), digest(&flow, &mut server))?;
    Ok(())
}

async fn digest(flow: &Flow, stream: &mut ByteStream) -> Result<()> {
    let mut digests: [Sha256; 8] = std::array::from_fn(|_| Sha256::new());
    while let Some(byte) = stream.read_u8().await.or_end()? {
        digests.rotate_left(1);
        digests[0].update(&[byte]);
    }
    for (number, digest) in digests.into_iter().enumerate() {
        let text = digest.finish_hex();
        flow.emit(&Note { text: text.as_bytes().into(), number: number as u64 });
    }
    Ok(())
}
