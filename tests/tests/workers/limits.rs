//! Limits that are hit, and parsers that fault.

use std::ffi::OsStr;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::Scratch;
use flowcell_tests::guests;
use flowcell_tests::packets::{Conversation, Pcap};

use super::same_on_all;
use super::traffic::{capture, impaired};

#[test]
fn limits_that_are_hit() {
    let scratch = Scratch::new();
    let bytes = capture(|output| impaired(5, 400).frames(output));
    let file = scratch.write("mix.pcap", bytes);
    let cases = [
        ("max_flows = 40", "flows_evicted_one_sided"),
        ("max_flows = 5", "flows_evicted_established"),
        ("max_flows = 200\nemergency_percent = 20", "emergencies"),
        ("hold_total = '64 KiB'", "hold_total_hit"),
        ("hold_bytes = 1000", "hold_bytes_hit"),
        ("depth = 500", "gaps_depth"),
        ("tcp_attempt_timeout_ms = 1\ntcp_timeout_ms = 1", "flows_expired_tcp"),
    ];
    for (text, counter) in cases {
        let limits = scratch.write("limits.toml", format!("[engine]\n{text}\n"));
        let arguments = ["--limits".as_ref(), limits.as_os_str(), "-r".as_ref(), file.as_os_str()];
        let run = same_on_all("run", &arguments, None);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let stats = super::made("run", &arguments, "2", None).stats;
        let stats: serde_json::Value = serde_json::from_slice(&stats).expect("JSON");
        assert!(stats["engine"][counter].as_u64() > Some(0), "{text}: {counter} stays 0");
        same_on_all("streams", &arguments, None);
    }
}

#[test]
fn cells_that_are_used_up() {
    let scratch = Scratch::new();
    let bytes = capture(|output| impaired(6, 300).frames(output));
    let file = scratch.write("mix.pcap", bytes);
    let limits = scratch.write("limits.toml", "[cells]\ncells = 20\n");
    let arguments = ["--limits".as_ref(), limits.as_os_str(), "-r".as_ref(), file.as_os_str()];
    let run = same_on_all::<&OsStr>("run", &arguments, None);
    let no_room =
        run.records.iter().filter(|record| record["data"]["parsers"][0]["outcome"] == "no_room");
    assert!(no_room.count() > 0, "the limit is hit");
}

#[test]
fn parsers_that_fault() {
    let scratch = Scratch::new();
    for guest in ["panic_in_poll", "garbage_record", "fails", "declines"] {
        let flows: Vec<_> = (0..60)
            .map(|index| {
                let flow = Conversation::tcp(4000 + index, if index % 3 == 0 { 7 } else { 9 });
                let flow = flow.open().send(Client, b"a\n").send(Server, b"b\n");
                flow.send(Client, b"c").send(Client, b"\n").close()
            })
            .collect();
        let file = scratch.capture("flows.pcap", &Pcap::of(&flows));
        let parsers = scratch.parsers(&[guest]);
        let arguments =
            ["--parsers".as_ref(), parsers.as_os_str(), "-r".as_ref(), file.as_os_str()];
        let run = same_on_all("run", &arguments, None);
        assert_eq!(run.of_type("flow").len(), 60, "{guest}: {}", run.stderr);
        assert!(!run.of_type("echo.exchange").is_empty(), "others go on beside {guest}");
        std::fs::remove_dir_all(parsers).expect("a folder");
    }
}

