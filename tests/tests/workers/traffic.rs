//! Captures made to order.

use std::ffi::OsStr;
use std::io;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::Scratch;
use flowcell_tests::packets::layers::{echo_request, fragments, gre, ip, ip_in_ip, vlan, vxlan};
use flowcell_tests::packets::{Conversation, Pcap};
use flowcell_traffic::{Impairments, Mix, Output, Rate, Summary, special, write_pcap};

use super::{same_for_file, same_on_all};

/// A mix that suffers everything that networks do.
pub(crate) fn impaired(seed: u64, flows: u64) -> Mix {
    let rate = Rate::per_million(20_000);
    let impairments = Impairments {
        loss: rate,
        retransmit: rate,
        reorder: rate,
        duplicate: rate,
        overlap: rate,
        conflict: rate,
    };
    Mix { flows, seed, impairments, ..Mix::default() }
}

/// The capture that a generator makes.
pub(crate) fn capture(generate: impl FnOnce(&mut Output<'_>) -> io::Result<Summary>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_pcap(&mut bytes, generate).expect("memory");
    bytes
}

#[test]
fn mixes_of_flows() {
    let scratch = Scratch::new();
    for seed in [1, 2] {
        let bytes = capture(|output| impaired(seed, 400).frames(output));
        let [run, streams] = same_for_file(&scratch.write("mix.pcap", bytes));
        assert!(run.of_type("flow").len() >= 400);
        assert!(!run.of_type("smtp.mail").is_empty());
        assert!(!run.of_type("anomaly").is_empty(), "conflicting copies are told");
        assert!(streams.records.len() >= 800);
    }
}

#[test]
fn what_attacks_one_part_of_the_engine() {
    let scratch = Scratch::new();
    let captures = [
        ("syn flood", capture(|output| special::syn_flood(3000, output))),
        ("collisions", capture(|output| special::collide(3000, output))),
        ("holes", capture(|output| special::hole(8, 200_000, output))),
        ("segments", capture(|output| special::one_byte_segments(20, 2000, true, output))),
        ("tunnels", capture(|output| special::tunnel_tower(20, 6, output))),
    ];
    for (what, bytes) in captures {
        println!("{what}");
        same_for_file(&scratch.write("attack.pcap", bytes));
    }
    // Nothing of these comes together, so there is nothing to follow but the flows beside them.
    let mut bombs = capture(|output| special::fragment_bomb(3000, output));
    bombs.extend_from_slice(&capture(|output| impaired(3, 20).frames(output))[24..]);
    let file = scratch.write("bomb.pcap", bombs);
    let run = same_on_all("run", &[OsStr::new("-r"), file.as_os_str()], None);
    assert!(run.of_type("flow").len() >= 20);
}

/// Flows that go through every kind of tunnel, in fragments, in VLANs; with packets that are no flow's
/// and contradictions.
#[test]
fn tunnels_fragments_and_other_protocols() {
    type Wrap = fn(&[u8], u16) -> Vec<Vec<u8>>;
    let wraps: [Wrap; 7] = [
        |frame, _| vec![frame.to_vec()],
        |frame, _| vec![vlan(frame, 10)],
        |frame, _| vec![gre(frame, 7)],
        |frame, _| vec![vxlan(&vlan(frame, 20), 99)],
        |frame, _| vec![ip_in_ip(&gre(frame, 8))],
        |frame, id| fragments(frame, 64, id),
        |frame, id| fragments(&vxlan(frame, 5), 64, id).into_iter().rev().collect(),
    ];
    let mut id = 0;
    let flows: Vec<Conversation> = (0..70)
        .map(|index| {
            let flow = Conversation::tcp(4000 + index, 25).open();
            let flow = flow.send(Server, b"220 mx\r\n").send(Client, b"EHLO me\r\n");
            let flow = flow.send(Server, b"250 ok\r\n").lose(Client, 20).send(Client, b"QUIT\r\n");
            let flow = flow.send(Server, b"221 bye\r\n").close();
            let wrap = wraps[usize::from(index) % wraps.len()];
            let frames = flow.frames().iter().flat_map(|frame| {
                id += 1;
                wrap(frame, id)
            });
            let flow = frames.fold(Conversation::tcp(1, 1), Conversation::frame);
            let ospf = ip(89, [[10, 0, 0, 1], [224, 0, 0, 5]], b"hello");
            flow.frame(echo_request(index)).frame(ospf)
        })
        .collect();
    let scratch = Scratch::new();
    let [run, streams] = same_for_file(&scratch.capture("wrapped.pcap", &Pcap::of(&flows)));
    let tunnelled =
        run.of_type("flow").into_iter().filter(|flow| flow["data"]["tunnel"].is_object());
    assert!(tunnelled.count() >= 40, "flows in tunnels are told");
    assert!(streams.records.len() >= 140);
}
