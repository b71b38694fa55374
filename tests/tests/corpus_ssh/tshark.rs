//! Handshakes against tshark's events.

use std::collections::BTreeSet;

use flowcell_tests::corpus::{Corpus, told};
use flowcell_tests::talk::{Event, Record};
use flowcell_tests::tally::{Outcome, Tally};

use crate::{HANDSHAKE, rules};

/// The message with a side's algorithms, KEXINIT.
const KEXINIT: &str = "20";

#[test]
fn handshakes_agree_with_tshark() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let theirs = corpus.events(&capture, &["ssh"]);
        if theirs.is_empty() {
            continue;
        }
        let ours = told(&capture, HANDSHAKE);
        let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
        for key in keys {
            let ours = ours.get(&key).map_or(&[][..], Vec::as_slice);
            let theirs = theirs.get(&key).map_or(&[][..], Vec::as_slice);
            if theirs.is_empty() {
                let outcome = Outcome::Wrong(format!("only ours: {ours:?}"));
                tally.add(&capture.name, "handshakes", rules::ours_alone(outcome, &key));
            } else {
                compare(&mut tally, &capture.name, ours, theirs);
            }
        }
    }
    tally.check(&[]);
}

/// No capture has two handshakes between the same endpoints.
fn compare(tally: &mut Tally, name: &str, ours: &[Record], theirs: &[Event]) {
    let there = theirs.iter().any(|event| event.is("banner") || is_offer(event));
    tally.add(name, "handshakes", Outcome::of(&ours.len(), &usize::from(there)));
    let Some(ours) = ours.first() else { return };
    let from = |direction: &'static str| {
        theirs.iter().filter(move |event| event.text("direction") == Some(direction))
    };
    for (field, direction) in [("client", "0"), ("server", "1")] {
        let banner = from(direction).find(|event| event.is("banner"));
        let banner = banner.and_then(|event| event.text("protocol"));
        tally.add(name, field, Outcome::of(&ours.text(field), &banner));
    }
    offer(
        tally,
        name,
        (ours, "hassh_algorithms", "cshka"),
        from("0").find(|event| is_offer(event)),
    );
    let fields = (ours, "hassh_server_algorithms", "sshka");
    offer(tally, name, fields, from("1").find(|event| is_offer(event)));
    for (field, raw, direction) in
        [("hassh", "kex.hassh", "0"), ("hassh_server", "kex.hasshserver", "1")]
    {
        let digest = from(direction).find_map(|event| event.text(raw));
        tally.add(name, field, Outcome::of(&ours.text(field), &digest));
    }
}

fn is_offer(event: &Event) -> bool {
    event.text("message_code") == Some(KEXINIT)
}

/// Compares a side's lists. Of ciphers and the like, ours are those that HASSH takes: from the side
/// that offers; theirs are from client to server.
fn offer(
    tally: &mut Tally,
    name: &str,
    (ours, algorithms, keys): (&Record, &'static str, &'static str),
    theirs: Option<&Event>,
) {
    let theirs_of = |field| theirs.and_then(|event| event.text(field));
    let mut lists = ours.text(algorithms).unwrap_or_default().split(';');
    let mut next = || lists.next().filter(|list| !list.is_empty());
    tally.add(name, "kex", Outcome::of(&next(), &theirs_of("kex_algorithms")));
    tally.add(name, keys, Outcome::of(&ours.text(keys), &theirs_of("server_host_key_algorithms")));
    if algorithms == "hassh_algorithms" {
        for field in ["encryption_algorithms_client_to_server", "mac_algorithms_client_to_server"] {
            tally.add(name, "ciphers and macs", Outcome::of(&next(), &theirs_of(field)));
        }
    }
}
