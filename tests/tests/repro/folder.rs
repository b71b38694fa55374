//! The folder of bundles: who may read it, what stays in it, what can go wrong with it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use flowcell_sdk::Side::Client;
use flowcell_tests::command::{Run, Scratch, flowcell, read};
use flowcell_tests::packets::{Conversation, Pcap};

use super::{BAD, Kept, lines, list, replay, run, two_lines};

/// A flow whose fault says how long its second line is.
fn long(port: u16, length: usize) -> Conversation {
    let flow = Conversation::tcp(port, BAD).open().send(Client, b"one\n");
    flow.send(Client, &[vec![b'x'; length], vec![b'\n']].concat()).close()
}

/// The messages of the bundles, with their number.
fn messages(kept: &Kept) -> BTreeMap<String, usize> {
    let mut messages = BTreeMap::new();
    for bundle in kept.bundles() {
        let head = lines(&bundle).remove(0);
        let message = head["fault"]["message"].as_str().unwrap().to_owned();
        let last = message.lines().last().unwrap().to_owned();
        *messages.entry(last).or_default() += 1;
    }
    messages
}

#[test]
fn nobody_else_may_read_it() {
    let kept = Kept::of("panic_in_poll", two_lines(4000));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&kept.folder()), 0o700);
    let files = list(&kept.folder());
    assert_eq!(files.len(), 2, "a bundle and a parser, and nothing half-written: {files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600));
}

#[test]
fn any_number_of_workers_leaves_the_same_files() {
    let flows: Vec<_> = (0..60).map(|at| long(4000 + at, 1 + usize::from(at % 7))).collect();
    for limits in ["", "[repro]\nrepro_bundles = 9\n", "[repro]\nrepro_total = 60_000\n"] {
        let files = |workers: &str| {
            let kept = Kept::with("panic_in_poll", &flows, limits, &["--workers", workers]);
            let files = list(&kept.folder());
            let content = |path: &PathBuf| (path.file_name().unwrap().to_owned(), read(path));
            (files.iter().map(content).collect::<BTreeMap<_, _>>(), kept.stats()["repro"].clone())
        };
        let one = files("1");
        assert!(one.0.len() >= 10, "{limits}");
        assert!(one == files("4"), "{limits}: {} {}", one.1, files("4").1);
    }
}

#[test]
fn a_new_kind_of_fault_takes_the_place_of_one_that_is_known() {
    let flows: Vec<_> = (0..6).map(|at| long(4000 + at, 3)).collect();
    let flows = [flows, vec![long(5000, 4), long(5001, 4), long(5002, 5)]].concat();
    let kept = Kept::with("panic_in_poll", &flows, "[repro]\nrepro_bundles = 4\n", &[]);
    let found = messages(&kept);
    let row = |length: usize, count: usize| (format!("a line of {length} bytes"), count);
    assert_eq!(found, BTreeMap::from([row(3, 2), row(4, 1), row(5, 1)]), "{}", kept.stats());
    let stats = &kept.stats()["repro"];
    assert_eq!(
        (&stats["written"], &stats["replaced"], &stats["left_out"]),
        (&4.into(), &2.into(), &3.into())
    );
}

#[test]
fn what_was_there_before_counts_and_stays() {
    let scratch = Scratch::new();
    let old = scratch.write("kept/echo-1-trap-F0.flowrepro", "of an earlier run");
    scratch.write("kept/notes.txt", "of somebody");
    let flows = [long(4000, 3), long(4001, 4)];
    let limits = "[repro]\nrepro_bundles = 2\n";
    let first = run(&scratch, "panic_in_poll", &flows, limits, &[]);
    let kept = Kept { scratch, run: first };
    assert_eq!((kept.bundles().len(), kept.stats()["repro"]["left_out"].clone()), (2, 1.into()));
    let files = list(&kept.folder());
    // Once more: the same names, so that nothing is added.
    run(&kept.scratch, "panic_in_poll", &flows, limits, &[]);
    assert_eq!(list(&kept.folder()), files);
    assert_eq!(read(&old), b"of an earlier run");
    let stats = &kept.stats()["repro"];
    assert_eq!((&stats["written"], &stats["left_out"]), (&1.into(), &1.into()));
}

