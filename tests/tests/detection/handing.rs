//! One parser hands the rest of the flow to another one: whatever it has not read, of both sides, and all that
//! comes, in whatever packets that is.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::Conversation;

use super::{notes, outcomes, run};

fn opened() -> Conversation {
    Conversation::tcp(4000, 7777).open()
}

const GUESTS: [&str; 3] = ["first", "second", "nameless"];

/// Runs, and demands that `nameless` got the flow and told this.
#[track_caller]
fn told(flow: Conversation, expected: &[&str]) {
    let found = run(&GUESTS, flow);
    assert_eq!(outcomes(&found), ["first switched (nameless)", "nameless confirmed"]);
    assert_eq!(notes(&found, "nameless"), expected, "{}", found.stdout);
    assert_eq!(found.only("flow")["data"]["service"], "nameless");
}

const ENDS: [&str; 2] = ["4000> Fin ", "7777> Fin "];

#[test]
fn in_a_later_packet() {
    let flow = opened().send(Client, b"HEY first:switch=nameless\n");
    let flow = flow.send(Server, b"b\n").send(Client, b"a\n").close();
    told(flow, &["7777> b", "4000> a", ENDS[0], ENDS[1]]);
}

#[test]
fn behind_the_switch_in_the_same_packet() {
    let flow = opened().send(Client, b"HEY first:switch=nameless\na\nb");
    told(flow.send(Client, b"c\n").close(), &["4000> a", "4000> bc", ENDS[0], ENDS[1]]);
}

/// It waits for the end of the client's line while the server goes on: what the server said is not read.
#[test]
fn of_both_sides() {
    let flow = opened().send(Client, b"HEY first:switch=nameless").send(Server, b"x\ny");
    let flow = flow.send(Client, b"\na\n").send(Server, b"z\n").close();
    // The server's first line was read, the beginning of the next one was not.
    told(flow, &["4000> a", "7777> yz", ENDS[0], ENDS[1]]);
}

/// The packets of a side that come in a row are delivered together once a parser has the flow for good.
#[test]
fn in_packets_that_come_together() {
    let all = b"HEY first:confirm\nb\nfirst:switch=nameless\nc\nd\ne\nf";
    for size in 1..all.len() {
        let flow = opened().send_cut(Client, all, size).send(Client, b"\n").close();
        let found = run(&GUESTS, flow);
        assert_eq!(outcomes(&found), ["first switched (nameless)", "nameless confirmed"]);
        let lines = ["4000> c", "4000> d", "4000> e", "4000> f", ENDS[0], ENDS[1]];
        assert_eq!(notes(&found, "nameless"), lines, "cut at {size}");
        assert_eq!(found.only("flow")["data"]["service"], "first,nameless");
        assert_eq!(found.only("flow")["data"]["orig_bytes"], all.len() + 1);
    }
}

#[test]
fn before_and_behind_gaps() {
    let flow = opened().send(Client, b"HEY \n").lose(Client, 7);
    let flow = flow.send(Client, b"first:switch=nameless\na\n").lose(Client, 9);
    let flow = flow.send(Client, b"b\n").lose(Server, 5).send(Server, b"c\n").close();
    told(
        flow,
        &["4000> a", "4000> gap of 9", "4000> b", "7777> gap of 5", "7777> c", ENDS[0], ENDS[1]],
    );
    // What stands before a gap is given up with it.
    let flow = opened().send(Client, b"HEY first:switch=nameless").send(Server, b"lost");
    let flow = flow.lose(Server, 5).send(Server, b"kept").send(Client, b"\n").send(Server, b"\n");
    told(flow.close(), &["7777> kept", ENDS[0], ENDS[1]]);
}

#[test]
fn after_one_side_has_ended() {
    let flow = opened().send(Client, b"HEY \n").fin(Client);
    let flow = flow.send(Server, b"first:switch=nameless\nb\n").fin(Server);
    told(flow, &["7777> b", ENDS[0], ENDS[1]]);
    // And its last bytes were not read.
    let flow = opened().send(Client, b"HEY \nab").fin(Client);
    let flow = flow.send(Server, b"first:switch=nameless\nb\n").fin(Server);
    told(flow, &["7777> b", "4000> Fin ab", ENDS[1]]);
}

