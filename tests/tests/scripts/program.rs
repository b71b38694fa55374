//! The scripts as captures, through the whole program.

use flowcell_sdk::Schema;
use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};
use serde_json::{Value, json};

use super::{CUTS, Tested, all, hide_spans, native, parsers_folder, show_times};

#[test]
fn the_program_gives_the_records_of_the_native_parser() {
    let mut wrong = Vec::new();
    for tested in all() {
        let scratch = Scratch::new();
        let parsers = parsers_folder(&tested, &scratch);
        // A run shows secrets or does not.
        let runs = [false, true].into_iter().flat_map(|shown| CUTS.map(|cut| (shown, cut)));
        for (shown, cut) in runs {
            let mut conversations = Vec::new();
            let mut scripts = Vec::new();
            let wanted = |script: &FlowScript| script.info.secrets.are_shown() == shown;
            for (path, script) in tested.scripts.iter().filter(|(_, script)| wanted(script)) {
                let data = |step: &Step| matches!(step, Step::Data { .. });
                if script.info.context.is_some() || !script.steps.iter().any(data) {
                    // Nobody has expected it, or it says nothing: no parser is started.
                    println!("skipped: {}: not in a capture", path.display());
                    continue;
                }
                match Conversation::of_script(script, cut) {
                    Ok(conversation) => {
                        conversations.push(conversation);
                        scripts.push((path, script));
                    }
                    // The cell has seen it.
                    Err(why) => println!("skipped: {}: not in a capture: {why}", path.display()),
                }
            }
            if scripts.is_empty() && shown {
                continue; // it knows no secrets
            }
            assert!(!scripts.is_empty(), "{}", tested.name);
            let capture = scratch.capture("all.pcap", &Pcap::of(&conversations));
            let mut command = flowcell(["run", "-q", "--strict", "--parsers"]);
            command.arg(&parsers).arg("--map").arg(format!("*={}", tested.def.name));
            command.args(shown.then_some("--show-secrets"));
            let run = Run::of(command.arg("-r").arg(capture));
            assert_eq!(run.code, Some(0), "{}{:?}", run.stderr, run.of_type("fault"));
            for (path, script) in scripts {
                let mut expected = native(&tested, script, cut, |_| json!("a time"));
                for (name, data) in &mut expected.records {
                    hide_spans(schema(&tested, name), data);
                }
                let outcome = of_flow(&run, &tested, script);
                let place = format!("{}, cut {cut:?}", path.display());
                if WAITS.iter().any(|name| path.ends_with(name)) {
                    println!("skipped: {}: heard in another order", path.display());
                } else if outcome.records != expected.records {
                    wrong.push(format!(
                        "{place}: {:#?} for {:#?}",
                        outcome.records, expected.records
                    ));
                } else if outcome.verdicts != [verdict(&expected)] {
                    wrong.push(format!(
                        "{place}: {:?} for {:?}",
                        outcome.verdicts, expected.verdicts
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Scripts whose sides are not heard in the order of their lines by the program: it gives a hole time to be
/// filled, and what the other side says meanwhile comes first.
const WAITS: [&str; 2] = ["gap-in-commands.flow", "gap-over-replies.flow"];

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
            show_times(schema(tested, name), &mut data, &|_| json!("a time"));
            hide_spans(schema(tested, name), &mut data);
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

fn schema(tested: &Tested, name: &str) -> &'static Schema {
    let schema = tested.def.records.iter().find(|schema| schema.name == name);
    schema.expect("described")
}

/// What the flow's record must say.
fn verdict(expected: &Outcome) -> String {
    let confirmed = expected.verdicts.iter().any(|verdict| verdict == "confirm");
    let expects = |verdict: &&String| verdict.starts_with("expect ");
    let reasons = expected.verdicts.iter().filter(|verdict| !expects(verdict));
    let mut reasons = reasons.filter_map(|verdict| verdict.split_once(' '));
    let (what, reason) = match reasons.next_back() {
        Some(("switch_to", to)) => ("switched", to.split(" client ").next().unwrap_or(to)),
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
                show_times(schema(&tested, name), &mut data, &|_| Value::Null);
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
