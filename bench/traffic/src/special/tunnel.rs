//! Tunnels in tunnels.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use super::plain::Plain;
use super::{PORT, wire};
use crate::bits::low8;
use crate::frame::{self, GRE, UDP};
use crate::output::{Output, Summary};
use crate::pool::{Material, Pools};
use crate::tuple::{Side, Tuple};

/// More layers, of 50 or 38 bytes each, would not leave room for the inner frames in 64 KiB.
pub const MOST_LAYERS: u16 = 1000;

/// `flows` TCP flows in tunnels of `layers` layers, VXLAN (RFC 7348) in GRE (RFC 2784) in VXLAN and
/// so on, the outermost of them VXLAN; beside each a flow that says the same without a tunnel.
///
/// # Errors
///
/// More than [`MOST_LAYERS`], as invalid input; or what `output` fails with.
pub fn tunnel_tower(flows: u64, layers: u16, output: &mut Output<'_>) -> io::Result<Summary> {
    if layers > MOST_LAYERS {
        let error = format!("{layers} layers do not fit in a datagram, {MOST_LAYERS} do");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
    }
    let mut wire = wire(output);
    let pools = Pools::new();
    let mut payload = Vec::new();
    for id in 0..flows {
        payload.clear();
        pools.copy(Material::Text, id << 32, 0, 640, &mut payload);
        let mut frames = Vec::new();
        for number in [2 * id, 2 * id + 1] {
            wire.begin_flow();
            frames.push(conversation(Tuple::of(number, 0, false, PORT), &payload)?);
        }
        let [inside, beside] = &frames[..] else { return Ok(wire.finish()) };
        for (inside, beside) in inside.iter().zip(beside) {
            wire.send(&wrapped(inside, layers))?;
            wire.send(beside)?;
        }
    }
    Ok(wire.finish())
}

/// All frames of a short flow.
fn conversation(tuple: Tuple, payload: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let mut frames: Vec<Vec<u8>> = Vec::new();
    let mut keep = |frame: crate::output::Generated<'_>| {
        frames.push(frame.bytes.to_vec());
        Ok(())
    };
    let mut wire = wire(&mut keep);
    let mut buffer = Vec::new();
    let mut flow = Plain::new(tuple);
    flow.open(&mut buffer, &mut wire)?;
    for side in [Side::Client, Side::Server, Side::Client] {
        flow.send(side, payload, &mut buffer, &mut wire)?;
    }
    flow.close(&mut buffer, |frame| wire.send(frame))?;
    Ok(frames)
}

fn wrapped(frame: &[u8], layers: u16) -> Vec<u8> {
    let mut frame = frame.to_vec();
    for layer in 0..layers {
        let mut outer = Vec::with_capacity(frame.len() + 50);
        let address = |last| Ipv4Addr::new(172, 16, low8((layer % 250).into()), last).into();
        let (from, to) = (SocketAddr::new(address(1), 50_000), SocketAddr::new(address(2), 4789));
        let vxlan = (layers - layer) % 2 == 1;
        frame::ethernet(&mut outer, false, |outer| {
            if vxlan {
                frame::ip(outer, from.ip(), to.ip(), UDP, layer, |outer| {
                    frame::udp(outer, (from, to), |outer| {
                        outer.extend([8, 0, 0, 0, 0]);
                        outer.extend(layer.to_be_bytes());
                        outer.push(0);
                        outer.extend_from_slice(&frame);
                    });
                });
            } else {
                frame::ip(outer, from.ip(), to.ip(), GRE, layer, |outer| {
                    // Ethernet inside, no options.
                    outer.extend([0, 0, 0x65, 0x58]);
                    outer.extend_from_slice(&frame);
                });
            }
        });
        frame = outer;
    }
    frame
}