#[test]
fn in_reply_to_an_end() {
    let flow = opened().send(Client, b"HEY first:atend=nameless\n").send(Server, b"x").fin(Client);
    let flow = flow.send(Server, b"y\n").fin(Server);
    told(flow, &[ENDS[0], "7777> xy", ENDS[1]]);
    // Of the last end nothing comes.
    let flow = opened().send(Client, b"HEY \n").fin(Client);
    let flow = flow.send(Server, b"first:atend=nameless\n").fin(Server);
    assert_eq!(outcomes(&run(&GUESTS, flow)), ["first switched (nameless)"]);
}

/// What a parser has skipped, nobody gets; a side that it was done with is over.
#[test]
fn with_what_was_skipped() {
    let flow = opened().send(Client, b"HEY first:skip=7 first:switch=nameless\n");
    let flow = flow.send(Client, b"0123").send(Client, b"456789\n").send(Server, b"x\n").close();
    told(flow, &["4000> 789", "7777> x", ENDS[0], ENDS[1]]);
    let flow = opened().send(Client, b"HEY first:done first:switch=nameless\n");
    let flow = flow.send(Client, b"a\n").send(Server, b"x\n").send(Client, b"b\n").close();
    told(flow, &["7777> x", ENDS[0], ENDS[1]]);
    // The same where the engine has long stopped.
    let flow = opened().send(Client, b"HEY first:confirm first:done\n").send(Client, b"a\n");
    let flow = flow.send(Server, b"first:switch=nameless\n").send(Client, b"b\n").lose(Client, 3);
    let found = run(&GUESTS, flow.send(Server, b"x\n").close());
    assert_eq!(notes(&found, "nameless"), ["7777> x", ENDS[0], ENDS[1]]);
}

#[test]
fn to_one_that_is_not_there() {
    let flow = opened().send(Client, b"HEY first:switch=nobody\na\n").send(Server, b"b\n").close();
    let found = run(&GUESTS, flow);
    assert_eq!(outcomes(&found), ["first switched (nobody)"]);
    let flow = &found.only("flow")["data"];
    assert_eq!((&flow["orig_bytes"], &flow["end_reason"]), (&26.into(), &"fin".into()));
}

/// Without a name: to whoever knows it, by what comes now, whatever the port. Who was it before may be it again.
#[test]
fn to_whoever_knows_it() {
    for at_once in [true, false] {
        for (text, expected) in [
            ("HEY second:confirm\n", &["first unconfirmed", "second confirmed"][..]),
            (
                "HEY first:decline second:confirm\n",
                &["first declined (as told)", "second confirmed"],
            ),
            ("no\n", &[]),
        ] {
            let (now, later) = if at_once { (text, "") } else { ("", text) };
            let flow = Conversation::tcp(4000, 9).open();
            let flow = flow.send(Client, format!("HEY first:switch\n{now}").as_bytes());
            let flow = flow.send(Client, later.as_bytes()).close();
            let outcomes = outcomes(&run(&GUESTS, flow));
            assert_eq!(outcomes[0], "first switched", "{outcomes:?}");
            assert_eq!(outcomes[1..], *expected, "{text}, {at_once}");
        }
    }
    // The one inside may have its client on the other side.
    let flow = opened()
        .send(Client, b"HEY first:switch=\n")
        .send(Server, b"HEY first:decline second:talk\na\n");
    let found = run(&GUESTS, flow.send(Client, b"b\n").close());
    assert_eq!(notes(&found, "second"), ["7777> a", "4000> b", ENDS[0], ENDS[1]]);
}

#[test]
fn of_datagrams_those_that_come() {
    let flow = Conversation::tcp(4000, 7777).datagram(Client, b"HEY first:switch=nameless\nrest\n");
    let flow = flow.datagram(Server, b"a\n").datagram(Client, b"b\n");
    told(flow, &["7777> a", "4000> b", "4000> Shutdown ", "7777> Shutdown "]);
    let flow = Conversation::tcp(4000, 7777).datagram(Client, b"HEY first:switch=\n");
    let flow = flow.datagram(Server, b"a\n").datagram(Server, b"HEY second:talk\nb\n");
    let found = run(&GUESTS, flow);
    assert_eq!(outcomes(&found), ["first switched", "first unconfirmed", "second confirmed"]);
}
