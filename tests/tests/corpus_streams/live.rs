//! Live captures and their variants against what the endpoints sent.

use std::path::Path;

use flowcell_tests::corpus::{self, Corpus, Digest, Flow, TrueFlow, Truth};

/// The captures whose endpoints wrote down what they sent.
const LIVE: [&str; 2] = ["live-mini-open", "live-clean-small"];

#[test]
fn live_streams_are_what_the_endpoints_sent() {
    let Some(corpus) = Corpus::find() else { return };
    for name in LIVE {
        let Some(truth) = corpus.truth(name) else { continue };
        let (agree, differ) =
            sides(&corpus.path(&format!("live/{name}.pcap")), &truth, &Truth::Same);
        println!("{name}: {agree} sides agree");
        assert!(differ.is_empty(), "{name}: {}", differ.join("\n"));
    }
}

#[test]
fn variants_have_the_streams_of_their_original() {
    let Some(corpus) = Corpus::find() else { return };
    let Some(truth) = corpus.truth(LIVE[0]) else { return };
    let mut rows = vec![["variant", "sides", "agree", "why not"].map(str::to_owned).to_vec()];
    let mut wrong = Vec::new();
    for variant in corpus.variants() {
        let (agree, differ) = sides(&variant.path, &truth, &variant.truth);
        wrong.extend(differ.iter().map(|how| format!("{}: {how}", variant.name)));
        let why = differ.first().cloned().unwrap_or_default();
        let sides = agree + differ.len();
        rows.push(vec![variant.name, sides.to_string(), agree.to_string(), why]);
    }
    println!("{}", corpus::table(&rows));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares both sides of every connection; returns how many agree, and how the others differ.
fn sides(capture: &Path, flows: &[TrueFlow], truth: &Truth) -> (usize, Vec<String>) {
    let mut ours = corpus::flows(&corpus::flowcell("streams", capture));
    let (mut agree, mut differ) = (0, Vec::new());
    for flow in flows.iter().filter(|flow| *truth != Truth::SameV4 || flow.is_v4()) {
        // Ports are used again: the flows of one client are in time order.
        let found = ours.iter().position(|ours| is_of(flow, ours)).map(|index| ours.remove(index));
        for side in [0, 1] {
            let digest = found
                .as_ref()
                .map(|found| &found.sides[if found.orig == flow.client { side } else { 1 - side }]);
            if holds(flow, side, digest, truth) {
                agree += 1;
            } else {
                let sender = ["client", "server"][side];
                let sent = flow.sides[side].0;
                differ.push(format!("{sender} of {}: sent {sent}, ours {digest:?}", flow.client));
            }
        }
    }
    (agree, differ)
}

fn is_of(flow: &TrueFlow, ours: &Flow) -> bool {
    let ends = [(ours.orig, ours.resp), (ours.resp, ours.orig)];
    ours.proto == "tcp"
        && ends.iter().any(|(from, to)| *from == flow.client && to.port() == flow.port)
}

/// Whether `ours` shows what is still true of what this side sent.
fn holds(flow: &TrueFlow, side: usize, ours: Option<&Digest>, truth: &Truth) -> bool {
    let (sent, sha256) = &flow.sides[side];
    let Some(ours) = ours else {
        // The capture may have ended before.
        return *truth == Truth::CutCapture;
    };
    let whole = (ours.bytes, ours.missed) == (*sent, 0) && ours.sha256 == *sha256;
    match truth {
        Truth::Same | Truth::SameV4 | Truth::Checksums => whole,
        Truth::ClientOnly => {
            if side == 0 {
                whole
            } else {
                ours.bytes == 0
            }
        }
        Truth::ServerOnly => {
            if side == 1 {
                whole
            } else {
                ours.bytes == 0
            }
        }
        Truth::Without(ranges) => match ranges.get(&(side, flow.client)) {
            None => whole,
            Some(missing) => {
                let missing: u64 = missing.iter().map(|(_, length)| length).sum();
                (ours.bytes, ours.missed) == (sent - missing, missing)
            }
        },
        Truth::CutSegments => ours.bytes + ours.missed == *sent,
        Truth::CutCapture => whole || ours.bytes < *sent,
    }
}
