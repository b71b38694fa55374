//! Options that change how flows are followed, from outside.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::layers::{self, TUNNEL_ENDS, VXLAN_PORTS};
use flowcell_tests::packets::{Conversation, Pcap};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn run(command: &str, frames: &[Vec<u8>], options: &[&str]) -> Run {
    let scratch = Scratch::new();
    let flow = frames.iter().fold(Conversation::tcp(1, 1), |flow, frame| flow.frame(frame.clone()));
    let capture = scratch.capture("some.pcap", &Pcap::of(&[flow]));
    let run = Run::of(flowcell([command, "-q", "-r"]).arg(capture).args(options));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    run
}

/// What the originator of the only stream said is `expected`.
#[track_caller]
fn assert_said(frames: &[Vec<u8>], options: &[&str], expected: &[u8]) {
    let run = run("streams", frames, options);
    assert_eq!(run.records.len(), 2, "{options:?}\n{}", run.stdout);
    let data = &run.records[0]["data"];
    assert_eq!((&data["side"], &data["bytes"]), (&"orig".into(), &expected.len().into()));
    let said = String::from_utf8_lossy(expected);
    assert_eq!(
        data["sha256"],
        format!("{:x}", Sha256::digest(expected)),
        "{options:?}: not {said}"
    );
}

/// A segment of zeros with a checksum that is not theirs comes before the real one, as who wants to hide
/// something from us would send it: its receiver ignores it.
#[test]
fn segments_with_wrong_checksums() {
    let real = b"the real request";
    let flow = Conversation::tcp(4000, 80).open().send(Client, real).acknowledged(Server).close();
    let mut frames = flow.frames().to_vec();
    frames.insert(3, layers::forged(&frames[3], &[0; 16]));
    assert_said(&frames, &["--checksums", "on"], real);
    assert_said(&frames, &["--checksums", "auto"], real);
    assert_said(&frames, &[], real);
    assert_said(&frames, &["--checksums", "off"], &[0; 16]);
    for (option, bad) in [("on", 1), ("off", 0)] {
        let run = run("run", &frames, &["--types", "flow", "--checksums", option]);
        let history = run.only("flow")["data"]["history"].as_str().expect("a history").to_owned();
        assert_eq!(history.matches('C').count(), bad, "{history} with {option}");
    }
}

/// Where the network card fills checksums in, a capture made on the sending host has none that is right:
/// only `on` takes that for an attack.
#[test]
fn a_sender_whose_checksums_are_never_right() {
    let real = b"the real request";
    let flow = Conversation::tcp(4000, 80).open().send(Client, real).close();
    let spoilt = |frame: &Vec<u8>| {
        let mut frame = frame.clone();
        frame[14 + 20 + 16] ^= 0x5a;
        frame
    };
    let frames: Vec<_> = flow.frames().iter().map(spoilt).collect();
    assert_said(&frames, &["--checksums", "auto"], real);
    assert_said(&frames, &["--checksums", "off"], real);
    let none = run("streams", &frames, &["--checksums", "on"]);
    assert_eq!(none.records.len(), 0, "{}", none.stdout);
}

/// Two copies of the bytes behind a hole; then what fills it.
fn two_copies() -> Vec<Vec<u8>> {
    let of =
        |text: &[u8]| Conversation::tcp(4000, 80).open().send(Client, b"start ").send(Client, text);
    let [one, other] = [of(b"first copy"), of(b"other copy")].map(|flow| flow.frames().to_vec());
    let mut frames = one[..3].to_vec();
    frames.extend([one[4].clone(), other[4].clone(), one[3].clone()]);
    frames
}

#[test]
fn which_copy_counts() {
    let (first, last) = (&b"start first copy"[..], &b"start other copy"[..]);
    let cases = [
        ("first", first),
        ("last", last),
        ("windows", first),
        // By who receives: that is 10.0.0.2.
        ("first,10.0.0.2=last", last),
        ("first,10.0.0.0/8=last", last),
        ("first,10.0.0.1=last", first),
        ("last,10.0.0.0/24=first,10.0.0.1=last", first),
    ];
    assert_said(&two_copies(), &[], first);
    for (policy, expected) in cases {
        assert_said(&two_copies(), &["--overlap", policy], expected);
    }
}

