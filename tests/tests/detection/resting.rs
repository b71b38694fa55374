//! Parsers of datagrams that rest, and what else may happen to their flows. Each test has the cells freed as soon
//! as they rest.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::{Conversation, Pcap};

use super::expecting::{counters, sequence};
use super::{Counted, flow_to, notes, outcomes_of, run_pcap};

const GUESTS: [&str; 2] = ["rests_as_told", "nameless"];

/// A run in which cells that rest are freed. One in which they stay leads to the same records, but for those
/// about being opened.
fn run(pcap: &Pcap, limits: &str) -> Counted {
    run_of(&GUESTS, pcap, limits)
}

fn run_of(guests: &[&str], pcap: &Pcap, limits: &str) -> Counted {
    let [freed, kept] =
        ["park", "alone"].map(|mode| run_pcap(guests, pcap, &["--cell-mode", mode], limits));
    assert_ne!(freed.stats["parsers"]["unparks"], 0, "none was opened again");
    let lines = |counted: &Counted| {
        let about = |line: &&str| !line.contains(r#""text":"state""#) && !line.contains("opened: ");
        counted.run.stdout.lines().filter(about).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&freed), lines(&kept));
    freed
}

fn flow() -> Conversation {
    Conversation::tcp(4000, 9)
}

fn told(counted: &Counted) -> Vec<String> {
    notes(&counted.run, "rests_as_told")
}

#[test]
fn a_flow_that_it_expects_has_its_context_each_time() {
    let control = flow().datagram(Client, b"a").datagram(Client, b"expect=2000,rests_as_told,x");
    let control = control.datagram(Server, b"b");
    let flow = Conversation::tcp(5000, 2000).datagram(Client, b"c").datagram(Server, b"d state");
    let counted = run(&sequence(&[&control, &flow]), "");
    let expected = [
        "> a",
        "> expect=2000,rests_as_told,x",
        "< b",
        "opened: x",
        "> c",
        "opened: x",
        "< d state",
        "state",
    ];
    assert_eq!(told(&counted), expected);
    assert_eq!(counters(&counted), [1, 1, 0, 0, 0]);
    let (child, parent) = (flow_to(&counted.run, 2000), flow_to(&counted.run, 9));
    assert_eq!(child["data"]["parent"], parent["uid"]);
    assert_eq!(child["data"]["service"], "rests_as_told");
}

#[test]
fn a_connection_that_it_expects() {
    let control = flow().datagram(Client, b"expectt=2000,nameless,x").datagram(Server, b"b");
    let flow = Conversation::tcp(5000, 2000).open().send(Client, b"c\n").send(Client, b"d\n");
    let counted = run(&sequence(&[&control, &flow]), "");
    assert_eq!(notes(&counted.run, "nameless")[..3], ["5000> expected: x", "5000> c", "5000> d"]);
    let parent = &flow_to(&counted.run, 9)["uid"];
    assert_eq!(flow_to(&counted.run, 2000)["data"]["parent"], *parent);
    assert_eq!(counters(&counted), [1, 1, 0, 0, 0]);
}

/// The next one gets the datagrams behind that with which the flow was handed over, and may rest itself. What was skipped
/// stays so, and a side that was done with.
#[test]
fn handing_over_after_a_rest() {
    let flow = flow().datagram(Client, b"a").datagram(Server, b"b");
    let all = flow.clone().datagram(Client, b"switch=rests_as_told").datagram(Server, b"c state");
    let all = all.datagram(Client, b"d state").datagram(Server, b"switch=nameless");
    let counted = run(&Pcap::of(&[all.datagram(Client, b"e\n")]), "");
    let expected =
        ["> a", "< b", "> switch=rests_as_told", "< c state", "state", "> d state", "state"];
    assert_eq!(told(&counted)[..7], expected);
    let notes_of = counted.run.of_type("rests_as_told.note").into_iter();
    let states = notes_of.filter(|note| note["data"]["text"] == "state");
    // It has not had the flow before.
    let states: Vec<_> = states.filter_map(|note| note["data"]["number"].as_u64()).collect();
    assert_eq!(states, [0, 2]);
    let outcomes = [
        "rests_as_told switched (rests_as_told)",
        "rests_as_told switched (nameless)",
        "nameless confirmed",
    ];
    assert_eq!(outcomes_of(counted.run.only("flow")), outcomes);
    assert_eq!(notes(&counted.run, "nameless")[..1], ["4000> e"]);

    let all = flow.clone().datagram(Client, b"skip=3").datagram(Client, b"12");
    let all = all.datagram(Client, b"3switch=nameless").datagram(Server, b"c\n");
    let counted = run(&Pcap::of(&[all.datagram(Client, b"d\n")]), "");
    assert_eq!(told(&counted), ["> a", "< b", "> skip=3", "> switch=nameless"]);
    assert_eq!(notes(&counted.run, "nameless")[..2], ["9> c", "4000> d"]);

    let all = flow.clone().datagram(Client, b"skip=5").datagram(Client, b"12");
    let all = all.datagram(Server, b"switch=nameless").datagram(Client, b"34");
    let all = all.datagram(Client, b"5d\n").datagram(Server, b"c\n");
    let counted = run(&Pcap::of(&[all]), "");
    assert_eq!(notes(&counted.run, "nameless")[..2], ["4000> d", "9> c"]);

    let all = flow.datagram(Client, b"done").datagram(Server, b"c");
    let all = all.datagram(Client, b"switch=nameless").datagram(Server, b"d\n");
    let counted = run(&Pcap::of(&[all.datagram(Client, b"e\n")]), "");
    assert_eq!(told(&counted), ["> a", "< b", "> done", "> switch=nameless"]);
    assert_eq!(notes(&counted.run, "nameless")[..1], ["4000> e"]);
}

