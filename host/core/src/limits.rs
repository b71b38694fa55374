//! Every limit of the engine, in one table.
//!
//! The table is the code: the fields of [`Limits`], their defaults and the rows of
//! [`Limits::TABLE`] come from the same lines.

use std::ops::RangeInclusive;

use crate::flow::LETTERS;
use crate::tcp::MAX_SUSPECTS;

/// What there is to know about one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitInfo {
    /// The name, as in the field of [`Limits`].
    pub name: &'static str,
    /// The value if nobody sets another.
    pub default: u64,
    /// The least value that makes sense.
    pub min: u64,
    /// The largest value that is heeded.
    pub max: u64,
    /// The unit of the value.
    pub unit: &'static str,
    /// The counters that tell how often the limit was hit, by their names in
    /// [`Counters`](crate::Counters).
    pub counters: &'static [&'static str],
    /// What happens when the limit is hit.
    pub action: &'static str,
    /// Whether the value is built in rather than set at run time.
    pub fixed: bool,
}

macro_rules! limits {
    (
        $($(#[$doc:meta])+ $name:ident = $default:expr, $unit:literal,
          $counters:expr => $action:literal $(, $range:expr)?;)+
        fixed:
        $($fixed:ident = $value:expr, $fixed_unit:literal,
          $fixed_counters:expr => $fixed_action:literal;)+
    ) => {
        /// The limits of one engine. All are finite by default, but for `depth`.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits { $($(#[$doc])+ pub $name: u64,)+ }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Limits {
            /// All limits, those that can be set first.
            pub const TABLE: &'static [LimitInfo] = &[
                $(LimitInfo {
                    name: stringify!($name), default: $default, unit: $unit,
                    min: bounds(&[$($range)?]).0, max: bounds(&[$($range)?]).1,
                    counters: &$counters, action: $action, fixed: false,
                },)+
                $(LimitInfo {
                    name: stringify!($fixed), default: $value, unit: $fixed_unit,
                    min: $value, max: $value,
                    counters: &$fixed_counters, action: $fixed_action, fixed: true,
                },)+
            ];

            /// Returns what one of `parts` equal parts of an engine may use: the limits that are for all
            /// flows together are divided.
            #[must_use]
            pub fn share(&self, parts: u64) -> Self {
                let parts = parts.max(1);
                Self {
                    // Rounded down: together the parts must not have more.
                    max_flows: (self.max_flows / parts).max(1),
                    hold_total: self.hold_total / parts,
                    ..self.clone()
                }
            }

            /// Returns the limit of this name, unless there is none.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($name) => Some(self.$name),)+
                    _ => None,
                }
            }

            /// Sets the limit of this name; returns whether there is one.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = value,)+
                    _ => return false,
                }
                true
            }
        }
    };
}

/// The bounds of a row: all values, unless it says otherwise.
const fn bounds(range: &[RangeInclusive<u64>]) -> (u64, u64) {
    match range {
        [range, ..] => (*range.start(), *range.end()),
        [] => (0, u64::MAX),
    }
}

/// Flows that one table can number: in 32 bits, and two numbers have a meaning of their own.
pub(crate) const MAX_FLOWS: u64 = u32::MAX as u64 - 2;

/// Sequence numbers that are further apart can't be told from their opposite.
pub(crate) const MAX_JUMP: u64 = 1 << 30;

/// VLAN tags followed in one frame: two of QinQ, and as many again.
pub(crate) const VLAN_TAGS: usize = 4;

/// Headers followed in front of IP, in one frame or inside of one tunnel.
pub(crate) const LINK_HEADERS: usize = 16;

/// MPLS labels followed in one stack.
pub(crate) const MPLS_LABELS: usize = 16;

/// IP extension headers followed in one packet. RFC 8200 §4.1 lists six, one of them twice; but §4 has
/// receivers take any number, so nobody should be able to hide behind a few more.
pub(crate) const IP_EXTENSIONS: usize = 64;

/// Bytes that a stream may hold behind its holes however much others hold, in bytes: the window of a
/// connection without window scaling.
pub(crate) const FAIR_SHARE: u64 = 64 << 10;

