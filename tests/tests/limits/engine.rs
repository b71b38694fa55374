//! Limits of the flow engine: a capture that reaches each, if it is set so.

use flowcell_core::Limits;
use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::layers::{echo_request, fragments, gre, ip};
use flowcell_tests::packets::{Conversation, Pcap};

use super::run_with;

/// From one frame to the next, in µs: less than any default waits for.
const STEP: u64 = 20_000;

fn tcp(port: u16) -> Conversation {
    Conversation::tcp(port, 80)
}

/// An Ethernet frame of no protocol: it does nothing but move the time.
const NOTHING: [u8; 60] = [0; 60];

/// The frames of these conversations, one conversation after the other.
fn capture(conversations: &[Conversation]) -> Pcap {
    let frames = conversations.iter().flat_map(Conversation::frames);
    frames.fold(Pcap::new(1).every(STEP), |pcap, frame| pcap.frame(frame))
}

/// The same, and then so many µs in which nothing is seen of it.
fn then_nothing(conversation: Conversation, silence: u64) -> Pcap {
    capture(&[conversation]).wait(silence).frame(&NOTHING)
}

/// The same, and two seconds of silence at the end.
fn then_silence(conversation: Conversation) -> Pcap {
    then_nothing(conversation, 2_000_000)
}

/// A conversation without some of its frames.
fn without(conversation: &Conversation, lost: &[usize]) -> Conversation {
    let frames = conversation.frames().iter().enumerate();
    let kept = frames.filter(|(index, _)| !lost.contains(index));
    kept.fold(tcp(1), |flow, (_, frame)| flow.frame(frame.clone()))
}

/// Segments of 200 bytes behind the handshake, of which some were not captured.
fn segments(count: usize, lost: &[usize]) -> Conversation {
    let flow = tcp(4000).open().send_cut(Client, &vec![b'x'; count * 200], 200);
    let lost: Vec<usize> = lost.iter().map(|index| index + 3).collect();
    without(&flow, &lost)
}

/// A flow of a datagram in two fragments, or of the first of them.
fn fragmented(id: u16, count: usize) -> Conversation {
    let whole = tcp(53).datagram(Client, &[b'x'; 600]);
    let pieces = fragments(&whole.frames()[0], 400, id);
    pieces.into_iter().take(count).fold(tcp(53), Conversation::frame)
}

/// An OSPF packet, which stands for any protocol without ports.
fn ospf() -> Vec<u8> {
    ip(89, [[10, 0, 0, 1], [224, 0, 0, 5]], b"hello")
}

/// A value as it stands in the file, and a capture with which each of the limit's counters grows under
/// that value and none grows under the default.
struct Case {
    /// Lines of the file that are there in both runs.
    base: &'static str,
    value: &'static str,
    pcap: Pcap,
}

/// Flows that fill the lanes a little.
fn crowd() -> Conversation {
    let flow = |index| Conversation::of_its_own(index, 9000, 9).datagram(Client, b"?");
    let flows = (0..60).map(flow);
    flows.fold(tcp(1), |crowd, flow| crowd.frame(flow.frames()[0].clone()))
}

/// This behind a crowd.
fn behind_a_crowd(conversation: &Conversation) -> Conversation {
    conversation.frames().iter().fold(crowd(), |crowd, frame| crowd.frame(frame.clone()))
}

/// An emergency as soon as a lane has a flow: each of 16 has room for 10.
const EMERGENCY: &str = "max_flows = 160\nemergency_percent = 10\n";

fn case(name: &str) -> Case {
    let seconds = |conversation| then_silence(behind_a_crowd(&conversation));
    let (base, (value, pcap)) = match name {
        "emergency_percent" => ("max_flows = 160\n", ("10", capture(&[crowd()]))),
        "emergency_tcp_attempt_timeout_ms" => (EMERGENCY, ("'1 s'", seconds(attempt()))),
        "emergency_tcp_timeout_ms" => (EMERGENCY, ("'1 s'", seconds(tcp(4000).open()))),
        // The default is less than a second.
        "emergency_tcp_linger_ms" => {
            let closed = behind_a_crowd(&tcp(4000).open().close());
            (EMERGENCY, ("100", then_nothing(closed, 300_000)))
        }
        "emergency_udp_one_sided_timeout_ms" => (EMERGENCY, ("'1 s'", seconds(question()))),
        "emergency_udp_timeout_ms" => {
            (EMERGENCY, ("'1 s'", seconds(question().datagram(Server, b"a!"))))
        }
        "emergency_icmp_timeout_ms" => {
            (EMERGENCY, ("'1 s'", seconds(tcp(1).frame(echo_request(7)))))
        }
        "emergency_other_timeout_ms" => (EMERGENCY, ("'1 s'", seconds(tcp(1).frame(ospf())))),
        _ => ("", simple(name)),
    };
    Case { base, value, pcap }
}

/// A SYN that nobody answers.
fn attempt() -> Conversation {
    without(&tcp(4000).open(), &[1, 2])
}

/// A datagram that nobody answers.
fn question() -> Conversation {
    tcp(53).datagram(Client, b"a?")
}