#[test]
fn an_error_is_told_once_and_the_run_goes_on() {
    let scratch = Scratch::new();
    let flows = [two_lines(4000), two_lines(4001)];
    run(&scratch, "panic_in_poll", &flows, "", &[]);
    // Where the bundles are to be, something is that can not be written over.
    for file in list(&scratch.path("kept")) {
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        fs::write(file.join("something"), "").unwrap();
    }
    let run = run(&scratch, "panic_in_poll", &flows, "", &[]);
    assert_eq!(run.of_type("fault").len(), 2);
    assert_eq!(run.stderr.matches("--repro-dir").count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("this bundle is lost, and the run goes on"), "{}", run.stderr);
    let kept = Kept { scratch, run };
    assert_eq!(kept.stats()["repro"]["failed"], 2);
    let hidden = |path: &&PathBuf| path.file_name().unwrap().as_encoded_bytes()[0] == b'.';
    assert_eq!(list(&kept.folder()).iter().filter(hidden).count(), 0, "nothing is left over");
}

#[test]
fn a_folder_that_can_not_be_used_ends_the_program_at_once() {
    let scratch = Scratch::new();
    let capture = scratch.capture("some.pcap", &Pcap::of(&[two_lines(4000)]));
    let file = scratch.write("file", "");
    // Nobody may write there, whoever runs the test.
    let locked = PathBuf::from("/proc");
    for folder in [file.clone(), file.join("below"), locked] {
        let mut command = flowcell(["run", "-q", "-r"]);
        let run = Run::of(command.arg(&capture).arg("--repro-dir").arg(&folder));
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{}", run.stderr);
        let told = format!("flowcell: {}: ", folder.display());
        assert!(run.stderr.starts_with(&told), "{}", run.stderr);
        assert!(run.stderr.contains("--repro-dir wants a folder that can be written"));
    }
}

/// The parsers beside bundles are not to be loaded as such.
#[test]
fn it_is_not_the_folder_of_parsers() {
    let scratch = Scratch::new();
    let capture = scratch.capture("some.pcap", &Pcap::of(&[two_lines(4000)]));
    let parsers = scratch.parsers(&[]);
    let mut command = flowcell(["run", "-q", "-r"]);
    command.arg(&capture).arg("--parsers").arg(&parsers);
    let run = Run::of(command.arg("--repro-dir").arg(parsers.join("../parsers")));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("is the folder of parsers"), "{}", run.stderr);
}

#[test]
fn links_in_it_are_not_followed() {
    let scratch = Scratch::new();
    let flows = [two_lines(4000)];
    run(&scratch, "panic_in_poll", &flows, "", &[]);
    let victim = scratch.write("victim", "precious");
    for file in list(&scratch.path("kept")) {
        fs::remove_file(&file).unwrap();
        symlink(&victim, &file).unwrap();
    }
    run(&scratch, "panic_in_poll", &flows, "", &[]);
    assert_eq!(read(&victim), b"precious");
    let files = list(&scratch.path("kept"));
    let bundle = files.iter().find(|path| path.extension().unwrap() == "flowrepro").unwrap();
    assert!(fs::symlink_metadata(bundle).unwrap().is_file());
    assert_eq!(fs::metadata(bundle).unwrap().nlink(), 1);
}

#[test]
fn the_parser_of_the_program_itself_needs_no_file() {
    // The bundled parsers have no fault to show, so one is made up.
    let scratch = Scratch::new();
    let head = r#"{"flowrepro":1,"flowcell":"0.1.0","parser":{"name":"smtp","version":"0.1.0","sha256":"SHA"},"limits":{},"uid":"F0","flow":{"client":"10.0.0.1:4000","server":"10.0.0.2:25","transport":"tcp","at":"2024-01-01T00:00:00Z","midstream":false,"originator":"client"},"fault":{"class":"trap","message":"","backtrace":[]},"inputs":1}"#;
    let input = r#"{"end":{"side":"client","at":"2024-01-01T00:00:00Z","reason":"fin"}}"#;
    let text = format!("{}\n{input}\n", head.replace("SHA", &"0".repeat(64)));
    let bundle = scratch.write("b.flowrepro", text);
    let run = replay(&bundle, &[]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("bundled smtp: smtp@"), "{}", run.stderr);
    assert!(run.stderr.contains("the fault does not happen"), "{}", run.stderr);
}
