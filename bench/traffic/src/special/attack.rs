//! Traffic that means harm.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use super::plain::Plain;
use super::{PORT, wire};
use crate::bits::{low8, low16, low32};
use crate::frame::{self, ACK, Fragment, Options, SYN, Segment, UDP};
use crate::output::{Output, Summary};
use crate::pool::{Material, Pools};
use crate::rng::Rng;
use crate::tuple::{Side, Tuple};

/// SYNs of `flows` flows, from as many addresses; the server answers every eighth, nobody goes on.
///
/// # Errors
///
/// What `output` fails with.
pub fn syn_flood(flows: u64, output: &mut Output<'_>) -> io::Result<Summary> {
    let mut wire = wire(output);
    let mut buffer = Vec::new();
    for id in 0..flows {
        wire.begin_flow();
        let mut tuple = Tuple::of(id, 0, false, PORT);
        tuple.server.set_ip(Ipv4Addr::new(198, 18, 0, 1).into());
        let flow = Plain::new(tuple);
        flow.frame(&mut buffer, Side::Client, SYN, 0, b"");
        wire.send(&buffer)?;
        if id % 8 == 0 {
            flow.frame(&mut buffer, Side::Server, SYN | ACK, 0, b"");
            wire.send(&buffer)?;
        }
    }
    Ok(wire.finish())
}

/// Fragments of `datagrams` IPv4 datagrams, none of which is ever complete. Most have two
/// fragments with a hole between them; some overlap, some come in pieces of eight bytes.
///
/// # Errors
///
/// What `output` fails with.
pub fn fragment_bomb(datagrams: u64, output: &mut Output<'_>) -> io::Result<Summary> {
    const TWO: &[(u16, usize)] = &[(0, 1480), (2960, 1480)];
    const OVERLAPPING: &[(u16, usize)] = &[(0, 1480), (1472, 1480), (1464, 1480)];
    const TINY: &[(u16, usize)] = &[(0, 8), (16, 8), (32, 8), (48, 8), (64, 8), (80, 8), (96, 8)];
    let mut wire = wire(output);
    let mut buffer = Vec::new();
    let mut payload = Vec::new();
    let pools = Pools::new();
    for number in 0..datagrams {
        wire.begin_flow();
        let tuple = Tuple::of(number, 0, false, PORT);
        let pieces = match number % 16 {
            0 => TINY,
            1 | 2 => OVERLAPPING,
            _ => TWO,
        };
        for (offset, len) in pieces.iter().copied() {
            payload.clear();
            if offset == 0 {
                payload.extend(tuple.client.port().to_be_bytes());
                payload.extend(tuple.server.port().to_be_bytes());
                payload.extend([0x20, 0, 0, 0]);
            }
            let rest = low32((len - payload.len()) as u64);
            pools.copy(Material::Binary, number << 32, offset.into(), rest, &mut payload);
            buffer.clear();
            let ends = (tuple.client.ip(), tuple.server.ip());
            let fragment = Some(Fragment { offset, more: true });
            frame::ethernet(&mut buffer, false, |buffer| {
                frame::ipv4(buffer, ends.0, ends.1, UDP, low16(number), fragment, |buffer| {
                    buffer.extend_from_slice(&payload);
                });
            });
            wire.send(&buffer)?;
        }
    }
    Ok(wire.finish())
}

/// `flows` flows whose clients send `bytes` bytes each, every byte in a segment of its own. With
/// `holes`, every second byte comes first, all others after them.
///
/// # Errors
///
/// What `output` fails with.
pub fn one_byte_segments(
    flows: u64,
    bytes: u32,
    holes: bool,
    output: &mut Output<'_>,
) -> io::Result<Summary> {
    let mut wire = wire(output);
    let mut buffer = Vec::new();
    let open: Vec<_> = (0..flows).map(|id| Plain::new(Tuple::of(id, 0, false, PORT))).collect();
    for flow in &open {
        flow.open(&mut buffer, &mut wire)?;
    }
    let half = bytes / 2;
    let place = |step| match (holes, step < half) {
        (false, _) => step,
        (true, true) => step * 2 + 1,
        (true, false) => (step - half) * 2,
    };
    for at in (0..bytes).map(place) {
        let byte = b'a' + low8(u64::from(at % 26));
        for flow in &open {
            flow.frame(&mut buffer, Side::Client, ACK, at.into(), &[byte]);
            wire.send(&buffer)?;
        }
    }
    Ok(wire.finish())
}

/// The bytes that [`hole`] leaves out.
const HOLE: u64 = 1448;

/// `flows` flows, each with 1448 bytes missing after the first 1448, and then `bytes` bytes behind
/// that hole. The server acknowledges up to the hole and no further.
///
/// # Errors
///
/// What `output` fails with.
pub fn hole(flows: u64, bytes: u64, output: &mut Output<'_>) -> io::Result<Summary> {
    let mut wire = wire(output);
    let pools = Pools::new();
    let (mut buffer, mut payload) = (Vec::new(), Vec::new());
    let mut open: Vec<_> = (0..flows).map(|id| Plain::new(Tuple::of(id, 0, false, PORT))).collect();
    pools.copy(Material::Text, 0, 0, low32(HOLE), &mut payload);
    for flow in &mut open {
        flow.open(&mut buffer, &mut wire)?;
        flow.send(Side::Client, &payload, &mut buffer, &mut wire)?;
    }
    for (number, at) in (0..bytes).step_by(payload.len()).enumerate() {
        let part = usize::try_from(bytes - at).unwrap_or(usize::MAX).min(payload.len());
        for flow in &open {
            flow.frame(&mut buffer, Side::Client, ACK, 2 * HOLE + at, &payload[..part]);
            wire.send(&buffer)?;
            if number % 2 == 1 {
                flow.frame(&mut buffer, Side::Server, ACK, 0, b"");
                wire.send(&buffer)?;
            }
        }
    }
    Ok(wire.finish())
}

/// `flows` UDP and TCP flows in turns, whose client addresses and ports count up while the
/// exclusive or of both addresses and of both ports never changes: a hash of a flow that only
/// combines both ends puts all of them in one place.
///
/// # Errors
///
/// What `output` fails with.
pub fn collide(flows: u64, output: &mut Output<'_>) -> io::Result<Summary> {
    let mut wire = wire(output);
    let mut buffer = Vec::new();
    let mut rng = Rng::new(1);
    for id in 0..flows {
        wire.begin_flow();
        let port = 1024 + low16(id % 0x4000);
        let host = 0x0a00_0000 | (low32(id / 0x4000) & 0x007f_ffff);
        let client = SocketAddr::new(Ipv4Addr::from(host).into(), port);
        let server = SocketAddr::new(Ipv4Addr::from(host ^ 0x0080_0000).into(), port ^ 0x8000);
        buffer.clear();
        if id % 2 == 0 {
            frame::udp_frame(&mut buffer, (client, server), low16(id), |to| to.extend(b"collide"));
        } else {
            let segment = Segment {
                seq: rng.u32(),
                ack: 0,
                flags: SYN,
                window: 64_240,
                options: Options::None,
            };
            frame::tcp_frame(&mut buffer, (client, server), low16(id), &segment, |_| {});
        }
        wire.send(&buffer)?;
    }
    Ok(wire.finish())
}
