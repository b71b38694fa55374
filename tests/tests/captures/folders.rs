//! Folders of captures.

use flowcell_tests::command::{Run, Scratch, flowcell};

use super::{assert_same, capture, records, streams, traffic};

#[test]
fn a_folder_is_all_captures_in_it() {
    let scratch = Scratch::new();
    let whole = traffic();
    let expected = streams([scratch.capture("whole.pcap", &whole)]);
    for (turn, part) in records(&whole).chunks(9).enumerate() {
        scratch.write(&format!("day/trace{turn}"), capture(part));
    }
    scratch.write("day/.trace0.swp", capture(&records(&whole)));
    assert_same(&streams([scratch.path("day")]), &expected);

    scratch.write("day/README", "Recorded on Monday.\n");
    scratch.write("day/older/trace", capture(&records(&whole)));
    let run = streams([scratch.path("day")]);
    assert_eq!((run.code, &run.stdout), (Some(0), &expected.stdout));
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.stderr);
    assert!(lines[0].contains("day/README: left out: not a capture: it is a text file"));
    assert!(lines[1].contains("day/older: left out: it is a folder"));
}

#[test]
fn a_capture_in_a_folder_that_is_damaged_is_an_error() {
    let scratch = Scratch::new();
    let whole = traffic();
    let all = records(&whole);
    let (first, second) = all.split_at(all.len() / 2);
    scratch.write("day/1.pcap", capture(first));
    let cut = capture(second);
    scratch.write("day/2.pcap", &cut[..cut.len() - 1]);
    let run = streams([scratch.path("day")]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("day/2.pcap: cut short: it ends inside the packet at byte "));
    assert_eq!(run.of_type("stream").len(), 6);
}

#[test]
fn a_folder_behind_a_file_wants_its_slash() {
    let scratch = Scratch::new();
    let whole = traffic();
    let all = records(&whole);
    let expected = streams([scratch.capture("whole.pcap", &whole)]);
    let (first, second) = all.split_at(all.len() / 2);
    scratch.write("a.pcap", capture(first));
    scratch.write("tcp/b.pcap", capture(second));
    let root = scratch.path("");
    let run =
        |words: &[&str]| Run::of(flowcell(["streams", "-q", "-r"]).args(words).current_dir(&root));
    assert_same(&run(&["a.pcap", "tcp/"]), &expected);
    let filtered = run(&["a.pcap", "tcp"]);
    assert_eq!(filtered.stdout, streams([scratch.path("a.pcap")]).stdout, "`tcp` is the filter");
}

#[test]
fn a_folder_without_captures_is_an_error() {
    let scratch = Scratch::new();
    scratch.write("day/README", "Nothing yet.\n");
    let run = streams([scratch.path("day")]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("day: there is no capture in this folder"), "{}", run.stderr);
}
