//! Finds our flows of the oracle's streams and compares what each side said.

use std::net::SocketAddr;

use flowcell_tests::command::Run;
use flowcell_tests::corpus::{Digest, Flow, counter};

use crate::oracle::{Side, Stream};
use crate::rules;

/// What came of comparing one side of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Agree,
    /// They differ, and a rule says why.
    Explained(&'static str),
    Differ(String),
}

/// Compares both sides of every stream; a flow of ours that the oracle does not have differs too.
pub(crate) fn compare(streams: &[Stream], flows: &[Flow], run: &Run) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut used = vec![false; flows.len()];
    for (index, stream) in streams.iter().enumerate() {
        // A 5-tuple may have several streams: the next one ends this one.
        let next =
            streams[index + 1..].iter().filter(|next| is_of(stream, next.proto, next.a, next.b));
        let until = next.map(|next| next.first).min().unwrap_or(u64::MAX);
        let mut parts: Vec<&Flow> = Vec::new();
        for (flow, used) in flows.iter().zip(&mut used) {
            if !*used && flow.packet < until && is_of(stream, &flow.proto, flow.orig, flow.resp) {
                *used = true;
                parts.push(flow);
            }
        }
        verdicts.extend([0, 1].map(|side| of_side(stream, side, &parts, run, flows)));
    }
    let extra = flows.iter().zip(used).filter(|(_, used)| !used);
    verdicts.extend(extra.map(|(flow, _)| {
        if rules::is_tunnel(flow) {
            return Verdict::Explained(rules::TUNNEL);
        }
        if counter(run, "decode_bad_length") > 0 {
            // What the oracle files under a call that was announced in a damaged packet.
            return Verdict::Explained(rules::BAD_LENGTH);
        }
        Verdict::Differ(format!("only we see {} {} > {}", flow.proto, flow.orig, flow.resp))
    }));
    verdicts
}

fn is_of(stream: &Stream, proto: &str, from: SocketAddr, to: SocketAddr) -> bool {
    let ends = [stream.a, stream.b];
    stream.proto == proto && (ends == [from, to] || ends == [to, from])
}

fn of_side(stream: &Stream, side: usize, parts: &[&Flow], run: &Run, flows: &[Flow]) -> Verdict {
    let theirs = &stream.sides[side];
    let ours: Vec<_> = parts
        .iter()
        .map(|flow| &flow.sides[if flow.orig == stream.a { side } else { 1 - side }])
        .collect();
    // Who talks to itself has no directions.
    let mirrored =
        stream.a == stream.b && parts.iter().any(|flow| agrees(&flow.sides[1 - side], theirs));
    if mirrored || matches!(ours.as_slice(), [one] if agrees(one, theirs)) {
        return Verdict::Agree;
    }
    if ours.len() > 1 && agrees_in_parts(&ours, theirs) {
        return Verdict::Explained(rules::SPLIT);
    }
    if let Some(reason) = rules::explain(theirs, &ours, run, flows) {
        return Verdict::Explained(reason);
    }
    let (from, to) = if side == 0 { (stream.a, stream.b) } else { (stream.b, stream.a) };
    let ours = ours.iter().map(|part| format!("{} bytes, {} missed", part.bytes, part.missed));
    Verdict::Differ(format!(
        "{} {from} > {to} of frame {}: ours {:?}, theirs {} bytes, {:?} missing",
        stream.proto,
        stream.first,
        ours.collect::<Vec<_>>(),
        theirs.bytes,
        theirs.missing
    ))
}

fn agrees(ours: &Digest, theirs: &Side) -> bool {
    let missing = theirs.missing.unwrap_or(ours.missed);
    (ours.bytes, ours.missed) == (theirs.bytes, missing) && ours.sha256 == theirs.sha256
}

/// The oracle knows no timeouts, and to it a SYN that is repeated after a reset is still the same
/// connection's; so one stream of its may be several flows.
fn agrees_in_parts(parts: &[&Digest], theirs: &Side) -> bool {
    let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
    let mut full = parts.iter().filter(|part| part.bytes > 0);
    match (full.next(), full.next()) {
        (Some(one), None) => one.bytes == theirs.bytes && one.sha256 == theirs.sha256,
        // The digest of a whole can't be had from those of its parts.
        _ => bytes == theirs.bytes,
    }
}
