//! TCP flows so plain that they need no state but how much each side sent.

use std::io;

use crate::bits::{len32, low16, low32};
use crate::frame::{self, ACK, FIN, Options, PSH, SYN, Segment};
use crate::output::Wire;
use crate::tuple::{Side, Tuple};

/// Where a segment without a place of its own goes.
const MSS: u16 = 1460;

#[derive(Clone, Copy, Debug)]
pub(super) struct Plain {
    tuple: Tuple,
    isn: u32,
    pub(super) sent: [u64; 2],
    /// How far each side says that it has heard the other one.
    heard: [u64; 2],
}

impl Plain {
    pub(super) fn new(tuple: Tuple) -> Self {
        let isn = u32::from(tuple.client.port()).wrapping_mul(0x9e37_79b9);
        Self { tuple, isn, sent: [0; 2], heard: [0; 2] }
    }

    /// The flow as it is after its handshake and after both sides have heard `sent`.
    pub(super) fn resumed(tuple: Tuple, sent: [u64; 2]) -> Self {
        Self { sent, heard: [sent[1], sent[0]], ..Self::new(tuple) }
    }

    pub(super) fn open(&self, buffer: &mut Vec<u8>, wire: &mut Wire<'_, '_>) -> io::Result<()> {
        wire.begin_flow();
        for (side, flags) in [(Side::Client, SYN), (Side::Server, SYN | ACK), (Side::Client, ACK)] {
            self.frame(buffer, side, flags, 0, b"");
            wire.send(buffer)?;
        }
        Ok(())
    }

    /// The next bytes of `side`, which the other side gets.
    pub(super) fn send(
        &mut self,
        side: Side,
        payload: &[u8],
        buffer: &mut Vec<u8>,
        wire: &mut Wire<'_, '_>,
    ) -> io::Result<()> {
        self.write(side, payload, buffer);
        wire.send(buffer)
    }

    /// As [`Plain::send`], but the frame is left in `buffer`.
    pub(super) fn write(&mut self, side: Side, payload: &[u8], buffer: &mut Vec<u8>) {
        let at = self.sent[side as usize];
        self.frame(buffer, side, ACK | PSH, at, payload);
        self.sent[side as usize] += u64::from(len32(payload));
        self.heard[side.other() as usize] = self.sent[side as usize];
    }

    /// A FIN of both sides, and the last acknowledgment.
    pub(super) fn close(
        &self,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let [client, server] = self.sent;
        let steps = [
            (Side::Client, FIN | ACK, client, 0),
            (Side::Server, FIN | ACK, server, 1),
            (Side::Client, ACK, client + 1, 1),
        ];
        for (side, flags, at, finished) in steps {
            let mut flow = *self;
            flow.heard[side as usize] += finished;
            flow.frame(buffer, side, flags, at, b"");
            each(buffer)?;
        }
        Ok(())
    }

    /// A frame of `side` with `payload` at offset `at`, wherever that is.
    pub(super) fn frame(
        &self,
        buffer: &mut Vec<u8>,
        side: Side,
        flags: u8,
        at: u64,
        payload: &[u8],
    ) {
        buffer.clear();
        let syn = flags & SYN != 0;
        let heard = self.heard[side as usize];
        let segment = Segment {
            seq: self.isn.wrapping_add(low32(at)).wrapping_add(u32::from(!syn)),
            ack: match flags & ACK {
                0 => 0,
                _ => self.isn.wrapping_add(low32(heard)).wrapping_add(1),
            },
            flags,
            window: 64_240,
            options: match syn {
                true => Options::Syn { mss: MSS, scale: 7, timestamps: None },
                false => Options::None,
            },
        };
        let id = low16(at / 7 + u64::from(flags));
        frame::tcp_frame(buffer, self.tuple.from(side), id, &segment, |to| {
            to.extend_from_slice(payload);
        });
    }
}
