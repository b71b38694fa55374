//! What went over the data connections of FTP against the streams of the capture.

use std::net::SocketAddr;

use flowcell_tests::corpus::{Corpus, number, socket, text};
use flowcell_tests::talk::{Record, Sight, is_between};
use flowcell_tests::tally::{Outcome, Tally};
use serde_json::Value;

const KNOWN: &[(&str, &str, &str)] = &[];

#[test]
fn ftp_files_are_what_the_streams_hold() {
    let Some((corpus, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        compare(&mut tally, corpus, sight);
    }
    tally.check(KNOWN);
}

fn compare(tally: &mut Tally, corpus: &Corpus, sight: &Sight) {
    let name = &sight.name;
    let mut files: Vec<_> = sight.records.iter().filter(|it| it.ty == "ftp.file").collect();
    let mut theirs: Vec<u64> =
        sight.events.iter().filter(|it| it.proto == "ftp-data").map(|it| it.stream).collect();
    theirs.dedup();
    if files.is_empty() && theirs.is_empty() {
        return;
    }
    let streams = corpus.json(&format!("captures/{name}.tcp.json")).expect("the streams");
    for stream in streams["tcp"].as_array().into_iter().flatten() {
        let ends = ["/a", "/b"].map(|side| socket(text(stream, side)));
        let Some(found) = files.iter().position(|file| is_between(file.ends, ends)) else {
            if theirs.contains(&number(stream, "/stream")) {
                tally.add(name, "files", Outcome::Wrong(format!("only theirs: {ends:?}")));
            }
            continue;
        };
        let file = files.remove(found);
        tally.add(name, "files", Outcome::Agree);
        content(tally, name, file, stream, ends);
    }
    for file in files {
        tally.add(name, "files", Outcome::Wrong(format!("only ours: {:?}", file.ends)));
    }
}

fn content(tally: &mut Tally, name: &str, file: &Record, stream: &Value, ends: [SocketAddr; 2]) {
    // Who listens is on the far side: the server if the connection is passive.
    let from_client = file.text("direction") == Some("upload");
    let client = file.ends[usize::from(!file.is("passive"))];
    let from_first = (client == ends[0]) == from_client;
    let side = &stream[if from_first { "a2b" } else { "b2a" }];
    tally.add(name, "size", Outcome::of(&file.number("size"), &side["len"].as_u64()));
    let missing = side["missing"].as_u64();
    tally.add(name, "missing_bytes", Outcome::of(&file.number("missing_bytes"), &missing));
    let digest = side["sha256"].as_str().filter(|_| missing == Some(0));
    tally.add(name, "sha256", Outcome::of(&file.text("sha256"), &digest));
    let closed = side["fin"] == true && missing == Some(0);
    tally.add(name, "complete", Outcome::of(&file.is("complete"), &closed));
}