/// One that the flow was handed to counts bytes of each side from the start, as with streams.
#[test]
fn offsets_go_on() {
    let all = flow().datagram(Client, b"12345").datagram(Server, b"123");
    let all = all.datagram(Client, b"switch=rests_as_told").datagram(Server, b"c");
    let counted = run(&Pcap::of(&[all.datagram(Client, b"d").datagram(Client, b"e")]), "");
    let notes = counted.run.of_type("rests_as_told.note").into_iter();
    let offsets: Vec<_> = notes.filter_map(|note| note["data"]["number"].as_u64()).collect();
    assert_eq!(offsets, [0, 0, 5, 3, 25, 26]);
}

/// What it has skipped, or was done with, does not come when it is opened again.
#[test]
fn skipping_before_it_rests() {
    let all = flow().datagram(Client, b"skip=5 done").datagram(Client, b"123");
    let all = all.datagram(Server, b"b").datagram(Client, b"45a").datagram(Server, b"c");
    let counted = run(&Pcap::of(&[all.datagram(Client, b"d state")]), "");
    assert_eq!(told(&counted), ["> skip=5 done", "> a", "> d state", "state"]);
}

/// A candidate that has not confirmed may rest, and still makes way for the next one, which gets all.
#[test]
fn a_candidate_that_rests() {
    let all = Conversation::tcp(4000, 7777).datagram(Client, b"HEY quiet\n");
    let all = all.datagram(Server, b"quiet b\n").datagram(Client, b"quiet decline\n");
    let all = all.datagram(Client, b"third:talk\n");
    let counted = run_of(&["rests_as_told", "third"], &Pcap::of(&[all]), "");
    assert_eq!(told(&counted), Vec::<String>::new());
    let outcomes = ["rests_as_told declined (as told)", "third confirmed"];
    assert_eq!(outcomes_of(counted.run.only("flow")), outcomes);
    let of_third = notes(&counted.run, "third");
    assert_eq!(of_third[..2], ["4000> HEY quiet", "7777> quiet b"], "{of_third:?}");
}

/// Who has confirmed before it was freed has the flow for good, and is told so.
#[test]
fn declining_after_it_has_confirmed_and_rested() {
    for (order, outcome) in [("decline", "failed (as told)"), ("fail", "failed (as told)")] {
        let all = Conversation::tcp(4000, 7777).datagram(Client, b"HEY a").datagram(Server, b"b");
        let last = format!("quiet {order}");
        let all = all.datagram(Client, last.as_bytes()).datagram(Client, b"c");
        let counted = run(&Pcap::of(&[all]), "");
        assert_eq!(told(&counted), ["> HEY a", "< b"]);
        let flow = counted.run.only("flow");
        assert_eq!(outcomes_of(flow), [format!("rests_as_told {outcome}")]);
        assert_eq!(flow["data"]["service"], "rests_as_told");
    }
}

/// Flows that rest end as others do, and nobody is told.
#[test]
fn ends_of_flows_that_rest() {
    let all = |port| Conversation::tcp(port, 9).datagram(Client, b"a").datagram(Server, b"b");
    let late = Conversation::tcp(4999, 10).datagram(Client, b"z");
    let (one, two) = (all(4000), all(4001));
    let frames = one.frames().iter().chain(two.frames());
    let pcap = frames.fold(Pcap::new(1).every(1000), |pcap, frame| pcap.frame(frame));
    let idle = run(&pcap.clone().wait(3_600_000_000).frame(&late.frames()[0]), "");
    let evicted = run(&pcap.frame(&late.frames()[0]), "[engine]\nmax_flows = 16\n");
    for (counted, reasons) in [(idle, ["idle", "idle"]), (evicted, ["evicted", "evicted"])] {
        assert_eq!(told(&counted), ["> a", "< b", "> a", "< b"]);
        let flows = counted.run.of_type("flow").into_iter();
        let ours = flows.filter(|flow| flow["resp_port"] == 9);
        let ended: Vec<_> = ours.map(|flow| flow["data"]["end_reason"].clone()).collect();
        assert_eq!(ended, reasons);
    }
    // One that waits is told when another instance has rested before.
    let all = flow().datagram(Client, b"a").datagram(Client, b"pend");
    let counted = run(&Pcap::of(&[all]), "");
    assert_eq!(told(&counted), ["> a", "> pend", "end"]);
}
