//! Limits of cells: a parser that runs into each, wherever the limit is.

use flowcell::runtime::CellLimits;
use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::{Conversation, Pcap};

use flowcell_tests::command::{Run, Scratch, flowcell};

use super::{Counted, run_with};

/// One conversation for the bad parsers.
fn line() -> Pcap {
    let flow = Conversation::tcp(4000, 9).open();
    Pcap::of(&[flow.send(Client, b"one\r\n").send(Server, b"ONE\r\n").close()])
}

/// A limit, who runs into it, and what is seen of that.
struct Case {
    guest: &'static str,
    /// Lines of the file that are there in all runs.
    base: &'static str,
    /// As it stands in the file.
    value: &'static str,
    seen: fn(&Counted) -> String,
    by_default: &'static str,
    /// With the file.
    set: &'static str,
}

/// The message of the only fault.
fn fault(counted: &Counted) -> String {
    let fault = counted.run.only("fault");
    fault["data"]["message"].as_str().unwrap_or_default().to_owned()
}

/// What became of the parser, with the class of its fault.
fn outcome(counted: &Counted) -> String {
    let parser = &counted.run.only("flow")["data"]["parsers"][0];
    let text = |name: &str| parser[name].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("outcome"), text("reason"))
}

fn case(name: &str) -> Case {
    let mut base = "";
    let (guest, value, seen, by_default, set): (_, _, fn(&Counted) -> String, _, _) = match name {
        "memory" => (
            "long_record",
            "'256 KiB'",
            |counted| counted.stats["parsers"]["faults"].to_string(),
            r#"{"bad_record":1}"#,
            r#"{"memory":1}"#,
        ),
        "table_elements" => (
            "table_bomb",
            "5000",
            fault,
            "10001 table elements wanted, 10000 allowed (`table_elements`)",
            "5001 table elements wanted, 5000 allowed (`table_elements`)",
        ),
        // It spins until it is stopped, so that it does not matter when the clock's thread gets its turn.
        "flow_cpu" => ("loop_in_poll", "1", outcome, "fault deadline", "fault cpu"),
        "flow_cpu_per_mib" => {
            // Enough for what comes before the line.
            base = "flow_cpu = 50\n";
            ("loop_in_poll", "'1000 min'", outcome, "fault cpu", "fault deadline")
        }
        "record_bytes" => (
            "long_record",
            "'1 KiB'",
            fault,
            "record `note` of 262145 bytes, 262144 allowed",
            "record `note` of 262144 bytes, 1024 allowed",
        ),
        "records_per_call" => (
            "record_flood",
            "10",
            fault,
            "more than 65536 records in one call",
            "more than 10 records in one call",
        ),
        "output_bytes" => (
            "output_flood",
            "'300 kB'",
            fault,
            "more than 524288 bytes of output in one call",
            "more than 300000 bytes of output in one call",
        ),
        "records_per_second" => (
            "record_flood",
            "10",
            fault,
            "more than 65536 records in one call",
            "more than 10 records in a second of packet time",
        ),
        "output_per_second" => {
            ("stray_texts", "'300 kB'", outcome, "confirmed ", "fault record_flood")
        }
        // The line of 1 MiB is within the bounds then.
        "host_call_bytes" => ("long_log", "'2 MiB'", outcome, "fault host_call", "unconfirmed "),
        "log_lines" => (
            "log_flood",
            "5",
            |counted| counted.stats["parsers"]["log_lines_dropped"].to_string(),
            "984",
            "995",
        ),
        "log_lines_per_second" => (
            "log_flood",
            "5",
            |counted| counted.stats["parsers"]["log_lines_dropped"].to_string(),
            "984",
            "995",
        ),
        "text_bytes" => (
            "log_flood",
            "6",
            |counted| {
                let lines = counted.run.stderr.lines();
                let texts = lines.filter_map(|line| line.split_once(": line "));
                texts.map(|(_, text)| text.len()).max().unwrap_or(0).to_string()
            },
            "1021",
            "1",
        ),
        _ => panic!("no parser runs into the limit `{name}`: add one"),
    };
    Case { guest, base, value, seen, by_default, set }
}

/// Limits with a test of their own.
const APART: [&str; 2] = ["call_time", "parser_cpu"];

#[test]
fn every_limit_is_reached_where_it_is_set() {
    let rows = CellLimits::TABLE.iter().filter(|row| !row.fixed && !APART.contains(&row.name));
    for row in rows {
        let Case { guest, base, value, seen, by_default, set } = case(row.name);
        let text = format!("{} = {value}\n", row.name);
        let seen = |limits: &str| seen(&run_with(&[guest], &line(), Some(limits)));
        let without = format!("[cells]\n{base}");
        assert_eq!(seen(&without), by_default, "{text} without the line");
        let for_all = format!("[cells]\n{base}{text}");
        assert_eq!(seen(&for_all), set, "{for_all}");
        let for_one = format!("[cells.{guest}]\n{base}{text}");
        assert_eq!(seen(&for_one), set, "{for_one}");
        let for_another = format!("[cells]\n{base}[cells.echo]\n{text}");
        assert_eq!(seen(&for_another), by_default, "{for_another}");
    }
}

