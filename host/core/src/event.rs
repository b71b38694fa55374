//! What the engine tells its caller.

use crate::{FiveTuple, FlowId, FlowSummary, Side, Timestamp, Tunnel};

/// A flow as it is at the time of an event.
#[derive(Debug, Clone, Copy)]
pub struct FlowView<'a> {
    /// The id of the flow in its engine.
    pub id: FlowId,
    /// The endpoints. The direction never changes once the flow is open.
    pub tuple: &'a FiveTuple,
    /// When the first packet was seen.
    pub first_ts: Timestamp,
    /// The number of the frame that carried the first packet.
    pub first_packet: u64,
    /// Whether this is a TCP flow whose handshake was not seen.
    pub midstream: bool,
    /// VLAN ids of the first packet, outermost first.
    pub vlan: &'a [u16],
    /// The tunnel that the first packet came through.
    pub tunnel: Option<&'a Tunnel>,
    /// The time of the frame that caused the event, or the time at which a timer was due.
    pub ts: Timestamp,
    /// The number of the frame that caused the event; for a timer, of the last frame given.
    pub packet: u64,
    /// Whether a timer caused the event, or the end of the input, and not a packet.
    pub timer: bool,
    /// Whether the event may be answered with [`Demand::Later`].
    pub may_wait: bool,
}

/// Something that happened to a flow.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum FlowEvent<'a> {
    /// The flow exists. Comes before any other event of the flow.
    Opened,
    /// The next bytes of a stream: in order, contiguous with what came before, never empty.
    Data {
        /// Who sent them.
        side: Side,
        /// The stream offset of the first byte; the first data byte of a side is 0.
        offset: u64,
        /// The bytes. In-order ones are borrowed from the frame.
        bytes: &'a [u8],
    },
    /// One datagram. It may be empty.
    Datagram {
        /// Who sent it.
        side: Side,
        /// Payload bytes that this side has sent before.
        offset: u64,
        /// The payload, as far as it was captured.
        bytes: &'a [u8],
    },
    /// A part of a stream that will not come. The next bytes of the side follow behind it.
    Gap {
        /// Whose bytes are missing.
        side: Side,
        /// The stream offset of the first missing byte. For UDP: payload bytes sent before.
        offset: u64,
        /// How many bytes are missing, at least 1.
        len: u64,
        /// Why they are missing.
        reason: GapReason,
    },
    /// Nothing more comes from this side. Delivered exactly once for each side of each flow.
    End {
        /// The side that ended.
        side: Side,
        /// How it ended.
        reason: EndReason,
    },
    /// Something a protocol forbids or that has no good explanation.
    ///
    /// Only the first of each kind in a flow is delivered; all of them are counted.
    Anomaly(Anomaly),
    /// The flow left the table. The last event of a flow; its id may be used again from now on.
    Closed {
        /// The account of the flow.
        summary: &'a FlowSummary,
    },
}

/// The answer to an event: whether more of the same is wanted.
///
/// It counts for [`FlowEvent::Data`], [`FlowEvent::Datagram`] and [`FlowEvent::Gap`] and is
/// ignored for all others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub enum Demand {
    /// Go on delivering this side.
    #[default]
    More,
    /// Deliver nothing more of this side, apart from its end. What is held of it is dropped at
    /// once and nothing more is held. The same as [`FlowEngine::done`](crate::FlowEngine::done).
    Done,
    /// The bytes are put aside: the answer comes with [`FlowSink::catch_up`], before anything happens
    /// that it could make a difference for. For [`FlowView::may_wait`] only, else it is taken for
    /// `More`.
    Later,
}

/// What a sink says about bytes that it had put aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// Sides of which nothing more is wanted, by [`Side::index`].
    pub done: [bool; 2],
    /// How many of the bytes came after the sink had wanted nothing more of their side.
    pub unwanted: u64,
}

/// Receives the events of an engine.
pub trait FlowSink {
    /// Takes one event. Borrowed parts are valid during the call only.
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand;

    /// Returns a side of a flow of which nothing more is wanted, one after the other, for sinks that
    /// find out while they are told of something else. Asked after every packet.
    fn next_done(&mut self) -> Option<(FlowId, Side)> {
        None
    }

    /// Deals with what it has put aside of a flow, if that is not done yet.
    fn catch_up(&mut self, _flow: FlowId) -> CaughtUp {
        CaughtUp::default()
    }

    /// Returns a flow of which bytes may be put aside, one after the other.
    fn next_behind(&mut self) -> Option<FlowId> {
        None
    }
}