/// What breakers do depends on whole rounds of frames, not on how they come in or who works on them.
#[test]
fn parsers_whose_breakers_open() {
    let scratch = Scratch::new();
    let long = [b'x'; 6000];
    let flows: Vec<_> = (0..1500)
        .map(|index| {
            let flow = Conversation::tcp(4000 + index, if index % 3 == 0 { 7 } else { 9 });
            let flow = flow.open().send(Client, b"a\n").send(Server, b"b\n");
            // Some fill batches before a round is over.
            let flow = if index % 5 == 0 { flow.send(Server, &long) } else { flow };
            let bad = (index / 300) % 2 == 0;
            if bad { flow.send(Client, b"c\n").close() } else { flow.close() }
        })
        .collect();
    // 30 at a time, so that rounds begin and end amid flows.
    let frames = flows.chunks(30).flat_map(|flows| {
        let longest = flows.iter().map(|flow| flow.frames().len()).max().unwrap_or(0);
        (0..longest).flat_map(|turn| flows.iter().filter_map(move |flow| flow.frames().get(turn)))
    });
    let pcap = frames.fold(Pcap::new(1).every(500), |pcap, frame| pcap.frame(frame));
    let file = scratch.capture("flows.pcap", &pcap);
    let parsers = scratch.parsers(&["panic_in_poll"]);
    let soon = "window = 1000\nfaults = 3\nback_off = 100\nlongest_back_off = 300\n";
    for (text, kinds) in [("", 2), (soon, 3)] {
        let limits = scratch.write("limits.toml", format!("[breaker]\n{text}"));
        let [parsers, limits, file] = [&parsers, &limits, &file].map(|path| path.as_os_str());
        let with = |input| {
            ["--parsers".as_ref(), parsers, "--limits".as_ref(), limits, "-r".as_ref(), input]
        };
        let run = same_on_all("run", &with(file), None);
        let changes = run.of_type("parser");
        let events = changes.iter().filter_map(|record| record["data"]["event"].as_str());
        let events: std::collections::BTreeSet<&str> = events.collect();
        assert_eq!(events.len(), kinds, "it opens, half opens, closes: {events:?}");
        let piped = same_on_all("run", &with(OsStr::new("-")), Some(pcap.bytes()));
        super::assert_equal(&run.stdout, &piped.stdout, "1, from a pipe");
    }
}

/// Flows that carry others are not in any lane, and count as the flows in them do.
#[test]
fn a_breaker_of_flows_and_of_those_that_carry_them() {
    let scratch = Scratch::new();
    let frames = (0..1500).flat_map(|index| {
        let inside = Conversation::tcp(4000 + index, 7).open().send(Client, b"a\n").close();
        let ends = [([192, 0, 2, 1], 50_000 + index), ([192, 0, 2, 2], 4789)];
        let [from, to] = ends.map(|(address, port)| (std::net::IpAddr::from(address), port).into());
        let vxlan = |frame: &Vec<u8>| [&[8, 0, 0, 0, 0, 0, 5, 0][..], frame].concat();
        let carry = |flow: Conversation, frame| flow.datagram(Client, &vxlan(frame));
        // Some flows have no tunnel.
        if index % 4 == 0 {
            inside.frames().to_vec()
        } else {
            let flow = inside.frames().iter().fold(Conversation::between(from, to), carry);
            flow.frames().to_vec()
        }
    });
    let pcap = frames.fold(Pcap::new(1).every(500), |pcap, frame| pcap.frame(&frame));
    let parsers = scratch.write("parsers/echo.wasm", guests::guest("echo_panics"));
    let parsers = parsers.parent().expect("a folder");
    let limits = "[breaker]\nback_off = 100\nlongest_back_off = 100\ntrial_flows = 2\n";
    let limits = scratch.write("limits.toml", limits);
    let with = ["--parsers".as_ref(), parsers.as_os_str(), "--limits".as_ref(), limits.as_os_str()];
    let with = [&with[..], &["-r".as_ref(), OsStr::new("-")]].concat();
    let run = same_on_all("run", &with, Some(pcap.bytes()));
    let tried = |port: u16, outcome: &str| {
        let flows = run.of_type("flow").into_iter().filter(|flow| flow["resp_port"] == port);
        flows.filter(|flow| flow["data"]["parsers"][0]["outcome"] == outcome).count()
    };
    for port in [7, 4789] {
        let (faults, shut) = (tried(port, "fault"), tried(port, "breaker_open"));
        assert!(faults > 20 && shut > 100, "port {port}: {faults} faults, {shut} shut out");
    }
    assert!(run.of_type("parser").len() > 4, "{}", run.of_type("parser").len());
}
