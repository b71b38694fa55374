//! The program as its users see it.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell, read};
use flowcell_tests::packets::{Conversation, Pcap};
use sha2::{Digest, Sha256};

fn conversation(port: u16) -> Conversation {
    let flow = Conversation::tcp(port, 7).open();
    flow.send(Client, b"hello\r\n").send(Server, b"hello\r\n").close()
}

/// A scratch folder with the echo parser and a capture of two conversations and a datagram.
fn prepared() -> (Scratch, PathBuf, PathBuf) {
    let scratch = Scratch::new();
    let datagram = Conversation::tcp(5353, 5353).datagram(Client, b"who is there?");
    let pcap = Pcap::of(&[conversation(4000), conversation(4001), datagram]);
    let capture = scratch.capture("some.pcap", &pcap);
    let parsers = scratch.parsers(&[]);
    (scratch, capture, parsers)
}

fn run(capture: &Path, parsers: &Path, more: &[&str]) -> Run {
    Run::of(flowcell(["run", "-q", "--parsers"]).arg(parsers).arg("-r").arg(capture).args(more))
}

#[test]
fn help_and_version() {
    let help = flowcell(["--help"]).output().expect("it starts");
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).expect("text");
    for word in ["Usage: flowcell", "run", "streams", "--version"] {
        assert!(text.contains(word), "`{word}` in\n{text}");
    }
    let help = flowcell(["run", "--help"]).output().expect("it starts");
    let text = String::from_utf8(help.stdout).expect("text");
    for option in [
        "-r",
        "-i",
        "--order",
        "--parsers",
        "--limits",
        "--workers",
        "--checksums",
        "--overlap",
        "--key",
        "-o",
        "--types",
        "--strict",
        "--stats-json",
        "FILTER",
    ] {
        assert!(text.contains(option), "`{option}` in\n{text}");
    }
    let version = flowcell(["--version"]).output().expect("it starts");
    let expected = format!("flowcell {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((version.status.code(), version.stdout), (Some(0), expected.into_bytes()));
}

#[test]
fn the_bundled_parsers_need_no_folder() {
    let scratch = Scratch::new();
    let flow = Conversation::tcp(4000, 25).open();
    let flow = flow.send(Server, b"220 mx.example.org ESMTP\r\n").send(Client, b"QUIT\r\n");
    let flow = flow.send(Server, b"221 bye\r\n").fin(Server).fin(Client);
    let run =
        Run::of(flowcell(["run", "-r"]).arg(scratch.capture("mail.pcap", &Pcap::of(&[flow]))));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let parsers = &run.only("flow")["data"]["parsers"];
    assert!(parsers[0]["parser"].as_str().is_some_and(|label| label.starts_with("smtp@")));
}