fn simple(name: &str) -> (&'static str, Pcap) {
    match name {
        // The second flow evicts a closed one, the third one with one side, the fourth an
        // established one.
        "max_flows" => {
            let syn = |port| {
                let open = tcp(port).open();
                without(&open, &[1, 2])
            };
            ("1", capture(&[tcp(1).open().close(), syn(2), tcp(3).open(), syn(4)]))
        }
        "tcp_attempt_timeout_ms" => ("'1 s'", then_silence(attempt())),
        "tcp_timeout_ms" => ("'1 s'", then_silence(tcp(4000).open())),
        "tcp_linger_ms" => ("1_000", then_silence(tcp(4000).open().close())),
        "udp_one_sided_timeout_ms" => ("'1 s'", then_silence(question())),
        "udp_timeout_ms" => ("'1 s'", then_silence(question().datagram(Server, b"a!"))),
        "icmp_timeout_ms" => ("'1 s'", then_silence(tcp(1).frame(echo_request(7)))),
        "other_timeout_ms" => ("'1 s'", then_silence(tcp(1).frame(ospf()))),
        "tunnel_depth" => {
            let open = tcp(4000).open();
            let inside = open.frames().iter().map(|frame| gre(frame, 7));
            ("0", capture(&[inside.fold(tcp(1), Conversation::frame)]))
        }
        // Datagrams that are waited for take the place of one that was whole, then of each other.
        "frag_total" => {
            let waiting = (2..6).map(|id| fragmented(id, 1));
            ("'4 kB'", capture(&[vec![fragmented(1, 2)], waiting.collect()].concat()))
        }
        "frag_datagrams" => ("1", capture(&[fragmented(1, 2), fragmented(2, 1), fragmented(3, 1)])),
        "frag_fragments" => ("1", capture(&[fragmented(1, 2)])),
        // The next fragment of any datagram shows that the time of the first one is over.
        "frag_timeout_ms" => {
            let next = fragmented(2, 1);
            ("'1 s'", then_silence(fragmented(1, 1)).frame(&next.frames()[0]))
        }
        "reorder_window_ms" => ("'1 s'", then_silence(segments(2, &[0]))),
        // What was acknowledged comes 60 ms later.
        "acked_window_ms" => {
            let flow = tcp(4000).open().send_cut(Client, &[b'x'; 400], 200).acknowledged(Server);
            let late = flow.frames()[3].clone();
            let flow = without(&flow, &[3]).frame(NOTHING.into()).frame(NOTHING.into());
            ("1", capture(&[flow.frame(late)]))
        }
        "hold_bytes" => ("'100 B'", capture(&[segments(2, &[0])])),
        "hold_segments" => ("1", capture(&[segments(4, &[0, 2])])),
        "hold_total" => ("100", capture(&[segments(2, &[0])])),
        "max_jump" => {
            let flow = tcp(4000).open().lose(Client, 5000).send(Client, b"far away");
            ("'1 kB'", capture(&[flow]))
        }
        "depth" => ("10", capture(&[segments(1, &[])])),
        _ => panic!("no capture reaches the limit `{name}`: add one"),
    }
}

#[test]
fn every_limit_is_reached_when_it_is_set_so() {
    for row in Limits::TABLE.iter().filter(|row| !row.fixed) {
        let Case { base, value, pcap } = case(row.name);
        let base = format!("[engine]\n{base}");
        let text = format!("{base}{} = {value}\n", row.name);
        let by_default = run_with(&[], &pcap, Some(&base));
        let set = run_with(&[], &pcap, Some(&text));
        assert_eq!((by_default.run.code, set.run.code), (Some(0), Some(0)), "{}", set.run.stderr);
        for counter in row.counters {
            let counts =
                [&by_default, &set].map(|counted| counted.stats["engine"][counter].as_u64());
            assert_eq!(counts[0], Some(0), "{text} {counter} without the file");
            assert!(counts[1] > Some(0), "{text} {counter} stays 0 with the file");
        }
    }
}

#[test]
fn streams_takes_the_engines_limits() {
    let scratch = Scratch::new();
    let capture = scratch.capture("some.pcap", &capture(&[segments(1, &[])]));
    let limits = scratch.write("limits.toml", "[cells]\nmemory = '1 MiB'\n[engine]\ndepth = 10\n");
    let mut command = flowcell(["streams", "-q", "--limits"]);
    let run = Run::of(command.arg(limits).arg("-r").arg(capture));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let rows = run.of_type("stream").into_iter().map(|record| &record["data"]);
    let rows: Vec<_> = rows.map(|data| (data["bytes"].as_u64(), data["missed"].as_u64())).collect();
    assert_eq!(rows, [(Some(10), Some(190)), (Some(0), Some(0))]);
}

/// Lanes share the flows, and together they never have more than the limit, though it can't be divided
/// evenly.
#[test]
fn flows_at_a_time_are_never_more_than_the_limit() {
    let flow = |index| Conversation::of_its_own(index, 4000, 7).open();
    let flows: Vec<_> = (0..100).map(flow).collect();
    let pcap = capture(&flows);
    for most in [1, 7, 15, 16, 17, 31, 47] {
        let run = run_with(&[], &pcap, Some(&format!("[engine]\nmax_flows = {most}\n")));
        let count = |name: &str| run.stats["engine"][name].as_u64().unwrap_or_default();
        let expired = count("flows_expired_tcp") + count("flows_expired_attempt");
        let evicted = count("flows_evicted_one_sided") + count("flows_evicted_established");
        assert_eq!(run.run.of_type("flow").len(), 100, "each flow is told, evicted or not");
        let left = 100 - expired - evicted;
        assert!(left <= most, "{left} flows at the end, {most} allowed");
        assert!(left > 0 && 2 * left >= most.min(32), "{left} flows at the end of {most}");
    }
}
