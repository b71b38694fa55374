//! Who declines or breaks down before it has confirmed makes way for the next one, which gets everything as if
//! it had been alone.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::Conversation;

use super::{lines, outcomes, run};

fn opened() -> Conversation {
    Conversation::tcp(4000, 7777).open()
}

/// Demands that `third` writes what it writes alone: the same lines, with their times and packets.
#[track_caller]
fn as_if_alone(guests: &[&str], flow: Conversation) -> Vec<String> {
    let (alone, tried) = (run(&["third"], flow.clone()), run(guests, flow));
    assert!(!lines(&alone, "third").is_empty(), "{}", alone.stdout);
    assert_eq!(lines(&alone, "third"), lines(&tried, "third"));
    outcomes(&tried)
}

#[test]
fn the_next_one_gets_all_from_the_first_byte() {
    let flow = opened().send(Client, b"HEY a\n").send(Server, b"b\nc").send(Client, b"d\n");
    let flow = flow.send(Server, b"d\n").lose(Server, 5).send(Server, b"e\n");
    for (order, outcome) in
        [("decline", "first declined (as told)"), ("trap", "first fault (trap)")]
    {
        let order = format!("second:{order} first:{order}\n");
        let flow = flow.clone().send(Client, order.as_bytes()).send(Client, b"e\n").close();
        let other = outcome.replace("first", "second");
        assert_eq!(
            as_if_alone(&["first", "second", "third"], flow),
            [outcome, &other, "third confirmed"]
        );
    }
}

#[test]
fn the_next_one_is_told_of_gaps_and_ends() {
    let flow = opened().send(Client, b"HEY a\n").lose(Client, 9).fin(Client);
    let flow = flow.send(Server, b"first:decline\n").send(Server, b"b\n").fin(Server);
    assert_eq!(
        as_if_alone(&["first", "third"], flow),
        ["first declined (as told)", "third confirmed"]
    );
}

#[test]
fn who_has_confirmed_has_the_flow_for_good() {
    for (order, outcome) in [
        ("decline", "first failed (as told)"),
        ("fail", "first failed (as told)"),
        ("trap", "first fault (trap)"),
        ("ready", "first confirmed"),
    ] {
        let flow = opened().send(Client, b"HEY first:confirm\n");
        let flow = flow.send(Client, format!("first:{order}\n").as_bytes()).close();
        assert_eq!(outcomes(&run(&["first", "third"], flow)), [outcome]);
    }
}

/// A violation is somebody's own protocol. Who is content without a word of whose it is, is not.
#[test]
fn who_fails_does_not_make_way_and_who_is_ready_does() {
    for (order, expected) in [
        ("fail", &["first failed (as told)"][..]),
        ("ready", &["first unconfirmed", "third confirmed"]),
    ] {
        let flow = opened().send(Client, format!("HEY first:{order}\n").as_bytes()).close();
        assert_eq!(outcomes(&run(&["first", "third"], flow)), *expected);
    }
}

/// What counts is what was said, in whatever packet.
#[test]
fn confirmed_and_declined_at_once() {
    let flow = opened().send(Client, b"HEY first:confirm first:decline\n").close();
    assert_eq!(outcomes(&run(&["first", "third"], flow)), ["first failed (as told)"]);
    let flow =
        opened().send(Client, b"HEY\n").send(Client, b" first:talk\nfirst:decline\n").close();
    assert!(outcomes(&run(&["first", "third"], flow)).is_empty(), "`HEY` has no blank behind it");
}

/// Who says that it knows everything, and nothing else, has what does not end before it is settled: an
/// operator takes it away. Of short flows the next one gets all, and who breaks down has nothing.
#[test]
fn one_that_knows_everything() {
    let flow = opened().send(Client, b"HEY a\n").send(Server, b"b\n").close();
    assert_eq!(
        as_if_alone(&["everything", "third"], flow.clone()),
        ["everything unconfirmed", "third confirmed"]
    );
    let long = opened().send(Client, &[b"HEY a\n", &[b'x'; 20_000][..]].concat()).close();
    assert_eq!(outcomes(&run(&["everything", "third"], long)), ["everything unconfirmed"]);
    assert_eq!(
        as_if_alone(&["everything_traps", "third"], flow),
        ["everything_traps fault (trap)", "third confirmed"]
    );
    // Nor does it take what ends soon away from who is there by port.
    let flow = Conversation::tcp(4000, 7).open().send(Client, b"a\n").send(Server, b"a\n").close();
    let echo = run(&["everything"], flow);
    assert_eq!((outcomes(&echo).len(), echo.of_type("echo.exchange").len()), (2, 1));
}

/// Skipped bytes are skipped by who has skipped them.
#[test]
fn what_one_has_skipped_the_next_one_gets() {
    let flow = opened().send(Client, b"HEY first:skip=20\n").send(Client, b"0123456789\n");
    let flow = flow.send(Client, b"abcdefgh\nfirst:decline\nrest\n").close();
    assert_eq!(
        as_if_alone(&["first", "third"], flow),
        ["first declined (as told)", "third confirmed"]
    );
    let flow = opened().send(Client, b"HEY first:done\n").send(Client, b"a\n");
    let flow = flow.send(Server, b"first:decline\n").send(Client, b"b\n").close();
    assert_eq!(
        as_if_alone(&["first", "third"], flow),
        ["first declined (as told)", "third confirmed"]
    );
}