limits! {
    /// Flows in the table, at least 1.
    max_flows = 2_000_000, "flows",
        ["flows_evicted_closed", "flows_evicted_one_sided", "flows_evicted_established"]
        => "evict a flow: closed ones first, then unestablished and one-sided, then any; \
            the longest idle of its kind", 1..=MAX_FLOWS;
    /// Silence after which a TCP flow is closed that got no further than its SYN, in ms.
    tcp_attempt_timeout_ms = 60_000, "ms", ["flows_expired_attempt"]
        => "close the flow, reason idle", 1..=u64::MAX;
    /// Silence after which any other TCP flow is closed, in ms.
    tcp_timeout_ms = 600_000, "ms", ["flows_expired_tcp"]
        => "close the flow, reason idle", 1..=u64::MAX;
    /// Silence after which a TCP flow that has ended leaves the table, in ms.
    tcp_linger_ms = 5_000, "ms", ["flows_expired_closed"] => "remove the flow";
    /// Silence after which a UDP flow is closed of which one direction was seen, in ms.
    udp_one_sided_timeout_ms = 30_000, "ms", ["flows_expired_udp_one_sided"]
        => "close the flow, reason idle", 1..=u64::MAX;
    /// Silence after which a UDP flow with both directions is closed, in ms.
    udp_timeout_ms = 60_000, "ms", ["flows_expired_udp"]
        => "close the flow, reason idle", 1..=u64::MAX;
    /// Silence after which an ICMP flow is closed, in ms.
    icmp_timeout_ms = 60_000, "ms", ["flows_expired_icmp"]
        => "close the flow, reason idle", 1..=u64::MAX;
    /// Silence after which a flow of any other protocol over IP is closed, in ms.
    other_timeout_ms = 60_000, "ms", ["flows_expired_other"]
        => "close the flow, reason idle", 1..=u64::MAX;
    /// Share of `max_flows` at which the timeouts for emergencies start to apply, in percent. They
    /// apply until four fifths of that are left.
    emergency_percent = 90, "%", ["emergencies"]
        => "use the timeouts for emergencies", 1..=101;
    /// `tcp_attempt_timeout_ms` in an emergency, in ms.
    emergency_tcp_attempt_timeout_ms = 5_000, "ms", ["flows_expired_attempt"]
        => "close the flow, reason idle";
    /// `tcp_timeout_ms` in an emergency, in ms.
    emergency_tcp_timeout_ms = 60_000, "ms", ["flows_expired_tcp"] => "close the flow, reason idle";
    /// `tcp_linger_ms` in an emergency, in ms.
    emergency_tcp_linger_ms = 500, "ms", ["flows_expired_closed"] => "remove the flow";
    /// `udp_one_sided_timeout_ms` in an emergency, in ms.
    emergency_udp_one_sided_timeout_ms = 5_000, "ms", ["flows_expired_udp_one_sided"]
        => "close the flow, reason idle";
    /// `udp_timeout_ms` in an emergency, in ms.
    emergency_udp_timeout_ms = 15_000, "ms", ["flows_expired_udp"] => "close the flow, reason idle";
    /// `icmp_timeout_ms` in an emergency, in ms.
    emergency_icmp_timeout_ms = 5_000, "ms", ["flows_expired_icmp"]
        => "close the flow, reason idle";
    /// `other_timeout_ms` in an emergency, in ms.
    emergency_other_timeout_ms = 5_000, "ms", ["flows_expired_other"]
        => "close the flow, reason idle";
    /// Tunnels inside of each other that are followed.
    tunnel_depth = 4, "tunnels", ["tunnel_too_deep"]
        => "treat the packet as one that has nothing in it", 0..=255;
    /// How long a hole may stay open while bytes beyond it are waiting, in ms. Long, because what
    /// the peer has not acknowledged will be sent again, and RFC 6298 §5.5 doubles the time to that
    /// with every attempt.
    reorder_window_ms = 30_000, "ms", ["holes_aged"]
        => "declare the hole a gap, reason lost, and deliver what follows";
    /// How long a hole may stay open that the peer has acknowledged, while bytes beyond it are
    /// waiting, in ms. Long enough for packets that the capture put into the wrong order.
    acked_window_ms = 100, "ms", ["holes_acked"]
        => "declare the hole a gap, reason lost, and deliver what follows";
    /// Bytes of one side held behind holes.
    hold_bytes = 4 << 20, "bytes", ["hold_bytes_hit"]
        => "declare the first hole a gap, reason memory, and deliver what follows";
    /// Segments of one side held behind holes.
    hold_segments = 4096, "segments", ["hold_segments_hit"]
        => "declare the first hole a gap, reason memory, and deliver what follows";
    /// Bytes of all flows held behind holes, bookkeeping included. What sides hold above their fair
    /// share gets half of it at most.
    hold_total = 256 << 20, "bytes", ["hold_total_hit"]
        => "declare the first hole of the side that wants more a gap, reason memory";
    /// Distance from the stream's position up to which a segment is believed, in bytes.
    max_jump = MAX_JUMP, "bytes", ["out_of_window"] => "ignore the segment", 1..=MAX_JUMP;
    /// Bytes of each side that are reassembled; 0 means all.
    depth = 0, "bytes", ["gaps_depth"]
        => "deliver nothing more of the side, and one gap, reason depth, before its end";
    /// Bytes of all fragments that wait for the rest of their datagrams, bookkeeping included.
    frag_total = 32 << 20, "bytes", ["frag_total_hit", "frag_forgotten"]
        => "forget the oldest datagram that was put together or given up, else give up the oldest";
    /// Datagrams of which fragments are held or remembered, at least 1.
    frag_datagrams = 16_384, "datagrams", ["frag_datagrams_hit", "frag_forgotten"]
        => "forget the oldest datagram that was put together or given up, else give up the oldest";
    /// Fragments of one datagram. The default is as many as a datagram can have.
    frag_fragments = 8192, "fragments", ["frag_fragments_hit"]
        => "give up the datagram, anomaly fragment_too_many";
    /// How long after its first fragment a datagram must be whole, in ms.
    frag_timeout_ms = 30_000, "ms", ["frag_timed_out"] => "give up the datagram";
    fixed:
    hold_fair_share = FAIR_SHARE, "bytes", ["hold_total_hit"]
        => "let the side hold more only while that leaves as much to others";
    suspects = MAX_SUSPECTS as u64, "segments", ["suspects_dropped"]
        => "drop the segment whose checksum is wrong, whatever its receiver says of it";
    history_letters = LETTERS as u64, "letters", ["histories_cut"] => "leave out further letters";
    vlan_tags = VLAN_TAGS as u64, "tags", ["decode_too_deep"] => "ignore the frame";
    link_headers = LINK_HEADERS as u64, "headers", ["decode_too_deep"] => "ignore the frame";
    mpls_labels = MPLS_LABELS as u64, "labels", ["decode_too_deep"] => "ignore the frame";
    ip_extensions = IP_EXTENSIONS as u64, "headers", ["decode_too_deep"] => "ignore the frame";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Counters;

    #[test]
    fn every_row_has_a_counter_that_exists() {
        for row in Limits::TABLE {
            assert!(!row.counters.is_empty(), "{} has no counter", row.name);
            for name in row.counters {
                assert!(Counters::NAMES.contains(name), "{}: no counter {name}", row.name);
            }
        }
    }

    #[test]
    fn defaults_are_within_bounds() {
        for row in Limits::TABLE {
            assert!((row.min..=row.max).contains(&row.default), "{}", row.name);
        }
    }

    #[test]
    fn get_and_set_reach_every_row() {
        let mut limits = Limits::default();
        for row in Limits::TABLE.iter().filter(|row| !row.fixed) {
            assert_eq!(limits.get(row.name), Some(row.default));
            assert!(limits.set(row.name, 77));
            assert_eq!(limits.get(row.name), Some(77));
        }
        assert_eq!(limits.get("no_such_limit"), None);
        assert!(!limits.set("no_such_limit", 1));
    }
}
