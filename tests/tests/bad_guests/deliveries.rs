//! What a parser is given, and what `skip` and `done` keep from it.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::Run;
use flowcell_tests::packets::Conversation;

use super::{BAD, flow_record, run_with};

/// The deliveries of one flow: what, side, offset, bytes.
fn deliveries(run: &Run) -> Vec<(String, String, u64, String)> {
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stdout);
    let records = run.of_type("reports_deliveries.delivery").into_iter();
    let deliveries = records.map(|record| {
        let text = |name: &str| record["data"][name].as_str().expect("text").to_owned();
        let offset = record["data"]["offset"].as_u64().expect("a number");
        (text("what"), text("side"), offset, text("bytes"))
    });
    deliveries.collect()
}

fn deliveries_of(flow: Conversation) -> Vec<(String, String, u64, String)> {
    deliveries(&run_with("reports_deliveries", &[flow]))
}

fn expected(rows: &[(&str, &str, u64, &str)]) -> Vec<(String, String, u64, String)> {
    let owned = |(what, side, offset, bytes): &(&str, &str, u64, &str)| {
        ((*what).into(), (*side).into(), *offset, (*bytes).into())
    };
    rows.iter().map(owned).collect()
}

fn opened() -> Conversation {
    Conversation::tcp(4000, BAD).open()
}

#[test]
pub(crate) fn reports_deliveries() {
    let flow = opened().send(Client, b"abc").send(Server, b"xyz").send(Client, b"def");
    let rows = [
        ("data", "client", 0, "abc"),
        ("data", "server", 0, "xyz"),
        ("data", "client", 3, "def"),
        ("end", "client", 0, "EndReason::Fin"),
        ("end", "server", 0, "EndReason::Fin"),
    ];
    assert_eq!(deliveries_of(flow.close()), expected(&rows));
}

#[test]
fn a_gap_is_delivered_between_what_is_around_it() {
    let flow = opened().send(Client, b"abc").lose(Client, 7).send(Client, b"def");
    let rows = [
        ("data", "client", 0, "abc"),
        ("gap", "client", 3, "7"),
        ("data", "client", 10, "def"),
        ("end", "client", 0, "EndReason::Reset"),
        ("end", "server", 0, "EndReason::Reset"),
    ];
    let run = run_with("reports_deliveries", &[flow.reset(Client)]);
    assert_eq!(deliveries(&run), expected(&rows));
    assert_eq!(flow_record(&run)["data"]["missed_bytes"], 7);
}

#[test]
fn skipped_bytes_are_not_delivered() {
    let flow = opened().send(Client, b"s").send(Client, b"12345").send(Client, b"67890abc");
    let rows = [
        ("data", "client", 0, "s"),
        ("data", "client", 11, "abc"),
        ("end", "client", 0, "EndReason::Fin"),
        ("end", "server", 0, "EndReason::Fin"),
    ];
    assert_eq!(deliveries_of(flow.close()), expected(&rows));
}

#[test]
fn a_gap_inside_of_what_is_skipped_is_silent_and_the_rest_of_one_that_is_longer_is_not() {
    let inside = opened().send(Client, b"s").lose(Client, 4).send(Client, b"567890abc");
    let rows = [
        ("data", "client", 0, "s"),
        ("data", "client", 11, "abc"),
        ("end", "client", 0, "EndReason::Fin"),
        ("end", "server", 0, "EndReason::Fin"),
    ];
    assert_eq!(deliveries_of(inside.close()), expected(&rows));
    let beyond = opened().send(Client, b"s").lose(Client, 14).send(Client, b"abc");
    let rows = [
        ("data", "client", 0, "s"),
        ("gap", "client", 11, "4"),
        ("data", "client", 15, "abc"),
        ("end", "client", 0, "EndReason::Fin"),
        ("end", "server", 0, "EndReason::Fin"),
    ];
    assert_eq!(deliveries_of(beyond.close()), expected(&rows));
}

#[test]
fn more_can_be_skipped_than_there_can_be() {
    let flow = opened().send(Client, b"S").send(Client, b"12345").send(Server, b"xyz");
    let rows = [
        ("data", "client", 0, "S"),
        ("data", "server", 0, "xyz"),
        ("end", "client", 0, "EndReason::Fin"),
        ("end", "server", 0, "EndReason::Fin"),
    ];
    assert_eq!(deliveries_of(flow.close()), expected(&rows));
}

#[test]
fn nothing_is_delivered_of_a_side_that_is_done() {
    let flow = opened().send(Client, b"d").send(Server, b"xyz").send(Client, b"abc");
    let rows = [
        ("data", "client", 0, "d"),
        ("data", "client", 1, "abc"),
        ("end", "client", 0, "EndReason::Fin"),
    ];
    assert_eq!(deliveries_of(flow.close()), expected(&rows));
}

#[test]
fn datagrams_are_delivered_whole_and_empty_ones_too() {
    let flow = Conversation::tcp(4000, BAD).datagram(Client, b"abc").datagram(Server, b"");
    let flow = flow.datagram(Client, b"de");
    let rows = [
        ("data", "client", 0, "abc"),
        ("data", "server", 0, ""),
        ("data", "client", 3, "de"),
        ("end", "client", 0, "EndReason::Shutdown"),
        ("end", "server", 0, "EndReason::Shutdown"),
    ];
    assert_eq!(deliveries_of(flow), expected(&rows));
}

/// The progress rule: the host calls a parser for what comes from the wire, once for each, and for
/// nothing else. So there is nothing that a parser could ask for again and again.
#[test]
fn a_parser_is_called_once_for_each_thing_that_comes_from_the_wire() {
    let count = |flow: Conversation| deliveries_of(flow).len();
    // Nothing but holes and single bytes.
    let holes = (0..300).fold(opened(), |flow, _| flow.lose(Client, 1).send(Client, b"x"));
    assert_eq!(count(holes.reset(Client)), 300 + 300 + 2);
    // Nothing at all in each datagram.
    let empty = |flow: Conversation, _| flow.datagram(Client, b"").datagram(Server, b"");
    assert_eq!(count((0..300).fold(Conversation::tcp(4000, BAD), empty)), 600 + 2);
    // Packets that bring nothing, and time that passes.
    let idle = opened().send(Client, b"x");
    let idle = (0..300).fold(idle, |flow, _| flow.acknowledged(Server).frame(vec![0; 60]));
    assert_eq!(count(idle.reset(Client)), 1 + 2);
}
