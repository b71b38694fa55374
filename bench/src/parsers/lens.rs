//! The crate `protolens`, with all callbacks that it has for a protocol.

use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
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

pub(super) fn run(conversations: &'static Conversations, protocol: L7Proto) -> Result<()> {
    let mut lens = Prolens::<Decoded>::default();
    listen(&mut lens);
    for conversation in &conversations.flows {
        one(&mut lens, conversation, protocol);
    }
    Ok(())
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
        for side in 0..2 {
            lens.run_task(&mut task, packet(side, seq[side], true, false, &[]));
            seq[side] += 1;
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

fn listen(lens: &mut Prolens<Decoded>) {
    let bytes = |bytes: &[u8], _, _| drop(black_box(bytes));
    lens.set_cb_smtp_user(bytes);
    lens.set_cb_smtp_pass(bytes);
    lens.set_cb_smtp_mailfrom(bytes);
    lens.set_cb_smtp_rcpt(bytes);
    lens.set_cb_smtp_srv(bytes);
    lens.set_cb_smtp_header(|bytes, _, _, _| drop(black_box(bytes)));
    lens.set_cb_smtp_body_start(|_, _| ());
    lens.set_cb_smtp_body(|bytes, _, _, _, _| drop(black_box(bytes)));
    lens.set_cb_smtp_body_stop(|_, _| ());
    lens.set_cb_http_start_line(|bytes, _, _, _| drop(black_box(bytes)));
    lens.set_cb_http_header(|bytes, _, _, _| drop(black_box(bytes)));
    lens.set_cb_http_body_start(|_, _| ());
    lens.set_cb_http_body(|bytes, _, _, _, _, _| drop(black_box(bytes)));
    lens.set_cb_http_body_stop(|_, _| ());
}
