//! The crate `protolens`.
//!
//! Of what it offers to others, the client's side of its POP3 parser is nearest to reading lines: it
//! reads a line, takes CR LF off, hands it to a callback, and compares it with two words. The
//! parser that it measures itself with does the same but for that, and is not there for others.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use anyhow::{Result, ensure};
use protolens::{L7Proto, Packet, Prolens, TransProto};

use super::segments::Segments;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

/// A decoded packet. Protolens wants to own it, so the bytes are shared: passing it on copies none.
#[derive(Clone)]
struct Decoded {
    text: Rc<[u8]>,
    start: usize,
    end: usize,
    syn: bool,
    fin: bool,
}

impl Packet for Decoded {
    fn trans_proto(&self) -> TransProto {
        TransProto::Tcp
    }

    fn sip(&self) -> IpAddr {
        CLIENT
    }

    fn dip(&self) -> IpAddr {
        SERVER
    }

    fn tu_sport(&self) -> u16 {
        1000
    }

    fn tu_dport(&self) -> u16 {
        110
    }

    fn seq(&self) -> u32 {
        // It takes 0 for "not known yet".
        let first = if self.syn { 1 } else { 2 };
        u32::try_from(self.start).map_or(u32::MAX, |start| start + first)
    }

    fn syn(&self) -> bool {
        self.syn
    }

    fn fin(&self) -> bool {
        self.fin
    }

    fn payload_len(&self) -> usize {
        self.end - self.start
    }

    fn payload(&self) -> &[u8] {
        &self.text[self.start..self.end]
    }
}

pub(super) fn packets(segments: &Segments) -> Result<()> {
    let mut lens = Prolens::<Decoded>::default();
    let counted = Rc::new(Cell::new(0_u64));
    let lines = Rc::clone(&counted);
    lens.set_cb_pop3_clt(move |line: &[u8], _seq, _context| {
        std::hint::black_box(line);
        lines.set(lines.get() + 1);
    });
    let mut task = lens.new_task(TransProto::Tcp);
    lens.set_task_parser(&mut task, L7Proto::Pop3);
    let len = segments.text.len();
    let packet = |start: usize, end: usize, syn, fin| {
        let text = Rc::clone(&segments.text);
        Decoded { text, start, end, syn, fin }
    };
    lens.run_task(&mut task, packet(0, 0, true, false));
    let mut start = 0;
    while start < len {
        let end = len.min(start + segments.size);
        lens.run_task(&mut task, packet(start, end, false, false));
        start = end;
    }
    lens.run_task(&mut task, packet(len, len, false, true));
    let lines = counted.get();
    ensure!(lines == segments.lines, "{lines} lines instead of {}", segments.lines);
    Ok(())
}