/// A guest that spins takes the CPU time that it is given, so the run takes at least as long.
#[test]
fn call_time_is_given_and_taken() {
    let started = std::time::Instant::now();
    let counted = run_with(&["loop_in_poll"], &line(), Some("[cells]\ncall_time = '1500 ms'\n"));
    assert_eq!(fault(&counted), "the call took too long (`call_time`)");
    assert!(started.elapsed().as_millis() >= 1500, "the guest got less");
}

#[test]
fn cells_at_a_time() {
    let flow = |port| Conversation::tcp(port, 7).open().send(Client, b"a\n").send(Server, b"a\n");
    let both = Pcap::of(&[flow(4000).close(), flow(4001).close()]);
    let no_room =
        |limits: Option<&str>| run_with(&[], &both, limits).stats["parsers"]["no_room"].clone();
    assert_eq!(no_room(None), 0);
    assert_eq!(no_room(Some("[cells]\ncells = 1\n")), 1);
}

/// Lanes share the cells, and together they never have more than the limit, though it can't be divided
/// evenly.
#[test]
fn cells_are_never_more_than_the_limit() {
    let flow = |index| Conversation::of_its_own(index, 4000, 7).open().send(Client, b"a\n");
    let flows: Vec<_> = (0..100).map(flow).collect();
    let pcap = Pcap::of(&flows);
    for most in [1, 7, 16, 17, 31, 47] {
        let run = run_with(&[], &pcap, Some(&format!("[cells]\ncells = {most}\n")));
        let count = |name: &str| run.stats["parsers"][name].as_u64().expect("a counter");
        let (parsed, no_room) = (count("parsed_flows"), count("no_room"));
        assert_eq!(parsed + no_room, 100, "{most}");
        assert!(parsed <= most, "{parsed} cells, {most} allowed");
        assert!(parsed > 0 && 2 * parsed >= most.min(32), "{parsed} cells of {most}");
    }
}

/// A parser that asks for more than it may have is refused when it is loaded, under its own limits and
/// not under those of others.
#[test]
fn a_parser_is_described_under_its_own_limits() {
    let big = |limits: &str| run_with(&["big_table"], &line(), Some(limits)).run;
    let own = big("[cells.big_table]\ntable_elements = 30_000\n");
    assert_eq!((own.code, own.stderr.as_str()), (Some(0), ""));
    let others = big("[cells.echo]\ntable_elements = 30_000\n");
    assert_eq!(others.code, Some(2), "{}", others.stderr);
    assert!(
        others.stderr.contains("20000 table elements wanted, 10000 allowed (`table_elements`)"),
        "{}",
        others.stderr
    );
}

/// What a parser says, and what lies beside its file, changes nothing: limits are the operator's.
#[test]
fn a_parser_can_not_raise_its_own_limits() {
    let scratch = Scratch::new();
    let capture = scratch.capture("some.pcap", &line());
    let parsers = scratch.parsers(&["claims_much"]);
    let claims = "[cells.claims_much]\nmemory = '1 GiB'\n[cells]\nmemory = '1 GiB'\n";
    for name in ["limits.toml", "claims_much.toml", "claims_much.wasm.toml", ".limits.toml"] {
        scratch.write(&format!("parsers/{name}"), claims);
    }
    let run = Run::of(flowcell(["run", "-q", "--parsers"]).arg(parsers).arg("-r").arg(capture));
    let message = &run.only("fault")["data"]["message"];
    assert_eq!(message, "5308416 bytes of memory wanted, 4194304 allowed (`memory`)");
}

/// 130,000 records of one flow, all at the same time: as many as there are lines to speak of.
#[test]
fn an_honest_parser_does_not_meet_them_however_fast_its_flow_is() {
    let lines = b"a\n".repeat(8192);
    let flow = (0..16).fold(Conversation::tcp(4000, 7).open(), |flow, _| {
        flow.send(Client, &lines).send(Server, &lines)
    });
    let frames = flow.close().frames().to_vec();
    let pcap = frames.iter().fold(Pcap::new(1).every(0), |pcap, frame| pcap.frame(frame));
    let counted = run_with(&[], &pcap, None);
    assert_eq!(counted.run.of_type("fault"), Vec::<&serde_json::Value>::new());
    assert_eq!(counted.stats["records"]["echo.exchange"], 16 * 8192);
}
