//! Captures as they lie on disks: split over files, in folders, compressed. However it is cut up and
//! packed, the same traffic gives the same records.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod compressed;
mod folders;
mod merged;

use std::path::Path;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};

/// Length of a pcap file's header and of a record's, in bytes.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// Three conversations at the same time, so that every file that is cut from it has a part of each.
fn traffic() -> Pcap {
    let conversation = |port: u16| {
        let flow = Conversation::tcp(port, 7).open();
        let text: Vec<u8> =
            (0..4000_u32).map(|at| (at * u32::from(port)).to_be_bytes()[2]).collect();
        flow.send_cut(Client, &text, 700).send_cut(Server, &text, 900).close()
    };
    Pcap::of(&[conversation(4000), conversation(4001), conversation(4002)])
}

/// The records of a capture, with their headers.
fn records(pcap: &Pcap) -> Vec<&[u8]> {
    let mut rest = &pcap.bytes()[FILE_HEADER..];
    let mut records = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().expect("four bytes"));
        let (record, more) = rest.split_at(RECORD_HEADER + length as usize);
        records.push(record);
        rest = more;
    }
    records
}

/// A capture of these records.
fn capture(records: &[&[u8]]) -> Vec<u8> {
    [&Pcap::new(1).bytes()[..FILE_HEADER], &records.concat()].concat()
}

/// The records of `flowcell streams` over these files.
fn streams<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Run {
    let files = files.into_iter().map(|file| file.as_ref().as_os_str().to_owned());
    Run::of(flowcell(["streams", "-q", "-r"]).args(files))
}

/// The run went well and wrote what the other one did.
#[track_caller]
fn assert_same(run: &Run, expected: &Run) {
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.stdout, expected.stdout);
    assert_eq!(run.of_type("stream").len(), 6, "{}", run.stdout);
}
