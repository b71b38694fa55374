//! Parsers are found by patterns of both sides, on any port; ports rank them, or decide where nothing matches.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::{Conversation, Pcap};

use super::{notes, outcomes, run, run_pcap};

/// A flow to a port that no parser says anything of.
fn opened() -> Conversation {
    Conversation::tcp(4000, 7777).open()
}

#[test]
fn by_what_the_client_says_first() {
    let found = run(&["third"], opened().send(Client, b"HEY you\n").send(Server, b"yes\n").close());
    assert_eq!(outcomes(&found), ["third confirmed"]);
    assert_eq!(notes(&found, "third"), ["4000> HEY you", "7777> yes", "4000> Fin ", "7777> Fin "]);
    assert_eq!(found.only("flow")["data"]["service"], "third");
}

#[test]
fn by_what_the_server_says_first() {
    let found = run(&["third"], opened().send(Server, b"hey you\n").send(Client, b"yes\n").close());
    assert_eq!(notes(&found, "third"), ["7777> hey you", "4000> yes", "4000> Fin ", "7777> Fin "]);
}

#[test]
fn a_pattern_is_of_one_side_and_of_its_first_bytes() {
    for (side, bytes) in [(Client, &b"hey you\n"[..]), (Server, b"HEY you\n"), (Client, b" HEY \n")]
    {
        let found = run(&["third"], opened().send(side, bytes).close());
        assert!(outcomes(&found).is_empty(), "{bytes:?}: {}", found.stdout);
    }
}

#[test]
fn by_patterns_of_datagrams() {
    let flow = Conversation::tcp(4000, 7777);
    let talk = flow.clone().datagram(Client, b"HEY you\n").datagram(Server, b"yes\n");
    let found = run(&["third"], talk);
    let ends = ["4000> Shutdown ", "7777> Shutdown "];
    assert_eq!(notes(&found, "third")[..2], ["4000> HEY you", "7777> yes"]);
    assert_eq!(notes(&found, "third")[2..], ends);
    // Each datagram begins anew, and all that came before is there.
    let flow =
        flow.datagram(Client, b"HE\n").datagram(Client, b"Y you\n").datagram(Server, b"hey\n");
    let found = run(&["third"], flow.clone().datagram(Server, b"hey you\n"));
    let all = ["4000> HE", "4000> Y you", "7777> hey", "7777> hey you"];
    assert_eq!(notes(&found, "third")[..4], all);
    assert!(outcomes(&run(&["third"], flow)).is_empty());
}

/// Four datagrams of a side are looked at; an empty one is one.
#[test]
fn datagrams_are_looked_at_up_to_the_fourth() {
    for (before, outcome) in [(3, &["third confirmed"][..]), (4, &[])] {
        let flow = Conversation::tcp(4000, 7777).datagram(Client, b"");
        let flow = (1..before).fold(flow, |flow, _| flow.datagram(Client, b"no\n"));
        assert_eq!(outcomes(&run(&["third"], flow.datagram(Client, b"HEY \n"))), outcome);
    }
}

#[test]
fn those_at_the_flows_port_are_tried_before_others() {
    let say = |port| {
        let flow = Conversation::tcp(4000, port).open();
        flow.send(Client, b"HEY first:decline second:decline third:decline\n").close()
    };
    let order = |port| {
        let outcomes = outcomes(&run(&["first", "second", "third"], say(port)));
        let names = outcomes.iter().map(|outcome| outcome.split(' ').next().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    // `third` has said something before it declines, which is taken for a failure: nobody comes after it.
    assert_eq!(order(7777), ["first", "second", "third"]);
    assert_eq!(order(9), ["first", "second", "third"]);
    assert_eq!(order(90), ["second", "first", "third"]);
    assert_eq!(order(91), ["third"]);
}

#[test]
fn who_matches_first_is_tried_before_those_at_the_port() {
    // `late` matches four bytes before `HEY ` does.
    let flow = Conversation::tcp(4000, 9).open().send(Client, b"HEY LATE\n");
    let found = run(&["first", "late"], flow.close());
    assert_eq!(outcomes(&found)[0], "first unconfirmed");
    let flow = Conversation::tcp(4000, 9).open().send(Client, b"LATE HEY\n");
    assert_eq!(outcomes(&run(&["first", "late"], flow.close())), ["late confirmed"]);
}

#[test]
fn ports_decide_where_no_pattern_can_match_any_more() {
    let flow = Conversation::tcp(4000, 91).open();
    let found = run(&["third"], flow.clone().send(Client, b"HX\n").close());
    assert_eq!(
        notes(&found, "third"),
        ["4000> HX", "4000> Fin ", "7777> Fin "].map(|note| { note.replace("7777", "91") })
    );
    // As long as something can, nothing is decided; the end of the flow does.
    let found =
        run(&["third", "late"], flow.clone().send(Client, b"H\n").send(Client, b"X\n").close());
    assert_eq!(notes(&found, "third")[..2], ["4000> H", "4000> X"]);
    assert_eq!(found.of_type("third.note")[0]["packet"], 4, "{}", found.stdout);
    let found =
        run(&["third", "late"], flow.clone().send(Client, b"H\n").send(Client, b"LATE\n").close());
    assert_eq!(outcomes(&found), ["late confirmed"]);
    // Nothing else ends that flow than the capture.
    let found = run(&["third", "late"], flow.send(Client, b"H\n"));
    assert_eq!(notes(&found, "third"), ["4000> H", "4000> Shutdown ", "91> Shutdown "]);
}

/// The first 2,048 bytes of a side are looked at, however they come.
#[test]
fn patterns_are_looked_for_in_the_first_two_kilobytes() {
    for (before, found) in [(2044, true), (2045, false)] {
        for size in [1, 1000, 4000] {
            let text = [&b"x".repeat(before)[..], b"LATE\n"].concat();
            let flow = opened().send_cut(Client, &text, size).close();
            let outcomes = outcomes(&run(&["late"], flow));
            assert_eq!(!outcomes.is_empty(), found, "{before} bytes before, cut at {size}");
        }
    }
}

#[test]
fn the_operators_word_counts_more_than_what_a_flow_says() {
    let pcap = Pcap::of(&[opened().send(Client, b"HEY first:decline\n").close()]);
    for (map, outcome) in [
        ("7777=nameless", "nameless confirmed"),
        ("*=nameless", "nameless confirmed"),
        ("tcp/7777=first", "first declined (as told)"),
        ("udp/*=first", "third confirmed"),
    ] {
        let guests = ["first", "third", "nameless"];
        let counted = run_pcap(&guests, &pcap, &["--map", map], "");
        assert_eq!(outcomes(&counted.run).last().unwrap(), outcome, "{map}");
    }
}