/// Defines an enum whose variants have stable names for output, and say what they mean.
#[doc(hidden)] // the host has such enums, too
#[macro_export]
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $name {
            /// Every variant, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the stable name used in output.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Returns what it means, for people.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+),)+ }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use named;

named! {
    /// Why bytes of a stream are missing.
    GapReason {
        /// They were sent but not captured.
        Lost = "lost",
        /// They might have come, but waiting for them would have taken too much memory.
        Memory = "memory",
        /// They are beyond the reassembly depth.
        Depth = "depth",
        /// The capture cut the frame that carried them.
        Snaplen = "snaplen",
    }
}

named! {
    /// How a side of a flow ended.
    EndReason {
        /// The side closed its stream, and everything before that was delivered.
        Fin = "fin",
        /// The connection was reset, or a new one took its addresses and ports.
        Reset = "reset",
        /// Nothing was seen for too long.
        Idle = "idle",
        /// The flow had to make room for another one.
        Evicted = "evicted",
        /// The input ended.
        Shutdown = "shutdown",
    }
}

named! {
    /// What was wrong.
    AnomalyKind {
        /// Two copies of the same bytes differ.
        OverlapConflict = "overlap_conflict",
        /// A segment so far from the stream's position that it can't belong to it.
        OutOfWindow = "out_of_window",
        /// Bytes behind the end that a FIN had set.
        DataAfterFin = "data_after_fin",
        /// Bytes after the connection was reset or closed.
        DataAfterClose = "data_after_close",
        /// A FIN that can't be right where it is.
        FinIgnored = "fin_ignored",
        /// A FIN outside the window.
        FinOutOfWindow = "fin_out_of_window",
        /// A RST within the window that is contradicted by what its sender sent afterwards.
        ResetIgnored = "reset_ignored",
        /// A RST outside the window.
        ResetOutOfWindow = "reset_out_of_window",
        /// A RST within the window, but not where its receiver was: RFC 5961 §3.2 has that answered
        /// with an acknowledgment.
        ResetChallenged = "reset_challenged",
        /// FIN and RST in one segment. It is taken as a RST.
        FinWithReset = "fin_with_reset",
        /// A SYN that fits neither this connection nor a new one.
        SynIgnored = "syn_ignored",
        /// A SYN-ACK that does not acknowledge the bytes that came with the SYN.
        SynDataRefused = "syn_data_refused",
        /// A SYN together with a FIN or RST.
        BadFlags = "bad_flags",
        /// Neither SYN nor RST, and yet no ACK. It is taken, although receivers drop it.
        NoAck = "no_ack",
        /// An acknowledgment of bytes that the peer can't have sent.
        AckOfUnsent = "ack_of_unsent",
        /// Urgent data. It stays in the stream.
        UrgentData = "urgent_data",
    }
}

/// One anomaly of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anomaly {
    /// What was wrong.
    pub kind: AnomalyKind,
    /// Who sent the packet that showed it.
    pub side: Side,
    /// Where and what, for [`AnomalyKind::OverlapConflict`].
    pub detail: Option<AnomalyDetail>,
}

/// Two copies of the same bytes of a stream that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnomalyDetail {
    /// The stream offset of the first byte in which they differ.
    pub offset: u64,
    /// The number of bytes from there to the last one in which they differ.
    pub len: u64,
    /// The first of these bytes in the copy that counts.
    pub kept: Excerpt,
    /// The first of these bytes in the other copy.
    pub rejected: Excerpt,
}

/// The first bytes of a range, at most [`Excerpt::MAX`] of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Excerpt {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl Excerpt {
    /// The most bytes that an excerpt holds.
    pub const MAX: usize = 16;

    /// Takes the first bytes of `range`.
    pub(crate) fn of(range: &[u8]) -> Self {
        let mut excerpt = Self::default();
        for (to, from) in excerpt.bytes.iter_mut().zip(range) {
            *to = *from;
            excerpt.len += 1;
        }
        excerpt
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// The kinds of anomaly seen in a flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnomalySet(u32);

impl AnomalySet {
    /// Adds a kind; returns whether it is new.
    pub(crate) fn insert(&mut self, kind: AnomalyKind) -> bool {
        let bit = 1 << kind as u32;
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }

    /// Returns whether the kind was seen.
    #[must_use]
    pub const fn contains(self, kind: AnomalyKind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// Returns whether no anomaly was seen.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the kinds seen, in order of declaration.
    pub fn iter(self) -> impl Iterator<Item = AnomalyKind> {
        AnomalyKind::ALL.iter().copied().filter(move |kind| self.contains(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anomaly_set_remembers_each_kind_once() {
        let mut set = AnomalySet::default();
        assert!(set.is_empty());
        for &kind in AnomalyKind::ALL {
            assert!(set.insert(kind));
            assert!(!set.insert(kind));
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), AnomalyKind::ALL);
    }

    #[test]
    fn names_are_snake_case_and_differ() {
        let mut names: Vec<_> = AnomalyKind::ALL.iter().map(|kind| kind.name()).collect();
        names.extend(GapReason::ALL.iter().map(|reason| reason.name()));
        names.extend(EndReason::ALL.iter().map(|reason| reason.name()));
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
