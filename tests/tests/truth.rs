//! `flowcell streams` against what flows really carried: mixes of mail, web and DNS flows that suffer
//! what networks do to them.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};

use etherparse::{NetSlice, SlicedPacket, TransportSlice};

use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::corpus::{self, Digest, Flow};
use flowcell_traffic::{
    Generated, Impairments, Mix, Rate, Side, SideTruth, Transport, Truth, write_pcap,
};

/// Flows of each mix.
const FLOWS: u64 = 600;

/// In 2 of 100 frames.
const OFTEN: Rate = Rate::per_million(20_000);

/// A mix as the program sees it, and the truth about it.
struct Seen {
    truths: Vec<Truth>,
    /// Who sent a SYN that is in the capture, to whom; and who a FIN.
    marks: [HashSet<(SocketAddr, SocketAddr)>; 2],
    /// By client and server.
    flows: HashMap<(SocketAddr, SocketAddr), Flow>,
}

fn seen(mix: Mix, options: &[&str]) -> Seen {
    let mut truths = Vec::new();
    let mut marks = <[HashSet<_>; 2]>::default();
    let mut capture = Vec::new();
    write_pcap(&mut capture, |output| {
        let mut look = |frame: Generated<'_>| {
            if let Some((ends, flags)) = tcp(frame.bytes) {
                for (marks, is_set) in marks.iter_mut().zip(flags) {
                    if is_set {
                        marks.insert(ends);
                    }
                }
            }
            output(frame)
        };
        mix.frames_and_truth(&mut look, &mut |truth| truths.push(truth))
    })
    .expect("memory");
    assert_eq!(truths.len() as u64, mix.flows);
    let scratch = Scratch::new();
    let file = scratch.write("mix.pcap", capture);
    let run = Run::of(flowcell(["streams", "-q", "-r"]).arg(file).args(options));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let mut flows = HashMap::new();
    for flow in corpus::flows(&run) {
        let ends = (flow.orig, flow.resp);
        assert!(flows.insert(ends, flow).is_none(), "two flows from {} to {}", ends.0, ends.1);
    }
    Seen { truths, marks, flows }
}

/// Who sends a TCP segment to whom, and whether it has SYN and FIN.
fn tcp(frame: &[u8]) -> Option<((SocketAddr, SocketAddr), [bool; 2])> {
    let packet = SlicedPacket::from_ethernet(frame).expect("a frame");
    let Some(TransportSlice::Tcp(tcp)) = packet.transport else { return None };
    let (from, to): (IpAddr, IpAddr) = match packet.net? {
        NetSlice::Ipv4(ip) => {
            (ip.header().source_addr().into(), ip.header().destination_addr().into())
        }
        NetSlice::Ipv6(ip) => {
            (ip.header().source_addr().into(), ip.header().destination_addr().into())
        }
        NetSlice::Arp(_) => return None,
    };
    let ends = ((from, tcp.source_port()).into(), (to, tcp.destination_port()).into());
    Some((ends, [tcp.syn(), tcp.fin()]))
}

/// Calls `check` with what each side of each flow sent, and what we have of it: nothing, if the capture
/// has none of its frames.
fn each_side(seen: &Seen, mut check: impl FnMut(&Truth, Side, &SideTruth, &Digest)) {
    let mut found = 0;
    let names = [Side::Client, Side::Server];
    for truth in &seen.truths {
        let (client, server) = (truth.tuple.client, truth.tuple.server);
        let sides = [truth.client, truth.server];
        if let Some(flow) = seen.flows.get(&(client, server)) {
            found += 1;
            (0..2).for_each(|side| check(truth, names[side], &sides[side], &flow.sides[side]));
        } else if let Some(flow) = seen.flows.get(&(server, client)) {
            found += 1;
            (0..2).for_each(|side| check(truth, names[side], &sides[side], &flow.sides[1 - side]));
        } else {
            let frames = truth.client.frames + truth.server.frames;
            assert_eq!(frames, 0, "no flow for {truth}");
        }
    }
    assert_eq!(found, seen.flows.len(), "flows that nobody made");
}

fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All of it is there, once and in order.
fn assert_whole(truth: &Truth, sent: &SideTruth, ours: &Digest) {
    assert_eq!((ours.bytes, ours.missed), (sent.bytes, 0), "{truth}");
    assert_eq!(ours.sha256, hex(sent.sha256), "{truth}");
}

#[test]
fn nothing_is_wrong_with_what_arrives_as_it_was_sent() {
    let mut bytes = 0;
    each_side(&seen(Mix { flows: FLOWS, ..Mix::default() }, &[]), |truth, _, sent, ours| {
        bytes += sent.bytes;
        assert_whole(truth, sent, ours);
    });
    assert!(bytes > 1_000_000, "{bytes} bytes are no test");
}

/// Everything that leaves no hole, each alone and all together.
#[test]
fn what_the_network_does_to_segments_is_undone() {
    let fine = Impairments::default();
    let cases = [
        Impairments { retransmit: OFTEN, ..fine },
        Impairments { reorder: OFTEN, ..fine },
        Impairments { duplicate: OFTEN, ..fine },
        Impairments { overlap: OFTEN, ..fine },
        Impairments { conflict: OFTEN, ..fine },
        Impairments {
            retransmit: OFTEN,
            reorder: OFTEN,
            duplicate: OFTEN,
            overlap: OFTEN,
            conflict: OFTEN,
            ..fine
        },
    ];
    for (seed, impairments) in (10..).zip(cases) {
        println!("{impairments:?}");
        let mix = Mix { flows: FLOWS, seed, impairments, ..Mix::default() };
        let (mut whole, mut twice) = (0, 0);
        each_side(&seen(mix, &[]), |truth, _, sent, ours| match truth.transport {
            Transport::Tcp => {
                assert_whole(truth, sent, ours);
                whole += 1;
            }
            // A datagram is delivered as often as it comes.
            Transport::Udp => {
                assert!(ours.bytes >= sent.bytes, "{truth}");
                twice += u64::from(ours.bytes > sent.bytes);
            }
        });
        assert!(whole > 500, "{whole} sides of TCP flows");
        assert_eq!(twice > 0, impairments.duplicate != Rate::default(), "datagrams come twice");
    }
}

/// What the capture lacks is told as missing, to the byte, and all the rest is there.
#[test]
fn lost_segments_are_missed_to_the_byte() {
    for (seed, loss) in [(20, 5_000), (21, 50_000)] {
        let impairments = Impairments { loss: Rate::per_million(loss), ..Impairments::default() };
        let mix = Mix { flows: FLOWS, seed, impairments, ..Mix::default() };
        let seen = seen(mix, &[]);
        let [mut holed, mut whole, mut unmarked] = [0; 3];
        each_side(&seen, |truth, side, sent, ours| {
            let there = sent.bytes - sent.lost_bytes;
            assert_eq!(ours.bytes, there, "{truth}: {ours:?}");
            if truth.transport == Transport::Udp {
                return;
            }
            let (client, server) = (truth.tuple.client, truth.tuple.server);
            let ends = if side == Side::Client { (client, server) } else { (server, client) };
            if sent.lost_bytes == 0 {
                assert_eq!((ours.missed, &ours.sha256), (0, &hex(sent.sha256)), "{truth}");
                whole += 1;
            } else if seen.marks.iter().all(|marks| marks.contains(&ends)) {
                assert_eq!(ours.missed, sent.lost_bytes, "{truth}: {ours:?}");
                holed += 1;
            } else {
                // Nobody can tell how much there was before the first segment seen, or behind the last.
                assert!(ours.missed <= sent.lost_bytes, "{truth}: {ours:?}");
                unmarked += 1;
            }
        });
        println!("{loss}: {whole} sides are whole, {holed} have holes, {unmarked} lack SYN or FIN");
        assert!(holed > 50 && whole > 50, "{whole} sides are whole, {holed} have holes");
    }
}