#[test]
fn two_copies_that_differ_are_told() {
    let told = run("run", &two_copies(), &["--overlap", "last"]);
    let anomaly = &told.only("anomaly")["data"];
    assert_eq!(anomaly["side"], "orig", "{anomaly}");
    assert_eq!(told.only("flow")["data"]["anomalies"][0], anomaly["kind"]);
    // They differ from "first" to "other" on.
    assert_eq!(anomaly["offset"], 6, "{anomaly}");
    let wrong = Run::of(&mut flowcell(["streams", "-r", "-", "--overlap", "newest"]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("newest"), "{}", wrong.stderr);
}

/// How a frame is wrapped.
type Wrap<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// Conversations with the same addresses and ports, their frames in turn, each wrapped in its own way.
fn collided(wraps: [Wrap<'_>; 2]) -> Vec<Vec<u8>> {
    let texts: [&[u8]; 2] = [b"from the one", b"from the other"];
    let flows = texts.map(|text| Conversation::tcp(4000, 80).open().send(Client, text).close());
    let pairs = flows[0].frames().iter().zip(flows[1].frames());
    pairs.flat_map(|(one, other)| [wraps[0](one), wraps[1](other)]).collect()
}

/// How many TCP flows there are, and whether they are whole.
fn tcp_flows(frames: &[Vec<u8>], options: &[&str]) -> (usize, bool) {
    let run = run("run", frames, options);
    let flows: Vec<_> =
        run.of_type("flow").into_iter().filter(|flow| flow["proto"] == "tcp").collect();
    let whole =
        |flow: &&Value| flow["data"]["conn_state"] == "SF" && flow["data"]["missed_bytes"] == 0;
    let bytes: Vec<_> = flows.iter().map(|flow| flow["data"]["orig_bytes"].as_u64()).collect();
    (flows.len(), flows.iter().all(whole) && bytes == [Some(12), Some(14)])
}

#[test]
fn vlans_tell_flows_apart_if_asked_for() {
    let frames = collided([&|frame| layers::vlan(frame, 10), &|frame| layers::vlan(frame, 20)]);
    assert_eq!(tcp_flows(&frames, &["--key", "vlan"]), (2, true));
    assert_eq!(tcp_flows(&frames, &["--key", "vlan,tunnel"]), (2, true));
    assert_eq!(tcp_flows(&frames, &["--key", "tunnel"]).0, 1);
    assert_eq!(tcp_flows(&frames, &[]).0, 1);
    let run = run("run", &frames, &["--key", "vlan"]);
    let vlans: Vec<_> =
        run.of_type("flow").iter().map(|flow| flow["data"]["vlan"].clone()).collect();
    assert_eq!(vlans, [serde_json::json!([10]), serde_json::json!([20])]);
}

#[test]
fn tunnels_tell_flows_apart_if_asked_for() {
    let pairs: [[Wrap<'_>; 2]; 3] = [
        [&|frame| layers::vxlan(frame, 1), &|frame| layers::vxlan(frame, 2)],
        [&|frame| layers::gre(frame, 1), &|frame| layers::gre(frame, 2)],
        [&|frame| layers::gre(frame, 1), &|frame| layers::vxlan(frame, 1)],
    ];
    for wraps in pairs {
        let frames = collided(wraps);
        assert_eq!(tcp_flows(&frames, &["--key", "tunnel"]), (2, true));
        assert_eq!(tcp_flows(&frames, &["--key", "vlan,interface"]).0, 1);
        assert_eq!(tcp_flows(&frames, &[]).0, 1);
    }
}

/// Anybody can send a packet with another one in it: that must not touch the flows outside.
#[test]
fn inside_of_a_tunnel_is_never_of_a_flow_outside() {
    let frames = collided([&|frame| layers::gre(frame, 1), &<[u8]>::to_vec]);
    for options in [&["--key", "tunnel"][..], &[]] {
        assert_eq!(tcp_flows(&frames, options), (2, true));
    }
}

/// A pcapng file whose frames come from two interfaces in turn.
fn on_two_interfaces(frames: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let length = u32::try_from(body.len() + 12).expect("a short block").to_le_bytes();
        [&kind.to_le_bytes()[..], &length, body, &length].concat()
    };
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let interface = [1_u32, 0].map(u32::to_le_bytes).concat();
    let mut file = block(0x0a0d_0d0a, &section);
    (0..2).for_each(|_| file.extend(block(1, &interface)));
    for (frame, at) in frames.iter().zip(0_u32..) {
        let length = u32::try_from(frame.len()).expect("a short frame");
        let fields =
            [at % 2, 0x0005_d000, at * 1000, length, length].map(u32::to_le_bytes).concat();
        let padding = vec![0; frame.len().next_multiple_of(4) - frame.len()];
        file.extend(block(6, &[&fields[..], frame, &padding].concat()));
    }
    file
}

#[test]
fn interfaces_tell_flows_apart_if_asked_for() {
    let scratch = Scratch::new();
    let frames = collided([&<[u8]>::to_vec, &<[u8]>::to_vec]);
    let capture = scratch.write("two.pcapng", on_two_interfaces(&frames));
    let flows = |options: &[&str]| {
        let run = Run::of(flowcell(["run", "-q", "-r"]).arg(&capture).args(options));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        let bytes = run.of_type("flow").into_iter().map(|flow| flow["data"]["orig_bytes"].as_u64());
        bytes.collect::<Vec<_>>()
    };
    assert_eq!(flows(&["--key", "interface"]), [Some(12), Some(14)]);
    assert_eq!(flows(&["--key", "vlan"]).len(), 1);
    assert_eq!(flows(&[]).len(), 1);
}

/// What a flow in a tunnel calls its parent is the flow that carries it.
#[test]
fn the_parent_of_a_flow_is_the_one_that_carries_it() {
    let flow = Conversation::tcp(4000, 80).open().send(Client, b"hello").close();
    // VXLAN in GRE.
    let wrap = |frame: &Vec<u8>| layers::gre(&layers::vxlan(frame, 77), 8);
    let frames: Vec<_> = flow.frames().iter().map(wrap).collect();
    let run = run("run", &frames, &[]);
    let of = |proto: &str| {
        let mut flows = run.of_type("flow").into_iter().filter(|flow| flow["proto"] == proto);
        let flow = flows.next().unwrap_or_else(|| panic!("no {proto} in {}", run.stdout));
        assert!(flows.next().is_none(), "two {proto} in {}", run.stdout);
        flow
    };
    let (gre, vxlan, tcp) = (of("gre"), of("udp"), of("tcp"));
    assert_eq!(run.of_type("flow").len(), 3);
    assert_eq!(gre["data"]["tunnel"], Value::Null);
    let tunnel = |kind: &str, id: u32, depth: u8, parent: &Value| serde_json::json!({ "kind": kind, "id": id, "depth": depth, "parent": parent["uid"] });
    assert_eq!(vxlan["data"]["tunnel"], tunnel("gre", 8, 1, gre));
    assert_eq!(tcp["data"]["tunnel"], tunnel("vxlan", 77, 2, vxlan));
    assert_eq!(vxlan["resp_port"], VXLAN_PORTS[1]);
    let ends = TUNNEL_ENDS.map(|end| std::net::Ipv4Addr::from(end).to_string());
    for carrier in [gre, vxlan] {
        assert_eq!([&carrier["orig_ip"], &carrier["resp_ip"]], [&ends[0], &ends[1]]);
        assert_eq!(carrier["data"]["orig_pkts"], frames.len());
    }
    assert_eq!(tcp["data"]["conn_state"], "SF");
}

/// Fragments that overlap are told, and nothing of their datagram is believed.
#[test]
fn fragments_that_overlap_are_an_anomaly() {
    let datagram = Conversation::tcp(4000, 53).datagram(Client, &[b'x'; 200]);
    let whole = &datagram.frames()[0];
    let pieces = layers::fragments(whole, 104, 9);
    let twice = layers::fragment(whole, 9, 96, &[b'y'; 16], true);
    let beside = Conversation::tcp(4000, 80).open().frames()[0].clone();
    let frames = [vec![pieces[0].clone(), twice, beside], pieces[1..].to_vec()].concat();
    let said = run("run", &frames, &[]);
    let anomaly = said.only("anomaly");
    let expected = serde_json::json!({
        "kind": "fragment_overlap", "src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "id": 9
    });
    assert_eq!((&anomaly["data"], &anomaly["packet"]), (&expected, &2.into()));
    assert_eq!(said.only("flow")["proto"], "tcp", "{}", said.stdout);
    // Copies are none.
    let copies = [pieces.clone(), pieces].concat();
    let said = run("run", &copies, &[]);
    assert_eq!(said.of_type("anomaly").len(), 0, "{}", said.stdout);
    assert_eq!(said.only("flow")["data"]["orig_bytes"], 200);
}
