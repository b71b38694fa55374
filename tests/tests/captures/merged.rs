//! Many files as one run.

use flowcell_tests::command::{Run, Scratch, flowcell};

use super::{assert_same, capture, records, streams, traffic};

#[test]
fn files_recorded_at_the_same_time_are_merged() {
    let scratch = Scratch::new();
    let whole = traffic();
    let all = records(&whole);
    let expected = streams([scratch.capture("whole.pcap", &whole)]);
    let files: Vec<_> = (0..3)
        .map(|tap| {
            let part: Vec<&[u8]> = all.iter().copied().skip(tap).step_by(3).collect();
            scratch.write(&format!("tap{tap}.pcap"), capture(&part))
        })
        .collect();
    assert_same(&streams(&files), &expected);
    assert_same(&streams(files.iter().rev()), &expected);
    let given = Run::of(flowcell(["streams", "-q", "--order", "given", "-r"]).args(&files));
    assert_eq!(given.code, Some(0), "{}", given.stderr);
    assert_ne!(given.stdout, expected.stdout, "one file after the other is another order");
}

#[test]
fn flows_go_on_across_files_that_follow_each_other() {
    let scratch = Scratch::new();
    let whole = traffic();
    let expected = streams([scratch.capture("whole.pcap", &whole)]);
    let files: Vec<_> = records(&whole)
        .chunks(2)
        .enumerate()
        .map(|(turn, part)| scratch.write(&format!("{turn:02}.pcap"), capture(part)))
        .collect();
    assert!(files.len() > 10);
    assert_same(&streams(&files), &expected);
    assert_same(&streams(files.iter().rev()), &expected);
    let given = Run::of(flowcell(["streams", "-q", "--order", "given", "-r"]).args(&files));
    assert_same(&given, &expected);
}

#[test]
fn more_files_than_may_be_open_are_merged_when_they_follow_each_other() {
    let scratch = Scratch::new();
    let whole = traffic();
    let all = records(&whole);
    let expected = streams([scratch.capture("whole.pcap", &whole)]);
    // Each file has one record, and there are many without any.
    for turn in 0..600 {
        let part = all.get(turn).map(std::slice::from_ref).unwrap_or_default();
        scratch.write(&format!("parts/{turn:03}.pcap"), capture(part));
    }
    assert_same(&streams([scratch.path("parts")]), &expected);
}

#[test]
fn more_files_at_the_same_time_than_may_be_open_are_told() {
    let scratch = Scratch::new();
    let whole = traffic();
    let all = records(&whole);
    for tap in 0..257 {
        let part = [all[0], all[all.len() - 1]];
        scratch.write(&format!("taps/{tap:03}.pcap"), capture(&part));
    }
    let run = streams([scratch.path("taps")]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("256.pcap: left out: 256 captures are open"), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}

#[test]
fn standard_input_is_one_of_them() {
    let scratch = Scratch::new();
    let whole = traffic();
    let expected = streams([scratch.capture("whole.pcap", &whole)]);
    let all = records(&whole);
    let part = |tap: usize| {
        let part: Vec<&[u8]> = all.iter().copied().skip(tap).step_by(3).collect();
        capture(&part)
    };
    let files = [scratch.write("0.pcap", part(0)), scratch.write("2.pcap", part(2))];
    let mut command = flowcell(["streams", "-q", "-r"]);
    command.arg(&files[0]).arg("-").arg(&files[1]);
    assert_same(&Run::with_input(&mut command, &part(1)), &expected);
}
