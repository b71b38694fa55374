//! What a flow may use goes on where its cell is freed because it rests, and another one is opened.

use flowcell_sdk::Side::Client;
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};

/// Runs `rests_as_told` over a flow of these datagrams, a millisecond from one to the next. `freed`: each
/// is for a new cell.
fn run(words: &[&str], freed: bool, options: &[&str], limits: &str) -> Run {
    let say = |flow: Conversation, word: &&str| flow.datagram(Client, word.as_bytes());
    let flow = words.iter().fold(Conversation::tcp(4000, 9), say);
    run_pcap(&frames(&[&flow]), freed, options, limits)
}

fn frames(flows: &[&Conversation]) -> Pcap {
    let frames = flows.iter().flat_map(|flow| flow.frames());
    frames.fold(Pcap::new(1).every(1000), |pcap, frame| pcap.frame(frame))
}

fn run_pcap(pcap: &Pcap, freed: bool, options: &[&str], limits: &str) -> Run {
    let scratch = Scratch::new();
    let capture = scratch.capture("some.pcap", pcap);
    let mode = if freed { "park" } else { "alone" };
    let mut command = flowcell(["run", "-q", "--cell-mode", mode, "--parsers"]);
    command.arg(scratch.parsers(&["rests_as_told"])).args(options);
    command.arg("--limits").arg(scratch.write("limits.toml", limits));
    Run::of(command.arg("-r").arg(capture))
}

fn notes(run: &Run) -> usize {
    run.of_type("rests_as_told.note").len()
}

#[test]
fn the_time_of_all_cells_of_a_flow_together() {
    let limits = "[cells]\nflow_cpu = 20\nflow_cpu_per_mib = 0\n";
    let [freed, kept] =
        [true, false].map(|freed| run(&["work"; 40], freed, &["--deterministic"], limits));
    for run in [&freed, &kept] {
        assert_eq!(run.only("fault")["data"]["class"], "cpu", "{}", run.stderr);
    }
    let (freed, kept) = (notes(&freed), notes(&kept));
    // It is opened with each datagram, which takes instructions, too, but few.
    assert!(kept > 1 && (kept - 1..=kept).contains(&freed), "{freed} of {kept}");
}

#[test]
fn records_of_all_cells_of_a_flow_in_a_second() {
    let limits = "[cells]\nrecords_per_second = 100\n";
    let [freed, kept] =
        [true, false].map(|freed| run(&["emit=29"; 6], freed, &["--deterministic"], limits));
    for run in [&freed, &kept] {
        let message = "more than 100 records in a second of packet time";
        assert_eq!(run.only("fault")["data"]["message"], message, "{}", run.stderr);
        assert_eq!(notes(run), 100);
    }
}

/// What it emits when it is opened again is of the second in which that is.
#[test]
fn another_second_when_it_is_opened_again() {
    let control = Conversation::tcp(4000, 9);
    let control = control.datagram(Client, b"expect=2000,rests_as_told,emit=40");
    let child = Conversation::tcp(5000, 2000).datagram(Client, b"emit=40");
    let child = child.datagram(Client, b"emit=40").datagram(Client, b"emit=40");
    let all = control.frames().iter().chain(child.frames());
    // Less than two seconds' worth of records from each cell.
    let pcap = all.fold(Pcap::new(1).every(2_000_000), |pcap, frame| pcap.frame(frame));
    let run = run_pcap(&pcap, true, &[], "[cells]\nrecords_per_second = 100\n");
    assert!(run.of_type("fault").is_empty(), "{:?}", run.of_type("fault"));
    assert_eq!(notes(&run), 1 + 3 * 82);
}
