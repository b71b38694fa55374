//! A parser says which flow is to come, and who gets it.

use std::net::IpAddr;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::layers::gre;
use flowcell_tests::packets::{Conversation, Pcap};
use serde_json::Value;

use super::{Counted, flow_to, notes, outcomes_of, run_pcap};

const GUESTS: [&str; 3] = ["expecting", "nameless", "digests"];

/// A flow whose client says that others are to come.
pub(crate) fn control(orders: &str) -> Conversation {
    let flow = Conversation::tcp(4000, 21).open();
    flow.send(Client, format!("CONTROL {orders}\n").as_bytes())
}

/// Frames one after the other.
pub(crate) fn sequence(flows: &[&Conversation]) -> Pcap {
    let frames = flows.iter().flat_map(|flow| flow.frames());
    frames.fold(Pcap::new(1).every(1000), |pcap, frame| pcap.frame(frame))
}

pub(crate) fn run(pcap: &Pcap) -> Counted {
    run_pcap(&GUESTS, pcap, &[], "")
}

/// The counters of flows that were expected, in order of name: expected, met, refused, forgotten, expired.
pub(crate) fn counters(counted: &Counted) -> [u64; 5] {
    let counters = &counted.stats["parsers"]["expectations"];
    let names = ["expected", "met", "refused", "forgotten", "expired"];
    names.map(|name| counters[name].as_u64().unwrap_or_else(|| panic!("no {name}")))
}

#[track_caller]
pub(crate) fn assert_child(counted: &Counted, child: &Value) {
    assert_eq!(outcomes_of(child), ["nameless confirmed"]);
    assert_eq!(child["data"]["parent"], flow_to(&counted.run, 21)["uid"]);
}

#[test]
fn a_flow_to_either_host() {
    let to_server = Conversation::tcp(5000, 2000).open().send(Client, b"a\n").close();
    let host = |last| IpAddr::from([10, 0, 0, last]);
    let to_client = Conversation::between((host(2), 20).into(), (host(1), 3000).into()).open();
    let to_client = to_client.send(Client, b"b\n").close();
    let control = control("expecting:expect=2000,nameless,one expecting:expectc=3000,nameless,two");
    let counted = run(&sequence(&[&control, &to_server, &to_client]));
    for (port, context, line) in [(2000, "one", "5000> a"), (3000, "two", "20> b")] {
        assert_child(&counted, flow_to(&counted.run, port));
        let notes = notes(&counted.run, "nameless");
        let at = notes.iter().position(|note| note.contains(context)).expect("its context");
        assert_eq!(notes[at + 1], line);
    }
    assert_eq!(counters(&counted), [2, 2, 0, 0, 0]);
    assert!(flow_to(&counted.run, 21)["data"].get("parent").is_none());
}

#[test]
fn over_udp() {
    let control = control("expecting:expectu=2000,nameless,x");
    // The first datagram comes from where the flow was to go.
    let flow = Conversation::tcp(5000, 2000).datagram(Server, b"a\n").datagram(Client, b"b\n");
    let counted = run(&sequence(&[&control, &flow]));
    assert_eq!(notes(&counted.run, "nameless")[..3], ["5000> expected: x", "2000> a", "5000> b"]);
    assert_eq!(counters(&counted), [1, 1, 0, 0, 0]);
    // A connection is another thing.
    let flow = Conversation::tcp(5000, 2000).open().send(Client, b"a\n").close();
    let counted = run(&sequence(&[&control, &flow]));
    assert_eq!((notes(&counted.run, "nameless").len(), counters(&counted)), (0, [1, 0, 0, 0, 0]));
}

/// What counts is its first byte, not its handshake.
#[test]
fn one_that_was_opened_before_it_was_expected() {
    let control = control("expecting:expect=2000,nameless,x");
    let opened = Conversation::tcp(5000, 2000).open();
    let said = opened.clone().send(Client, b"a\n").close();
    let mut frames = opened.frames().to_vec();
    frames.extend_from_slice(control.frames());
    frames.extend_from_slice(&said.frames()[opened.frames().len()..]);
    let pcap = frames.iter().fold(Pcap::new(1).every(1000), |pcap, frame| pcap.frame(frame));
    let counted = run(&pcap);
    assert_child(&counted, flow_to(&counted.run, 2000));
    let counted = run(&sequence(&[&said, &control]));
    assert!(outcomes_of(flow_to(&counted.run, 2000)).is_empty());
    assert_eq!(counters(&counted), [1, 0, 0, 0, 0]);
}

/// It says something even if nothing is in it.
#[test]
fn one_without_data() {
    let control = control("expecting:expect=2000,nameless,x");
    let counted = run(&sequence(&[&control, &Conversation::tcp(5000, 2000).open().close()]));
    assert_child(&counted, flow_to(&counted.run, 2000));
    let ends = ["5000> expected: x", "5000> Fin ", "2000> Fin "];
    assert_eq!(notes(&counted.run, "nameless"), ends);
}

