//! What a search may take: bytes of a flow, bytes of all, parsers.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::{Conversation, Pcap};

use super::{notes, outcomes, outcomes_of, run, run_pcap};

/// Bytes of a flow that are held.
const HELD: usize = 16 << 10;

fn opened() -> Conversation {
    Conversation::tcp(4000, 7777).open()
}

/// A parser that has not said anything about so many bytes has the flow, and makes way for nobody. What is held
/// are bytes, whatever the packets.
#[test]
fn a_flow_is_held_for_sixteen_kilobytes() {
    let order = b"\nfirst:decline\n";
    let begin = b"HEY \n";
    for (length, next) in [(HELD - 1, true), (HELD, true), (HELD + 1, false)] {
        let between = vec![b'x'; length - begin.len() - order.len()];
        let text = [&begin[..], &between, order].concat();
        for size in [100, 1460, HELD, 40_000] {
            let flow = opened().send_cut(Client, &text, size).send(Server, b"b\n").close();
            let found = run(&["first", "third"], flow);
            let mut expected = vec!["first declined (as told)"];
            expected.extend(next.then_some("third confirmed"));
            assert_eq!(outcomes(&found), expected, "{length} bytes, cut at {size}");
            // Its first line, a long one, the order; then the server's, and two ends.
            assert_eq!(notes(&found, "third").len(), if next { 6 } else { 0 });
        }
    }
    // The fault of one that has the flow is its own.
    let text = [&b"HEY \n"[..], &b"x".repeat(HELD), b"\nfirst:trap\n"].concat();
    let found = run(&["first", "third"], opened().send_cut(Client, &text, 1000).close());
    assert_eq!(outcomes(&found), ["first fault (trap)"]);
}

/// A datagram counts 256 bytes more than it has: parsers of 63 of them can still make way.
#[test]
fn datagrams_are_held_until_they_are_many() {
    for (count, next) in [(55, true), (70, false)] {
        let flow = Conversation::tcp(4000, 7777).datagram(Client, b"HEY \n");
        let flow = (0..count).fold(flow, |flow, _| flow.datagram(Server, b"x\n"));
        let found = run(&["first", "third"], flow.datagram(Client, b"first:decline\n"));
        assert_eq!(outcomes(&found).len(), if next { 2 } else { 1 }, "{count} datagrams");
    }
}

/// While one side says what nobody knows, the other may still begin; not for ever.
#[test]
fn the_other_side_is_waited_for() {
    for (length, found) in [(HELD - b"hey ".len(), true), (HELD - 3, false)] {
        let flow = opened().send_cut(Client, &b"x".repeat(length), 1000).send(Server, b"hey a\n");
        assert_eq!(!outcomes(&run(&["third"], flow.close())).is_empty(), found, "{length} bytes");
    }
}

/// Eight parsers may try a flow.
#[test]
fn eight_candidates() {
    // Three by pattern and six more by port, in order of their names.
    let guests = [
        "first",
        "second",
        "everything_traps",
        "declines",
        "declines_in_open",
        "deep_recursion",
        "expects_unasked",
        "garbage_record",
        "loop_in_open",
    ];
    let flow = Conversation::tcp(4000, 9).open();
    let flow = flow.send(Client, b"HEY first:decline second:decline\n").close();
    let counted = run_pcap(&guests, &Pcap::of(&[flow]), &[], "");
    let outcomes = outcomes(&counted.run);
    assert_eq!(outcomes.len(), 8, "{outcomes:?}");
    assert!(!outcomes.iter().any(|outcome| outcome.starts_with("loop_in_open")), "{outcomes:?}");
}

/// Where all searches hold too much, they end: ports decide, and who has a flow has it for good.
#[test]
fn search_bytes() {
    let limits = "[cells]\nsearch_bytes = '64 KiB'\n"; // 4 KiB a lane
    let flows: Vec<Conversation> = (0..4_u16)
        .map(|number| {
            let flow = Conversation::tcp(4000 + number, if number == 3 { 91 } else { 7777 }).open();
            let text = if number == 3 { &b"HE"[..] } else { b"HEY \n" };
            let flow = flow.send(Client, text).send(Client, &b"x".repeat(1500));
            flow.send(Client, b"\nfirst:decline\n").close()
        })
        .collect();
    let found = |limits| {
        let counted = run_pcap(&["first", "third"], &Pcap::of(&flows), &[], limits);
        let flows =
            counted.run.of_type("flow").into_iter().map(|flow| outcomes_of(flow).join(", "));
        let mut flows: Vec<String> = flows.collect();
        flows.sort();
        flows
    };
    let all = "first declined (as told), third confirmed";
    assert_eq!(found(""), [all, all, all, "third confirmed"]);
    let short = found(limits);
    assert!(short.contains(&"first declined (as told)".to_owned()), "{short:?}");
}

/// A pattern that nothing ever ends lets a flow wait, but not for ports that are known for longer than its
/// 2,048 bytes.
#[test]
fn a_pattern_that_waits_for_ever() {
    let begin = Conversation::tcp(4000, 91).open().send(Client, b"line\n");
    let flow = (0..300).fold(begin, |flow, _| flow.send(Client, b"123456789\n"));
    let found = run(&["third", "late"], flow.close());
    let notes = found.of_type("third.note");
    assert_eq!((notes[0]["packet"].as_u64(), notes.len()), (Some(4), 303));
    assert_eq!(outcomes(&found), ["third confirmed"]);
}
