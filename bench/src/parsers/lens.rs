//! The crate `protolens`, with all callbacks that it has for a protocol.

use std::cell::Cell;
use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use flowcell::runtime::{Side, Transport};
use protolens::{L7Proto, Packet, Prolens, TransProto};

use super::conversation::{Conversation, Conversations, What};

/// A decoded packet. Protolens wants to own it, so its bytes stay for ever: passing it on copies none.
#[derive(Clone, Copy)]
struct Decoded {
    from: SocketAddr,
    to: SocketAddr,
    transport: TransProto,
    seq: u32,
    syn: bool,
    fin: bool,
    bytes: &'static [u8],
}

impl Packet for Decoded {
    fn trans_proto(&self) -> TransProto {
        self.transport
    }

    fn sip(&self) -> IpAddr {
        self.from.ip()
    }

    fn dip(&self) -> IpAddr {
        self.to.ip()
    }

    fn tu_sport(&self) -> u16 {
        self.from.port()
    }

    fn tu_dport(&self) -> u16 {
        self.to.port()
    }

    fn seq(&self) -> u32 {
        self.seq
    }

    fn syn(&self) -> bool {
        self.syn
    }

    fn fin(&self) -> bool {
        self.fin
    }

    fn payload_len(&self) -> usize {
        self.bytes.len()
    }

    fn payload(&self) -> &[u8] {
        self.bytes
    }
}

/// Reads all conversations; returns how many bytes it has had to tell of.
pub(super) fn run(conversations: &'static Conversations, protocol: L7Proto) -> u64 {
    let mut lens = Prolens::<Decoded>::default();
    let handed = listen(&mut lens);
    for conversation in &conversations.flows {
        one(&mut lens, conversation, protocol);
    }
    handed.get()
}

fn one(lens: &mut Prolens<Decoded>, conversation: &'static Conversation, protocol: L7Proto) {
    let transport = match conversation.transport {
        Transport::Tcp => TransProto::Tcp,
        Transport::Udp => TransProto::Udp,
    };
    let mut task = lens.new_task(transport);
    lens.set_task_parser(&mut task, protocol);
    let ends = [conversation.client, conversation.server];
    // It takes 0 for "not known yet".
    let mut seq = [1_u32; 2];
    let packet = |side: usize, seq, syn, fin, bytes| {
        let (from, to) = (ends[side], ends[1 - side]);
        Decoded { from, to, transport, seq, syn, fin, bytes }
    };
    if transport == TransProto::Tcp {
        for (side, seq) in seq.iter_mut().enumerate() {
            lens.run_task(&mut task, packet(side, *seq, true, false, &[]));
            *seq += 1;
        }
    }
    for it in &conversation.packets {
        let side = usize::from(it.side == Side::Server);
        match &it.what {
            What::Data { bytes, .. } => {
                lens.run_task(&mut task, packet(side, seq[side], false, false, bytes));
                seq[side] = seq[side].wrapping_add(u32::try_from(bytes.len()).unwrap_or(0));
            }
            What::End(_) => {
                lens.run_task(&mut task, packet(side, seq[side], false, true, &[]));
            }
        }
    }
}

/// Sets all callbacks of the protocols that are compared. They count the bytes that they are handed.
fn listen(lens: &mut Prolens<Decoded>) -> Rc<Cell<u64>> {
    let handed = Rc::new(Cell::new(0));
    let counter = || {
        let handed = Rc::clone(&handed);
        move |bytes: &[u8]| handed.set(handed.get() + black_box(bytes).len() as u64)
    };
    let plain = || {
        let count = counter();
        move |bytes: &[u8], _, _| count(bytes)
    };
    let sided = || {
        let count = counter();
        move |bytes: &[u8], _, _, _| count(bytes)
    };
    lens.set_cb_smtp_user(plain());
    lens.set_cb_smtp_pass(plain());
    lens.set_cb_smtp_mailfrom(plain());
    lens.set_cb_smtp_rcpt(plain());
    lens.set_cb_smtp_srv(plain());
    lens.set_cb_smtp_header(sided());
    lens.set_cb_smtp_body_start(|_, _| ());
    let count = counter();
    lens.set_cb_smtp_body(move |bytes, _, _, _, _| count(bytes));
    lens.set_cb_smtp_body_stop(|_, _| ());
    lens.set_cb_http_start_line(sided());
    lens.set_cb_http_header(sided());
    lens.set_cb_http_body_start(|_, _| ());
    let count = counter();
    lens.set_cb_http_body(move |bytes, _, _, _, _, _| count(bytes));
    lens.set_cb_http_body_stop(|_, _| ());
    handed
}