#[test]
fn records_have_the_envelope_and_come_in_the_order_of_the_capture() {
    let (_scratch, capture, parsers) = prepared();
    let run = run(&capture, &parsers, &[]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let record = run.of_type("echo.exchange")[0];
    let expected = serde_json::json!({
        "ts": record["ts"], "type": "echo.exchange", "uid": record["uid"],
        "community_id": record["community_id"], "proto": "tcp",
        "orig_ip": "10.0.0.1", "orig_port": 4000, "resp_ip": "10.0.0.2", "resp_port": 7,
        "parser": record["parser"], "packet": record["packet"],
        "data": { "request": "hello", "answer": "hello", "equal": true },
    });
    assert_eq!(record, &expected);
    let flow = run.of_type("flow")[0];
    assert_eq!((&flow["uid"], &flow["packet"]), (&record["uid"], &1.into()));
    let data = &flow["data"];
    assert_eq!(data["service"], "echo");
    assert_eq!((&data["orig_bytes"], &data["resp_bytes"]), (&7.into(), &7.into()));
    assert_eq!((&data["orig_pkts"], &data["resp_pkts"]), (&5.into(), &4.into()));
    let parser = |record: &&serde_json::Value| record["type"] == "echo.exchange";
    let packets = run.records.iter().filter(parser).map(|record| record["packet"].as_u64());
    assert!(packets.is_sorted(), "{}", run.stdout);
    // The last line says what the first one does: a record a line, each line ended.
    assert!(run.stdout.ends_with("}\n"));
}

#[test]
fn a_second_run_writes_the_same_bytes() {
    let (_scratch, capture, parsers) = prepared();
    let first = run(&capture, &parsers, &[]);
    assert_eq!(first.of_type("flow").len(), 3);
    for _ in 0..3 {
        assert_eq!(run(&capture, &parsers, &[]).stdout, first.stdout);
    }
}

#[test]
fn standard_input_is_read() {
    let (_scratch, capture, parsers) = prepared();
    let from_file = run(&capture, &parsers, &[]);
    let mut command = flowcell(["run", "-q", "-r", "-", "--parsers"]);
    let piped = Run::with_input(command.arg(parsers), &read(&capture));
    assert_eq!((piped.code, piped.stdout), (Some(0), from_file.stdout));
}

#[test]
fn several_files_are_one_run() {
    let scratch = Scratch::new();
    let whole = conversation(4000);
    let (first, second) = whole.frames().split_at(5);
    let part =
        |frames: &[Vec<u8>]| frames.iter().fold(Pcap::new(1), |pcap, frame| pcap.frame(frame));
    let files = [
        scratch.capture("1.pcap", &part(first)),
        scratch.capture("2.pcap", &part(second)),
        scratch.capture("3.pcap", &Pcap::of(&[conversation(4001)])),
    ];
    let parsers = scratch.parsers(&[]);
    // Either way to name them; the flow that spans two files is one flow.
    let together = Run::of(
        flowcell(["run", "-q", "--order", "given", "--parsers"])
            .arg(&parsers)
            .arg("-r")
            .args(&files),
    );
    let mut apart = flowcell(["run", "-q", "--order", "given", "--parsers"]);
    apart.arg(&parsers);
    for file in &files {
        apart.arg("-r").arg(file);
    }
    let apart = Run::of(&mut apart);
    assert_eq!(together.code, Some(0), "{}", together.stderr);
    assert_eq!(together.stdout, apart.stdout);
    assert_eq!(together.of_type("flow").len(), 2);
    assert_eq!(together.of_type("echo.exchange").len(), 2);
    let numbers = together.of_type("flow").into_iter().map(|flow| flow["packet"].as_u64());
    assert_eq!(numbers.collect::<Vec<_>>(), [Some(1), Some(10)], "frames are numbered through");
}

#[test]
fn a_filter_is_words_or_one_word() {
    let (_scratch, capture, parsers) = prepared();
    for filter in [&["tcp", "port", "4001"][..], &["tcp port 4001"]] {
        let run = run(&capture, &parsers, filter);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(run.of_type("flow").len(), 1, "{}", run.stdout);
        assert_eq!(run.only("echo.exchange")["orig_port"], 4001);
    }
    let none = run(&capture, &parsers, &["udp", "port", "1"]);
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""));
}

#[test]
fn types_choose_records() {
    let (_scratch, capture, parsers) = prepared();
    let types = |globs: &[&str]| {
        let options: Vec<&str> = globs.iter().flat_map(|glob| ["--types", glob]).collect();
        let run = run(&capture, &parsers, &options);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        (run.of_type("flow").len(), run.of_type("echo.exchange").len())
    };
    assert_eq!(types(&["echo.*"]), (0, 2));
    assert_eq!(types(&["flow"]), (3, 0));
    assert_eq!(types(&["fl*", "*.exchange"]), (3, 2));
    assert_eq!(types(&["fault"]), (0, 0));
}

#[test]
fn records_go_to_a_file() {
    let (scratch, capture, parsers) = prepared();
    let to_stdout = run(&capture, &parsers, &[]);
    let file = scratch.path("out.jsonl");
    let to_file = run(&capture, &parsers, &["-o", file.to_str().expect("a path")]);
    assert_eq!((to_file.code, to_file.stdout.as_str()), (Some(0), ""));
    assert_eq!(read(&file), to_stdout.stdout.into_bytes());
}

#[test]
fn faults_are_an_error_only_when_asked() {
    let scratch = Scratch::new();
    let flow = Conversation::tcp(4000, 9).open().send(Client, b"a\nb\n").close();
    let capture = scratch.capture("bad.pcap", &Pcap::of(&[flow]));
    let parsers = scratch.parsers(&["panic_in_poll"]);
    let lenient = run(&capture, &parsers, &[]);
    let strict = run(&capture, &parsers, &["--strict"]);
    assert_eq!((lenient.code, strict.code), (Some(0), Some(1)));
    assert_eq!(lenient.only("fault")["parser"], "panic_in_poll@0.1.0");
    assert_eq!(lenient.stdout, strict.stdout);
}

