//! From one to the next to the next.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::{Conversation, Pcap};

use super::{notes, outcomes, run, run_pcap};

fn opened() -> Conversation {
    Conversation::tcp(4000, 7777).open()
}

#[test]
fn several_in_one_packet() {
    let flow = opened().send(
        Client,
        b"HEY first:confirm first:switch=second\na\nsecond:confirm\nsecond:switch=first\nb\n\
          first:switch=third\nc\nthird:switch=nameless\nd\n",
    );
    let found = run(&["first", "second", "third", "nameless"], flow.send(Server, b"e\n").close());
    assert_eq!(
        outcomes(&found),
        [
            "first switched (second)",
            "second switched (first)",
            "first switched (third)",
            "third switched (nameless)",
            "nameless confirmed",
        ]
    );
    assert_eq!(notes(&found, "third"), ["4000> c", "4000> third:switch=nameless"]);
    let rest = ["4000> d", "7777> e", "4000> Fin ", "7777> Fin "];
    assert_eq!(notes(&found, "nameless"), rest);
    assert_eq!(found.only("flow")["data"]["service"], "first,second,third,nameless");
}

/// Those that decline on the way do not count: a flow is handed over eight times.
#[test]
fn eight_times() {
    let order = |to: &str| format!("HEY first:switch={to}\n");
    for (times, last) in [(8, "nameless confirmed"), (9, "first switched (nameless)")] {
        let mut text = order("first").repeat(times - 1);
        text.push_str(&order("nameless"));
        text.push_str("a\n");
        let found = run(&["first", "nameless"], opened().send(Client, text.as_bytes()).close());
        let outcomes = outcomes(&found);
        assert_eq!(outcomes.last().unwrap(), last, "{outcomes:?}");
        assert_eq!(outcomes.len(), 9);
    }
    // Between two of them, two decline.
    let text = "HEY first:switch\n".to_owned()
        + &"HEY first:decline second:decline third:switch\n".repeat(7)
        + "HEY first:talk\nx\n";
    let guests = ["first", "second", "third"];
    let found = run(&guests, opened().send(Client, text.as_bytes()).close());
    let outcomes = outcomes(&found);
    assert_eq!(outcomes.len(), 1 + 7 * 3 + 1, "{outcomes:?}");
    assert_eq!(outcomes.last().unwrap(), "first confirmed");
}

/// Who hands everything back to itself gets it eight times more; then nobody has the flow.
#[test]
fn to_itself_for_ever() {
    let flow = opened().send(Client, b"MYSELF").send(Client, &b"x".repeat(10_000)).close();
    let found = run(&["itself", "third"], flow);
    assert_eq!(outcomes(&found), ["itself switched (itself)"; 9]);
    assert_eq!(found.only("flow")["data"]["orig_bytes"], 10_006);
}

/// As much as it may be handed over of a side, while somebody talks to a parser that waits for the other.
#[test]
fn with_all_that_waits() {
    let outcomes = |packets: usize| {
        let flow = opened().send(Server, &[b'x'; 16_383]);
        let flow = (0..packets).fold(flow, |flow, _| flow.send(Server, &[b'x'; 16_384]));
        let flow = flow.send(Client, b"MYSELF").close();
        let counted = run_pcap(&["itself"], &Pcap::of(&[flow]), &["--map", "7777=itself"], "");
        outcomes(&counted.run)
    };
    assert_eq!(outcomes(15), ["itself switched (itself)"; 9]);
    // Without its first bytes nobody would know what it is.
    let reason = "more waits for the next protocol than can be handed over";
    assert_eq!(outcomes(16), [format!("itself failed ({reason})")]);
}

/// Who declines after it was handed the flow by name makes way for nobody.
#[test]
fn who_was_named_has_it_for_good() {
    let flow = opened().send(Client, b"HEY first:switch=second\nHEY second:decline\n").close();
    let found = run(&["first", "second", "third"], flow);
    assert_eq!(outcomes(&found), ["first switched (second)", "second declined (as told)"]);
}
