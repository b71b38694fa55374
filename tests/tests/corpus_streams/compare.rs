//! Finds our flows of the oracle's streams and compares what each side said.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use flowcell_tests::command::{Run, Scratch};
use flowcell_tests::corpus::{self, Capture, Digest, Flow};

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

/// Limits under which no flow ends by being idle.
const PATIENT: &str = "[engine]\ntcp_attempt_timeout_ms = '999999 h'\ntcp_timeout_ms = '999999 h'\n\
                       udp_one_sided_timeout_ms = '999999 h'\nudp_timeout_ms = '999999 h'\n";

/// Compares both sides of every stream of a capture, of which `run` is the default run; a flow of ours
/// that the oracle does not have differs too.
///
/// Where they differ, runs with other options show whether it is for what those change.
pub(crate) fn compare(capture: &Capture, streams: &[Stream], run: &Run) -> Vec<Verdict> {
    let mut verdicts = of_run(capture, streams, run);
    let scratch = Scratch::new();
    let limits = scratch.write("patient.toml", PATIENT);
    let limits = limits.to_str().unwrap_or_default();
    let experiments: [(&str, &[&str]); 2] = [
        (rules::IDLE, &["--limits", limits]),
        (rules::CHECKSUM, &["--limits", limits, "--checksums", "off"]),
    ];
    for (reason, options) in experiments {
        if !verdicts.iter().any(is_open) {
            break;
        }
        let changed = corpus::flowcell_with("streams", &capture.path, options);
        let changed = of_run(capture, streams, &changed);
        // Both begin with the oracle's streams; flows that only we see come behind.
        for (verdict, changed) in verdicts.iter_mut().zip(changed).take(2 * streams.len()) {
            match changed {
                Verdict::Agree if is_open(verdict) => *verdict = Verdict::Explained(reason),
                // What differed for two reasons still differs for one.
                Verdict::Explained(_) if matches!(verdict, Verdict::Differ(_)) => {
                    *verdict = changed;
                }
                _ => {}
            }
        }
    }
    verdicts
}

/// Whether a better reason may be found.
fn is_open(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::Agree | Verdict::Explained(rules::IDLE | rules::MORE_SENT))
}

fn of_run(capture: &Capture, streams: &[Stream], run: &Run) -> Vec<Verdict> {
    let flows = corpus::flows(run);
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
        let case = Case { capture, run, stream, flows: &flows };
        verdicts.extend([0, 1].map(|side| of_side(&case, side, &parts)));
    }
    let extra: Vec<_> = flows.iter().zip(used).filter(|(_, used)| !used).collect();
    let carriers = if extra.is_empty() { BTreeSet::new() } else { carriers(capture) };
    verdicts.extend(extra.into_iter().map(|(flow, _)| {
        match rules::explain_extra(&capture.name, flow, &carriers, run) {
            Some(reason) => Verdict::Explained(reason),
            None => {
                Verdict::Differ(format!("only we see {} {} > {}", flow.proto, flow.orig, flow.resp))
            }
        }
    }));
    verdicts
}

/// The ids of the flows that carry others.
fn carriers(capture: &Capture) -> BTreeSet<String> {
    let run = corpus::flowcell_with("run", &capture.path, &["--types", "flow"]);
    let parents =
        run.records.iter().filter_map(|record| record["data"]["tunnel"]["parent"].as_str());
    parents.map(str::to_owned).collect()
}

fn is_of(stream: &Stream, proto: &str, from: SocketAddr, to: SocketAddr) -> bool {
    let ends = [stream.a, stream.b];
    stream.proto == proto && (ends == [from, to] || ends == [to, from])
}

/// What a rule can look at.
pub(crate) struct Case<'a> {
    pub(crate) capture: &'a Capture,
    pub(crate) run: &'a Run,
    pub(crate) stream: &'a Stream,
    /// All of ours.
    pub(crate) flows: &'a [Flow],
}

fn of_side(case: &Case<'_>, side: usize, parts: &[&Flow]) -> Verdict {
    let stream = case.stream;
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
        return Verdict::Explained(rules::REOPENED);
    }
    if let Some(reason) = rules::explain(case, theirs, &ours) {
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

/// To the oracle a SYN that is repeated after a reset is still the same connection's, so one stream of
/// its may be several flows.
fn agrees_in_parts(parts: &[&Digest], theirs: &Side) -> bool {
    let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
    let mut full = parts.iter().filter(|part| part.bytes > 0);
    match (full.next(), full.next()) {
        (Some(one), None) => one.bytes == theirs.bytes && one.sha256 == theirs.sha256,
        // The digest of a whole can't be had from those of its parts.
        _ => bytes == theirs.bytes,
    }
}