#[test]
fn counters_are_written_and_shown() {
    let (scratch, capture, parsers) = prepared();
    let file = scratch.path("stats.json");
    let run = Run::of(
        flowcell(["run", "--parsers"])
            .arg(parsers)
            .arg("--stats-json")
            .arg(&file)
            .arg("-r")
            .arg(capture),
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let stats: serde_json::Value = serde_json::from_slice(&read(&file)).expect("JSON");
    assert_eq!(stats["capture"]["received"], 19, "{stats}");
    assert_eq!(stats["engine"]["frames"], 19, "{stats}");
    assert_eq!(stats["engine"]["flows_opened"], 3, "{stats}");
    assert_eq!(stats["records"]["flow"], 3, "{stats}");
    assert_eq!(stats["records"]["echo.exchange"], 2, "{stats}");
    assert_eq!(stats["parsers"]["parsed_flows"], 2, "{stats}");
    let shown = |group: &str, name: &str, value: &str| {
        let words = [group, name, value];
        run.stderr.lines().any(|line| line.split_whitespace().eq(words))
    };
    assert!(shown("engine", "flows_opened", "3"), "{}", run.stderr);
    assert!(shown("records", "echo.exchange", "2"), "{}", run.stderr);
}

#[test]
fn a_closed_pipe_is_success() {
    let scratch = Scratch::new();
    let lines = vec![b'\n'; 20_000]; // far more output than a pipe holds
    let mut flow = Conversation::tcp(4000, 7).open();
    for piece in lines.chunks(1000) {
        flow = flow.send(Client, piece).send(Server, piece);
    }
    let capture = scratch.capture("long.pcap", &Pcap::of(&[flow.close()]));
    let mut child = flowcell(["run", "-q", "--parsers"])
        .arg(scratch.parsers(&[]))
        .arg("-r")
        .arg(capture)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    assert!(line.ends_with("}\n"), "{line}");
    drop(stdout);
    let status = child.wait().expect("it ends");
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn streams_are_digests_of_what_each_side_said() {
    let scratch = Scratch::new();
    let said: Vec<u8> = (0..100_000_u32).map(|i| u8::try_from(i * 7 % 251).unwrap_or(0)).collect();
    let whole = Conversation::tcp(4000, 80).open().send(Client, b"GET\n");
    let whole = whole.send_cut(Server, &said, 1460).close();
    let lossy = Conversation::tcp(4001, 80).open().send(Client, b"ab").lose(Client, 10);
    let lossy = lossy.send(Client, b"cd").close();
    let datagrams = Conversation::tcp(5353, 53).datagram(Client, b"a?").datagram(Server, b"a!");
    let capture = scratch.capture("some.pcap", &Pcap::of(&[whole, lossy, datagrams]));
    let run = Run::of(flowcell(["streams", "-q", "-r"]).arg(capture));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let mut rows = Vec::new();
    for record in run.of_type("stream") {
        let data = &record["data"];
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let row = (record["orig_port"].as_u64(), text(&data["side"]), data["bytes"].as_u64());
        rows.push((row, data["missed"].as_u64(), text(&data["sha256"])));
    }
    rows.sort();
    let row = |port: u64, side: &str, missed: u64, bytes: &[u8]| {
        let digest = format!("{:x}", Sha256::digest(bytes));
        ((Some(port), side.to_owned(), Some(bytes.len() as u64)), Some(missed), digest)
    };
    let expected = [
        row(4000, "orig", 0, b"GET\n"),
        row(4000, "resp", 0, &said),
        row(4001, "orig", 10, b"abcd"),
        row(4001, "resp", 0, b""),
        row(5353, "orig", 0, b"a?"),
        row(5353, "resp", 0, b"a!"),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn standard_error_that_nobody_reads_is_no_error() {
    let (_scratch, capture, _parsers) = prepared();
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let status = flowcell(["run", "-r"]).arg(&capture).stdout(Stdio::null()).stderr(full).status();
    assert_eq!(status.expect("it starts").code(), Some(0));
}

#[test]
fn the_output_is_never_an_input() {
    let (_scratch, capture, _parsers) = prepared();
    let before = read(&capture);
    let run = Run::of(flowcell(["run", "-r"]).arg(&capture).arg("-o").arg(&capture));
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("it is read, and can not be the output as well"), "{}", run.stderr);
    assert_eq!(read(&capture), before);
}

#[test]
fn a_folder_with_the_name_of_a_filters_word_is_not_read() {
    let (scratch, capture, _parsers) = prepared();
    std::fs::create_dir(scratch.path("host")).expect("a folder");
    let mut command = flowcell(["run", "-r"]);
    let run =
        Run::of(command.arg(capture).args(["host", "10.9.9.9"]).current_dir(scratch.path("")));
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{}", run.stderr);
}

#[test]
fn records_of_a_pipe_come_before_it_ends() {
    let (_scratch, capture, parsers) = prepared();
    let mut command = flowcell(["run", "-q", "-r", "-", "--types", "echo.*", "--parsers"]);
    let mut child = command
        .arg(parsers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    let bytes = read(&capture);
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    // Packets go on coming, and at some time the records of the first ones are there.
    std::io::Write::write_all(&mut input, &bytes[..24]).expect("it reads");
    let writer = std::thread::spawn(move || {
        while std::io::Write::write_all(&mut input, &bytes[24..]).is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    let first = lines.next().expect("a line").expect("text");
    assert!(first.contains("echo.exchange"), "{first}");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    writer.join().expect("it ends when nobody reads");
}

#[test]
fn a_second_signal_ends_a_run_that_waits() {
    let mut command = flowcell(["run", "-q", "-r", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let kill = |id: u32| Command::new("kill").args(["-INT", &id.to_string()]).status();
    // Until the handlers are there, the first signal ends it as any program.
    while child.try_wait().expect("a child").is_none() {
        kill(child.id()).expect("kill");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Cells are divided among the lanes, to which flows go by their hosts: with a quarter more flows than
/// cells, each lane has more than it has cells for.
#[test]
fn flows_beyond_the_last_cell_are_tracked_and_told() {
    const MAX_CELLS: usize = 4000;
    let scratch = Scratch::new();
    let limits = scratch.write("limits.toml", format!("[cells]\ncells = {MAX_CELLS}\n"));
    let limits = ["--limits", limits.to_str().expect("a path")];
    let count = MAX_CELLS + MAX_CELLS / 4;
    let flows: Vec<Conversation> = (0..count)
        .map(|number| {
            let number = u16::try_from(number).expect("few");
            Conversation::of_its_own(number, 4000, 7).open().send(Client, b"waiting")
        })
        .collect();
    let capture = scratch.capture("many.pcap", &Pcap::of(&flows));
    let stats = scratch.path("stats.json");
    let stats_option = ["--stats-json", stats.to_str().expect("a path")];
    let types = ["--types", "flow", "--types", "fault"];
    let run = run(&capture, &scratch.parsers(&[]), &[&types[..], &stats_option, &limits].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let records = run.of_type("flow");
    assert_eq!(records.len(), count, "all are tracked");
    assert_eq!(run.of_type("fault").len(), 0);
    let with = |outcome: &str| {
        let of = |record: &&&serde_json::Value| record["data"]["parsers"][0]["outcome"] == outcome;
        records.iter().filter(of).count()
    };
    let no_room = with("no_room");
    let parsed = count - no_room;
    assert!(parsed <= MAX_CELLS, "{parsed} cells at a time");
    assert!(parsed > MAX_CELLS / 100 * 94, "{parsed} of {MAX_CELLS} cells were used");
    assert_eq!(with("unconfirmed"), parsed);
    let stats: serde_json::Value = serde_json::from_slice(&read(&stats)).expect("JSON");
    assert_eq!(stats["parsers"]["no_room"], no_room, "{stats}");
}

#[test]
fn types_that_match_nothing_are_told() {
    let (_scratch, capture, parsers) = prepared();
    let wrong = run(&capture, &parsers, &["--types", "flow", "--types", "echo"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(2), ""));
    let told = "--types echo matches no type of record (did you mean `echo.*`?); there are: anomaly, \
                echo.exchange, fault, flow";
    assert!(wrong.stderr.contains(told), "{}", wrong.stderr);
    let right = run(&capture, &parsers, &["--types", "flow,echo.*"]);
    assert_eq!(right.code, Some(0), "{}", right.stderr);
    assert_eq!((right.of_type("flow").len(), right.of_type("echo.exchange").len()), (3, 2));
    let streams = Run::of(flowcell(["streams", "--types", "smtp.*", "-r"]).arg(&capture));
    assert_eq!(streams.code, Some(2));
}

#[test]
fn a_capture_that_nothing_can_be_made_of_is_told() {
    let scratch = Scratch::new();
    let capture = scratch.capture("netlink.pcap", &Pcap::new(253).frame(&[0; 40]).frame(&[1; 40]));
    let run = Run::of(flowcell(["run", "-q", "-r"]).arg(capture));
    assert_eq!(run.code, Some(0));
    let told = "no flow was found in 2 frames; 2 were left out as `unsupported_link`";
    assert!(run.stderr.contains(told), "{}", run.stderr);
}

#[test]
fn a_folder_says_that_it_replaces_the_bundled_parsers() {
    let (_scratch, capture, parsers) = prepared();
    let run = Run::of(flowcell(["run", "--parsers"]).arg(parsers).arg("-r").arg(capture));
    let told = "parsers: echo@0.1.0 tcp/7; the bundled ones are not used";
    assert!(run.stderr.contains(told), "{}", run.stderr);
}
