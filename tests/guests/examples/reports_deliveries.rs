//! Emits a record for every delivery, so that tests see what a parser is given. The first byte of
//! the flow says what else it does: `s` skips 10 bytes of the client, `S` all that there can be,
//! `d` is done with the server.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let fields = vec![
            field("what", Kind::Text),
            field("side", Kind::Text),
            field("offset", Kind::Unsigned),
            field("bytes", Kind::Text),
        ];
        let records = vec![schema("delivery", fields)];
        Description { udp_ports: vec![9], ..description("reports_deliveries", records) }
    }

    fn open(_flow: WireFlow) {}

    fn poll(input: WireInput) -> WireProgress {
        match input {
            WireInput::Data(chunk) => {
                report("data", chunk.side, chunk.offset, &chunk.bytes);
                if chunk.offset == 0 {
                    obey(chunk.bytes.first());
                }
            }
            WireInput::Gap(gap) => {
                let text = gap.length.to_string();
                report("gap", gap.side, gap.offset, text.as_bytes());
            }
            WireInput::End(end) => {
                report("end", end.side, 0, format!("{:?}", end.reason).as_bytes())
            }
        }
        WireProgress::Pending
    }
}

fn obey(order: Option<&u8>) {
    match order {
        Some(b's') => host::skip(Side::Client, 10),
        Some(b'S') => {
            host::skip(Side::Client, u64::MAX);
            host::skip(Side::Client, u64::MAX);
        }
        Some(b'd') => host::done(Side::Server),
        _ => {}
    }
}

/// One record as CBOR: short strings and an unsigned of 64 bits.
fn report(what: &str, side: Side, offset: u64, bytes: &[u8]) {
    let side = match side {
        Side::Client => "client",
        Side::Server => "server",
    };
    let mut body = vec![0x84];
    for text in [what, side] {
        string(&mut body, text.as_bytes());
    }
    body.push(0x1b);
    body.extend_from_slice(&offset.to_be_bytes());
    string(&mut body, bytes);
    host::emit(0, &body);
}

fn string(body: &mut Vec<u8>, text: &[u8]) {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    body.extend_from_slice(&[0x78, length]);
    body.extend_from_slice(&text[..usize::from(length)]);
}

flowcell_test_guests::export_component!();
