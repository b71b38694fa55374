//! The scripts as captures, through the whole program.

use flowcell_sdk::testing::{Cut, FlowScript, Outcome};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};
use serde_json::{Value, json};

use super::{CUTS, Tested, all, native, parsers_folder, show_times};

#[test]
fn the_program_gives_the_records_of_the_native_parser() {
    for tested in all() {
        let scratch = Scratch::new();
        let parsers = parsers_folder(&tested, &scratch);
        for cut in CUTS {
            let mut conversations = Vec::new();
            let mut scripts = Vec::new();
            for (path, script) in &tested.scripts {
                match Conversation::of_script(script, cut) {
                    Ok(conversation) => {
                        conversations.push(conversation);
                        scripts.push((path, script));
                    }
                    // The cell has seen it.
                    Err(why) => println!("skipped: {}: not in a capture: {why}", path.display()),
                }
            }
            assert!(!scripts.is_empty(), "{}", tested.name);
            let capture = scratch.capture("all.pcap", &Pcap::of(&conversations));
            let mut command = flowcell(["run", "-q", "--strict", "--parsers"]);
            let run = Run::of(command.arg(&parsers).arg("-r").arg(capture));
            assert_eq!(run.code, Some(0), "{}{:?}", run.stderr, run.of_type("fault"));
            for (path, script) in scripts {
                let expected = native(&tested, script, cut, |_| json!("a time"));
                let outcome = of_flow(&run, &tested, script);
                let place = format!("{}, cut {cut:?}", path.display());
                assert_eq!(outcome.records, expected.records, "{place}");
                assert_eq!(outcome.verdicts, [verdict(&expected)], "{place}");
            }
        }
    }
}

/// What the program says of the script's flow: the records, and the outcome in the flow's record.
fn of_flow(run: &Run, tested: &Tested, script: &FlowScript) -> Outcome {
    let port = script.info.client.port();
    let ours = |record: &&Value| record["orig_port"] == port || record["resp_port"] == port;
    let mut outcome = Outcome::default();
    let prefix = format!("{}.", tested.def.name);
    for record in run.records.iter().filter(ours) {
        let ty = record["type"].as_str().expect("a type");
        if let Some(name) = ty.strip_prefix(&prefix) {
            let mut data = record["data"].clone();
            let schema = tested.def.records.iter().find(|schema| schema.name == name);
            show_times(schema.expect("described"), &mut data, &|_| json!("a time"));
            outcome.records.push((name.into(), data));
        } else {
            assert_eq!(ty, "flow", "{record}");
            let parser = &record["data"]["parsers"][0];
            let reason = parser["reason"].as_str().unwrap_or_default();
            outcome.verdicts.push(format!("{} {reason}", parser["outcome"].as_str().unwrap_or("")));
        }
    }
    outcome
}

/// What the flow's record must say.
fn verdict(expected: &Outcome) -> String {
    let confirmed = expected.verdicts.iter().any(|verdict| verdict == "confirm");
    let mut reasons = expected.verdicts.iter().filter_map(|verdict| verdict.split_once(' '));
    let (what, reason) = match reasons.next_back() {
        Some(("decline", reason)) if !confirmed => ("declined", reason),
        Some((_, reason)) => ("failed", reason),
        None if confirmed => ("confirmed", "\"\""),
        None => ("unconfirmed", "\"\""),
    };
    let reason: String = serde_json::from_str(reason).expect("a quoted reason");
    format!("{what} {reason}")
}

/// The same bytes in any segments, through the whole program.
#[test]
fn segments_change_no_record() {
    let scratch = Scratch::new();
    let tested = all().into_iter().find(|tested| tested.name == "smtp").expect("smtp");
    let parsers = parsers_folder(&tested, &scratch);
    let conversations = |cut| {
        let of = |(_, script): &(_, FlowScript)| Conversation::of_script(script, cut).ok();
        tested.scripts.iter().filter_map(of).collect::<Vec<_>>()
    };
    let records = |cut| {
        let capture = scratch.capture("cut.pcap", &Pcap::of(&conversations(cut)));
        let mut command = flowcell(["run", "-q", "--types", "smtp.*", "--parsers"]);
        let run = Run::of(command.arg(&parsers).arg("-r").arg(capture));
        let mut records: Vec<String> = run
            .records
            .iter()
            .map(|record| {
                let mut data = record["data"].clone();
                let name =
                    record["type"].as_str().and_then(|ty| ty.split_once('.')).expect("a type").1;
                let schema = tested.def.records.iter().find(|schema| schema.name == name);
                show_times(schema.expect("described"), &mut data, &|_| Value::Null);
                format!("{} {} {data}", record["orig_port"], record["type"])
            })
            .collect();
        // In one flow they keep their order; between flows it depends on the cut.
        records.sort_by_key(|record| record.split(' ').next().map(str::to_owned));
        records
    };
    let whole = records(Cut::Whole);
    assert!(whole.len() > 50, "{whole:#?}");
    for cut in [Cut::Lines, Cut::At(1), Cut::At(7), Cut::At(40), Cut::At(100)] {
        assert_eq!(records(cut), whole, "cut {cut:?}");
    }
}
