//! What the engine says it holds, against the heap. One test: the allocator counts for all threads.

#![allow(clippy::cast_possible_truncation, reason = "numbers that the tests made up themselves")]

use std::alloc::System;

use cap::Cap;
use flowcell_core::fuzzing::frame::{self, Part, Tcp};
use flowcell_core::{
    Demand, EngineConfig, FlowEngine, FlowEvent, FlowSink, FlowView, Limits, LinkType, RawFrame,
    Timestamp,
};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

struct Deaf;

impl FlowSink for Deaf {
    fn event(&mut self, _flow: &FlowView<'_>, _event: FlowEvent<'_>) -> Demand {
        Demand::More
    }
}

/// What an attack took at most, in bytes.
struct Peak {
    heap: usize,
    held: u64,
    /// The heap when a quarter of the attack was over, and at its end.
    quarter: usize,
    end: usize,
}

/// Plays packets, one every ten microseconds, and watches the heap.
fn attack(limits: Limits, packets: u32, make: impl Fn(u32) -> Vec<u8>) -> Peak {
    let base = HEAP.allocated();
    let config = EngineConfig { limits, ..EngineConfig::default() };
    let mut engine = FlowEngine::new(&config);
    let mut peak = Peak { heap: 0, held: 0, quarter: 0, end: 0 };
    for i in 0..packets {
        let bytes = make(i);
        let frame = RawFrame {
            number: u64::from(i) + 1,
            ts: Timestamp(u64::from(i) * 10_000),
            interface: 0,
            link: LinkType::RAW,
            len: bytes.len() as u32,
            bytes: &bytes,
        };
        engine.handle_frame(&frame, &mut Deaf);
        drop(bytes);
        let heap = HEAP.allocated().saturating_sub(base);
        peak.heap = peak.heap.max(heap);
        peak.held = peak.held.max(engine.held_bytes());
        peak.end = heap;
        if i == packets / 4 {
            peak.quarter = heap;
        }
    }
    engine.finish(&mut Deaf);
    assert_eq!(engine.flows(), 0);
    drop(engine);
    let left = HEAP.allocated().saturating_sub(base);
    assert!(left < 4096, "{left} bytes were not given back");
    peak
}

fn tcp(client: u32, tcp: &Tcp<'_>) -> Vec<u8> {
    frame::ipv4(client.to_be_bytes(), [10, 9, 255, 1], 6, Part::default(), &frame::tcp(tcp))
}

#[test]
fn limits_hold_for_the_heap() {
    const FLOW: u64 = 1024;
    const SLACK: u64 = 1 << 20;

    // Single bytes behind holes: the most bookkeeping for the fewest bytes.
    let limits = Limits { hold_total: 16 << 20, ..Limits::default() };
    let most = limits.hold_total + 400 * FLOW + SLACK;
    let peak = attack(limits, 400_000, |i| {
        let seq = 1000 + 2 * (i / 400);
        let ports = [40_000, 80];
        tcp(
            0x0a09_0000 + i % 400,
            &Tcp { ports, seq, payload: b"x", ack: Some(1), ..Tcp::default() },
        )
    });
    assert!(peak.held > 8 << 20, "only {} bytes held", peak.held);
    assert!((peak.heap as u64) < most, "{} bytes for {} held", peak.heap, peak.held);

    // Large segments behind a hole that nobody fills.
    let limits = Limits { hold_total: 16 << 20, ..Limits::default() };
    let peak = attack(limits, 40_000, |i| {
        let seq = 1000 + 1 + 1400 * (i / 40);
        let payload = if i < 40 { &b"x"[..] } else { &[7; 1399] };
        let seq = if i < 40 { 1000 } else { seq };
        let ports = [40_000, 80];
        tcp(0x0a09_0000 + i % 40, &Tcp { ports, seq, payload, ack: Some(1), ..Tcp::default() })
    });
    assert!(peak.held > 6 << 20, "only {} bytes held", peak.held);
    assert!((peak.heap as u64) < most, "{} bytes for {} held", peak.heap, peak.held);

    // SYNs: once the table is full, nothing grows.
    let limits = Limits { max_flows: 50_000, ..Limits::default() };
    let peak = attack(limits, 300_000, |i| {
        tcp(0x0a09_0000 + i, &Tcp { ports: [1000, 80], seq: i, flags: 2, ..Tcp::default() })
    });
    assert!((peak.heap as u64) < 50_000 * FLOW + SLACK, "{} bytes for the table", peak.heap);
    assert!(peak.end <= peak.quarter + peak.quarter / 20, "{} and then {}", peak.quarter, peak.end);

    // Fragments of datagrams that never become whole, tiny and large.
    for len in [8, 1400] {
        let limits = Limits { frag_total: 4 << 20, ..Limits::default() };
        let peak = attack(limits, 50_000, |i| {
            let part = Part { id: i as u16, offset: 8, more: true };
            frame::ipv4(
                (0x0a09_0000 + (i >> 16)).to_be_bytes(),
                [10, 9, 255, 1],
                17,
                part,
                &vec![1; len],
            )
        });
        assert!(peak.held > 3 << 20, "only {} bytes held", peak.held);
        assert!((peak.heap as u64) < (4 << 20) + SLACK, "{} bytes for fragments", peak.heap);
    }
}
