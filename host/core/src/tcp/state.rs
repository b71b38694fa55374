//! How far each side of a connection got, in the terms in which Zeek tells its outcome.
//!
//! These states say what a connection amounted to; the reassembly does not depend on them. They
//! follow what Zeek's TCP analyzer does with the same segments, oddities included, because their
//! only use is an outcome that means the same as Zeek's.

use crate::Side;
use crate::decode::TcpFlags;

/// How far one side got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SideState {
    /// It sent nothing that counts.
    #[default]
    Inactive,
    /// A SYN, as the originator.
    SynSent,
    /// A SYN-ACK, as the originator.
    SynAckSent,
    /// Something without a handshake.
    Partial,
    /// The handshake is over.
    Established,
    /// A FIN.
    Closed,
    /// A RST.
    Reset,
    /// A FIN and then a RST.
    ResetClosed,
}

impl SideState {
    /// Returns whether the side did not take part in a handshake.
    pub(crate) const fn is_inactive(self) -> bool {
        matches!(self, Self::Inactive | Self::Partial)
    }

    pub(crate) const fn is_reset(self) -> bool {
        matches!(self, Self::Reset | Self::ResetClosed)
    }
}

/// Moves the states of both sides, the originator's first, on by a segment that `side` sent.
///
/// `empty` says that it has no payload. FIN and RST are to be left out of `flags` where they are not
/// believed.
#[inline]
pub(super) fn advance(states: &mut [SideState; 2], side: Side, flags: TcpFlags, empty: bool) {
    let control = flags.any(TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST));
    let own = states[side.index()];
    // The usual case: both are established, and that is what they stay.
    if control || matches!(own, SideState::Inactive) {
        advance_slow(states, side, flags, empty);
    }
}

fn advance_slow(states: &mut [SideState; 2], side: Side, flags: TcpFlags, empty: bool) {
    use SideState::{
        Closed, Established, Inactive, Partial, Reset, ResetClosed, SynAckSent, SynSent,
    };
    let peer = states[side.other().index()];
    let syn = flags.has(TcpFlags::SYN);
    let fin = flags.has(TcpFlags::FIN);
    let rst = flags.has(TcpFlags::RST);
    let own = states[side.index()];
    let next = match own {
        Inactive if rst => Reset,
        Inactive if syn => return open(states, side, flags, fin),
        Inactive if fin => Closed,
        // Some systems acknowledge a SYN before they answer it.
        Inactive if side == Side::Resp && empty && peer == SynSent => Inactive,
        // The SYN was missed, its answer was not.
        Inactive if flags.has(TcpFlags::ACK) && peer == Established => Established,
        Inactive => Partial,
        SynSent | SynAckSent | Partial | Established if rst => Reset,
        SynSent | SynAckSent | Partial | Established if fin => {
            if peer == ResetClosed && matches!(own, Partial | Established) {
                // A FIN, a RST and an answer to the FIN are a normal end.
                states[side.other().index()] = Closed;
            }
            Closed
        }
        Partial if syn && !flags.has(TcpFlags::ACK) && peer == Inactive => SynSent,
        Closed if rst && peer != Closed => ResetClosed,
        own => own,
    };
    states[side.index()] = next;
}

/// Takes the SYN of a side that has sent nothing before.
fn open(states: &mut [SideState; 2], side: Side, flags: TcpFlags, fin: bool) {
    use SideState::{Closed, Established, SynAckSent, SynSent};
    let next = match side {
        Side::Orig if flags.has(TcpFlags::ACK) => SynAckSent,
        // The capture has put the SYN-ACK before it.
        Side::Orig if states[Side::Resp.index()] == Established => Established,
        Side::Orig => SynSent,
        Side::Resp => {
            let peer = &mut states[Side::Orig.index()];
            if *peer == SynSent {
                *peer = Established;
            }
            Established
        }
    };
    states[side.index()] = if fin { Closed } else { next };
}

#[cfg(test)]
mod tests {
    use super::SideState::{
        Closed, Established, Inactive, Partial, Reset, ResetClosed, SynAckSent, SynSent,
    };
    use super::*;

    /// Applies segments such as `S` or `h`: Zeek's letters, in upper case from the originator.
    fn after(segments: &str) -> [SideState; 2] {
        let mut states = [Inactive; 2];
        for letter in segments.chars() {
            let side = if letter.is_ascii_uppercase() { Side::Orig } else { Side::Resp };
            let (ack, empty) = (TcpFlags::ACK, letter != 'd' && letter != 'D');
            let flags = match letter.to_ascii_lowercase() {
                's' => TcpFlags::SYN,
                'h' => TcpFlags::SYN.with(ack),
                'f' => TcpFlags::FIN.with(ack),
                'r' => TcpFlags::RST,
                _ => ack,
            };
            advance(&mut states, side, flags, empty);
        }
        states
    }

    #[test]
    fn states_follow_the_segments_as_zeeks_do() {
        for (segments, orig, resp) in [
            ("S", SynSent, Inactive),
            ("Sa", SynSent, Inactive),
            ("Sd", SynSent, Partial),
            ("Sh", Established, Established),
            ("ShAD", Established, Established),
            ("Ss", Established, Established),
            ("H", SynAckSent, Inactive),
            ("h", Inactive, Established),
            ("hA", Established, Established),
            ("hS", Established, Established),
            ("D", Partial, Inactive),
            ("DS", SynSent, Inactive),
            ("Dd", Partial, Partial),
            ("SADF", Closed, Inactive),
            ("ShAFa", Closed, Established),
            ("ShAFf", Closed, Closed),
            ("ShAFfR", Closed, Closed),
            ("ShAFR", ResetClosed, Established),
            ("ShAFRf", Closed, Closed),
            ("ShAR", Reset, Established),
            ("ShARf", Reset, Closed),
            ("Sr", SynSent, Reset),
            ("SR", Reset, Inactive),
            ("hr", Inactive, Reset),
            ("ShArS", Established, Reset),
        ] {
            assert_eq!(after(segments), [orig, resp], "{segments}");
        }
    }
}
