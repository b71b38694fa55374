//! Flows that rest, many more of a lane than stay as they are.

use std::ffi::OsStr;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::Scratch;
use flowcell_tests::packets::{Conversation, Pcap};

use super::{made, same_on_all};

/// What the datagrams of a flow say.
const SCRIPTS: [[&str; 4]; 8] = [
    ["a", "b state", "c", "d state"],
    ["a", "pend", "b", "c state"],
    ["a", "b", "trap", "c"],
    ["expect=9,rests_as_told,x", "a", "expect=9,nobody,x", "b"],
    ["skip=3", "a", "1234", "done"],
    ["a", "b", "switch=rests_as_told", "c state"],
    ["quiet", "quiet", "decline", "a"],
    ["a", "b", "emit=30", "emit=30"],
];

#[test]
fn many_flows_that_rest() {
    let scratch = Scratch::new();
    let flows: Vec<_> = (0..800_u16)
        .map(|number| {
            let flow = Conversation::of_its_own(number, 4000, 9);
            let script =
                SCRIPTS[usize::from(number % 8)].iter().zip([Client, Server, Client, Client]);
            script.fold(flow, |flow, (word, side)| flow.datagram(side, word.as_bytes()))
        })
        .collect();
    let file = scratch.capture("flows.pcap", &Pcap::of(&flows));
    let parsers = scratch.parsers(&["rests_as_told"]);
    for max_flows in [1000, 700] {
        let limits =
            format!("[cells]\nrecords_per_second = 50\n[engine]\nmax_flows = {max_flows}\n");
        let limits = scratch.write("limits.toml", limits);
        check([&parsers, &limits, &file].map(|path| path.as_os_str()), max_flows < 800);
    }
}

fn check([parsers, limits, file]: [&OsStr; 3], evicts: bool) {
    let arguments =
        ["--parsers".as_ref(), parsers, "--limits".as_ref(), limits, "-r".as_ref(), file];
    let run = same_on_all("run", &arguments, None);
    let stats = made("run", &arguments, "2", None).stats;
    let stats: serde_json::Value = serde_json::from_slice(&stats).expect("JSON");
    let count = |name: &str| stats["parsers"][name].as_u64().unwrap_or_default();
    let faults = &stats["parsers"]["faults"];
    assert!(count("unparks") > if evicts { 100 } else { 1000 }, "{}", stats["parsers"]);
    assert!(faults["trap"].as_u64() > Some(10), "{faults}");
    // Who is evicted begins with nothing used up.
    assert!(faults["record_flood"].as_u64() > Some(if evicts { 1 } else { 50 }), "{faults}");
    let evicted = run.of_type("flow").into_iter();
    let evicted = evicted.filter(|flow| flow["data"]["end_reason"] == "evicted").count();
    assert_eq!(evicted > 0, evicts);
}
