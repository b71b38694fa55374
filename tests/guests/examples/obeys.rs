//! Does what the bytes say: reads in all ways, skips, is done with a side, ends. It emits what came of
//! it, with the time, so that a test sees when a parser was given what.

use flowcell_sdk::ByteStream;
use flowcell_sdk::futures::join;
use flowcell_sdk::prelude::*;
use flowcell_test_guests::Note;

/// Both sides at once.
#[parser(name = "obeys", tcp = [9], records = [Note])]
async fn obeys(mut flow: Flow) -> Result<()> {
    let (mut client, mut server) = flow.streams();
    let (one, other) = join!(obey(&flow, &mut client), obey(&flow, &mut server));
    one.and(other)
}

async fn obey(flow: &Flow, stream: &mut ByteStream) -> Result<()> {
    loop {
        let order = match stream.read_u8().await {
            Err(ReadError::Gap(gap)) => {
                tell(flow, stream, b"gap");
                tell(flow, stream, gap.length.to_string().as_bytes());
                continue;
            }
            Err(ReadError::End(_)) => return Ok(()),
            order => order?,
        };
        let count = usize::from(order % 7) * 3 + 1;
        let result = match order / 7 % 12 {
            0..=2 => stream.get_line_max(60).await.map(|line| line.bytes().to_vec()),
            3 => stream.read_exact(count).await.map(<[u8]>::to_vec),
            4 => stream.peek(count).await.map(<[u8]>::to_vec),
            5 => stream.rest().await.map(|rest| rest.unwrap_or_default().to_vec()),
            6 => {
                stream.skip(count as u64 * 20);
                continue;
            }
            7 => stream.look_ahead(count).await.map(<[u8]>::to_vec),
            8 if order > 220 => {
                stream.done();
                continue;
            }
            9 if order > 230 => return Err(Error::violation("a bad order")),
            10 if order > 240 => return Ok(()),
            11 => {
                flow.confirm();
                continue;
            }
            _ => Ok(b"nothing".to_vec()),
        };
        match result {
            Ok(bytes) => tell(flow, stream, &bytes),
            Err(ReadError::End(_)) => return Ok(()),
            Err(_) => tell(flow, stream, b"no such bytes"),
        }
    }
}

fn tell(flow: &Flow, stream: &ByteStream, bytes: &[u8]) {
    let text = [&flow.now().0.to_string().into_bytes()[..], b": ", bytes].concat();
    flow.emit(&Note { text: text.into(), number: stream.offset() });
}