#[test]
fn only_the_first_one() {
    let control = control("expecting:expect=2000,nameless,x");
    let flow = |port| Conversation::tcp(port, 2000).open().send(Client, b"a\n").close();
    let counted = run(&sequence(&[&control, &flow(5000), &flow(5001)]));
    let flows = counted.run.of_type("flow").into_iter().filter(|flow| flow["resp_port"] == 2000);
    let found: Vec<_> = flows.map(|flow| outcomes_of(flow).len()).collect();
    assert_eq!((found, counters(&counted)), (vec![1, 0], [1, 1, 0, 0, 0]));
}

#[test]
fn what_was_said_last_counts() {
    let control = control("expecting:expect=2000,digests,x expecting:expect=2000,nameless,y");
    let flow = Conversation::tcp(5000, 2000).open().send(Client, b"a\n").close();
    let counted = run(&sequence(&[&control, &flow]));
    assert_eq!(notes(&counted.run, "nameless")[0], "5000> expected: y");
    assert_eq!(counters(&counted), [2, 1, 0, 0, 0]);
}

/// It is a flow like others then, but one of a family.
#[test]
fn by_a_parser_that_is_not_there() {
    let control = control("expecting:expect=2000,nobody,x");
    let flow = Conversation::tcp(5000, 2000).open().send(Client, b"CONTROL\n").close();
    let counted = run(&sequence(&[&control, &flow]));
    let child = flow_to(&counted.run, 2000);
    assert_eq!(child["data"]["parent"], flow_to(&counted.run, 21)["uid"]);
    assert!(outcomes_of(child).is_empty());
}

#[test]
fn between_other_hosts_nothing_is_expected() {
    let control = control("expecting:expecto=2000,nameless,x");
    let (client, server) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 99, 99, 99]));
    let flow = Conversation::between((client, 5000).into(), (server, 2000).into()).open();
    let counted = run(&sequence(&[&control, &flow.send(Client, b"a\n").close()]));
    assert!(outcomes_of(flow_to(&counted.run, 2000)).is_empty());
    assert_eq!(counters(&counted), [0, 0, 1, 0, 0]);
}

/// In a tunnel, flows in a tunnel are expected, and no others. Its id may be another in each direction, and
/// does not tell flows apart.
#[test]
fn within_a_tunnel() {
    let control = control("expecting:expect=2000,nameless,x");
    let flow = Conversation::tcp(5000, 2000).open().send(Client, b"a\n").close();
    for (key, met) in [(Some(1), 1), (Some(2), 1), (None, 0)] {
        let inner = control.frames().iter().map(|frame| gre(frame, 1));
        let other = flow.frames().iter().map(|frame| match key {
            Some(key) => gre(frame, key),
            None => frame.clone(),
        });
        let frames: Vec<_> = inner.chain(other).collect();
        let pcap = frames.iter().fold(Pcap::new(1).every(1000), |pcap, frame| pcap.frame(frame));
        let counted = run(&pcap);
        assert_eq!(counters(&counted), [1, met, 0, 0, 0], "{key:?}");
    }
}

/// The operator's word comes before what traffic says.
#[test]
fn not_what_is_mapped() {
    let control = control("expecting:expect=2000,nameless,x");
    let flow = Conversation::tcp(5000, 2000).open().send(Client, b"a\n").close();
    let scratch = Scratch::new();
    let capture = scratch.capture("a.pcap", &sequence(&[&control, &flow]));
    let mut command = flowcell(["run", "-q", "--map", "2000=third", "--parsers"]);
    command.arg(scratch.parsers(&["expecting", "nameless", "third"])).arg("-r").arg(capture);
    let run = Run::of(&mut command);
    let flow = flow_to(&run, 2000);
    assert!(flow["data"]["parent"].is_null(), "{flow}");
    assert_eq!(flow["data"]["parsers"][0]["parser"], "third@0.1.0", "{flow}");
}

/// An attempt that is refused uses nothing up.
#[test]
fn after_an_attempt_that_was_refused() {
    let control = control("expecting:expect=2000,nameless,x");
    let refused = Conversation::tcp(4999, 2000).open().reset(Server);
    let flow = Conversation::tcp(5000, 2000).open().send(Client, b"a\n").close();
    let counted = run(&sequence(&[&control, &refused, &flow]));
    assert_eq!(counters(&counted), [1, 1, 0, 0, 0]);
    let parsed = counted.run.of_type("flow").into_iter();
    let parsed = parsed.filter(|flow| flow["resp_port"] == 2000 && !outcomes_of(flow).is_empty());
    assert_eq!(parsed.map(|flow| &flow["orig_port"]).collect::<Vec<_>>(), [5000]);
}
