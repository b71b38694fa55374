//! Digests that the host computes: those of FIPS 180-4, whatever happens to the cell meanwhile.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::{Conversation, Pcap};
use sha2::{Digest as _, Sha256};

use super::{notes, run_pcap};

/// What the parser is to tell of one side.
fn digests(bytes: &[u8]) -> Vec<String> {
    let mut digests: [Sha256; 8] = Default::default();
    for byte in bytes {
        digests.rotate_left(1);
        digests[0].update([*byte]);
    }
    let hex = |digest: Sha256| digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    digests.into_iter().map(hex).collect()
}

/// All of them are at work at a time, and hold some bytes that are no whole block.
#[test]
fn sixteen_at_a_time_of_cells_that_are_parked() {
    let bytes = |start: u8| {
        let mut byte = start;
        std::iter::repeat_with(move || {
            byte = byte.wrapping_mul(41).wrapping_add(7);
            byte
        })
        .take(9000)
    };
    let [client, server] = [bytes(0), bytes(1)].map(Iterator::collect::<Vec<u8>>);
    let mut flow = Conversation::tcp(4000, 92).open();
    for (mine, others) in client.chunks(700).zip(server.chunks(700)) {
        flow = flow.send(Client, mine).send(Server, others);
    }
    let pcap = Pcap::of(&[flow.close()]);
    let expected = [digests(&client), digests(&server)].concat();
    for mode in ["park", "alone"] {
        let counted = run_pcap(&["digests"], &pcap, &["--cell-mode", mode], "");
        assert_eq!(notes(&counted.run, "digests"), expected, "{mode}");
        let parks = counted.stats["parsers"]["parks"].as_u64().expect("a counter");
        assert_eq!(parks > 20, mode == "park", "{parks} parks");
    }
}
