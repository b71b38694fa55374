//! Who is client where that was not seen, and flows of which only a part is there.

use flowcell_sdk::Side::{self, Client, Server};
use flowcell_tests::packets::{Conversation, Pcap};

use super::{notes, outcomes, run, run_pcap};

/// The conversation was going on when the capture began.
fn midstream() -> Conversation {
    Conversation::tcp(4000, 7777)
}

#[test]
fn client_is_who_says_what_clients_say() {
    for (first, text) in
        [(Client, b"HEY a\n"), (Server, b"hey a\n"), (Client, b"hey a\n"), (Server, b"HEY a\n")]
    {
        let other = if first == Client { Server } else { Client };
        let flow = midstream().send(first, text).send(other, b"b\n");
        let found = run(&["third"], flow);
        let (one, two) = if first == Client { ("4000", "7777") } else { ("7777", "4000") };
        // The roles do not change what the flow's record says: the first packet's sender is its originator.
        assert_eq!(found.only("flow")["orig_port"].to_string(), one);
        assert_eq!(found.only("flow")["data"]["midstream"], true);
        let notes = notes(&found, "third");
        assert_eq!(
            notes[..2],
            [format!("{one}> {}", String::from_utf8_lossy(text).trim_end()), format!("{two}> b")]
        );
    }
}

/// With a handshake there is no doubt.
#[test]
fn a_server_does_not_speak_like_a_client() {
    let flow = midstream().open().send(Server, b"HEY a\n").send(Client, b"b\n").close();
    assert!(outcomes(&run(&["third"], flow)).is_empty());
}

/// The server's answer is the first packet that was seen: its port tells, and so do its words.
#[test]
fn by_port_where_nothing_matches() {
    for flow in [
        Conversation::tcp(4000, 91).send(Server, b"b\n").send(Client, b"a\n"),
        Conversation::tcp(4000, 91).datagram(Server, b"hey b\n").datagram(Client, b"a\n"),
    ] {
        let found = run(&["third"], flow);
        let notes = notes(&found, "third");
        assert!(notes[0].starts_with("91> ") && notes[1] == "4000> a", "{notes:?}");
    }
    // A client that happens to have the port is one where that is known.
    let flow = Conversation::tcp(91, 7777).open().send(Client, b"a\n").close();
    assert!(outcomes(&run(&["third"], flow)).is_empty());
}

/// Whichever way datagrams went first.
#[test]
fn datagrams_the_other_way_round() {
    for (side, text) in [(Server, b"hey a\n"), (Server, b"HEY a\n"), (Client, b"hey a\n")] {
        let found = run(&["third"], midstream().datagram(side, text));
        assert_eq!(outcomes(&found), ["third confirmed"]);
    }
}

/// Only what one host sends was captured.
#[test]
fn one_side_alone() {
    let only = |side: Side, text: &[u8]| {
        let flow = midstream().open().send(Client, text).send(Server, text).close();
        let sent = |frame: &&Vec<u8>| (frame[29] == 1) == (side == Client); // the last byte of its address
        let frames = flow.frames().iter().filter(sent);
        frames.fold(Pcap::new(1), |pcap, frame| pcap.frame(frame))
    };
    let found = run_pcap(&["third"], &only(Client, b"HEY a\n"), &[], "").run;
    assert_eq!(notes(&found, "third")[0], "4000> HEY a");
    let found = run_pcap(&["third"], &only(Server, b"hey a\n"), &[], "").run;
    assert_eq!(notes(&found, "third")[0], "7777> hey a");
}

/// Behind a gap nothing is how a flow begins. A side that begins with one does not hide the other.
#[test]
fn gaps_before_and_in_what_is_looked_at() {
    let flow = midstream().open();
    let lost = flow.clone().lose(Client, 5).send(Client, b"HEY a\n").close();
    assert!(outcomes(&run(&["third"], lost)).is_empty());
    let torn = flow.clone().send(Client, b"HE").lose(Client, 1).send(Client, b" a\n").close();
    assert!(outcomes(&run(&["third"], torn)).is_empty());
    let other = flow.clone().lose(Client, 5).send(Server, b"hey a\n").send(Client, b"b\n").close();
    let found = run(&["third"], other);
    let all = ["4000> gap of 5", "7777> hey a", "4000> b", "4000> Fin ", "7777> Fin "];
    let mut told = notes(&found, "third");
    told.sort_by_key(|note| all.iter().position(|known| known == note));
    assert_eq!(told, all);
    // Ports decide at once.
    let flow = Conversation::tcp(4000, 91).open().lose(Client, 5).send(Client, b"a\n").close();
    assert_eq!(notes(&run(&["third"], flow), "third")[..2], ["4000> gap of 5", "4000> a"]);
}

/// One that ended before anything was said is told to whoever comes.
#[test]
fn a_side_that_says_nothing() {
    for (flow, outcome) in [
        (midstream().open().fin(Client).send(Server, b"hey a\n").fin(Server), "third confirmed"),
        (
            Conversation::tcp(4000, 91).open().fin(Client).send(Server, b"a\n").fin(Server),
            "third confirmed",
        ),
    ] {
        let found = run(&["third"], flow);
        assert_eq!(outcomes(&found), [outcome]);
        let notes = notes(&found, "third");
        assert!(notes.contains(&"4000> Fin ".to_owned()), "{notes:?}");
        assert_eq!(notes.len(), 3, "{notes:?}");
    }
}
