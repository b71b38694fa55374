//! What the engine counts.

/// Declares the counters, with their names, in one place.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Totals of one engine since it was made. All of them only ever grow.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counters { $($(#[doc = $doc])+ pub $name: u64,)+ }

        impl Counters {
            /// The names of all counters, in order of declaration.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)+];

            /// What each of them counts, in the same order.
            pub const DOCS: &'static [&'static str] = &[$(concat!($($doc),+),)+];

            /// Returns every counter with its stable name, in order of declaration.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)+].into_iter()
            }

            /// Adds the counters of another engine to these.
            pub fn merge(&mut self, other: &Self) {
                $(self.$name = self.$name.saturating_add(other.$name);)+
            }
        }
    };
}

counters! {
    /// Frames handed to the engine.
    frames,
    /// Bytes of those frames on the wire, link layer included.
    bytes,
    /// Frames of which the capture kept only a part.
    frames_truncated,
    /// Frames whose timestamp is earlier than one before.
    time_went_back,

    /// Frames with a link type that is not supported.
    unsupported_link,
    /// Frames with a payload other than IP.
    unsupported_ethertype,
    /// Fragments of IP packets.
    fragments,
    /// Packets with another one in them, which was followed.
    tunnelled,
    /// Packets with another one in them that was not followed, as it is in too many others.
    tunnel_too_deep,
    /// IP packets that say that they are longer than what was left of their frame.
    lengths_beyond_frame,
    /// Packets ignored because a checksum is wrong.
    checksum_bad,
    /// Packets with a wrong checksum that were taken: their sender has sent no right one, their receiver
    /// has acknowledged what only they have brought, or they are no TCP segments.
    checksum_unverified,
    /// Of `checksum_bad`, segments that could not wait for an acknowledgment because too many did.
    suspects_dropped,
    /// Headers that don't fit into what was on the wire.
    decode_too_short,
    /// Headers that the capture cut.
    decode_truncated,
    /// IP headers with another version than announced.
    decode_bad_version,
    /// Length fields that contradict the frame.
    decode_bad_length,
    /// Frames with more nested headers than the engine follows.
    decode_too_deep,

    /// TCP segments decoded.
    tcp_segments,
    /// UDP datagrams decoded.
    udp_datagrams,
    /// ICMP messages decoded.
    icmp_messages,
    /// Packets of other protocols over IP.
    other_packets,

    /// Flows opened.
    flows_opened,
    /// Flows that left the table, for whatever reason.
    flows_closed,
    /// TCP flows opened without their handshake.
    flows_midstream,
    /// Flows whose direction was taken from a SYN-ACK, or from a port that servers use.
    flows_flipped,
    /// Flows whose history has more letters than are kept.
    histories_cut,
    /// TCP flows whose addresses and ports were taken over by a new connection.
    flows_reused,
    /// TCP segments that belong to no flow and may not open one.
    midstream_refused,
    /// TCP flows that expired before the handshake was answered.
    flows_expired_attempt,
    /// TCP flows that expired idle.
    flows_expired_tcp,
    /// TCP flows whose linger time after the close was over.
    flows_expired_closed,
    /// UDP flows with one direction only that expired idle.
    flows_expired_udp_one_sided,
    /// UDP flows that expired idle.
    flows_expired_udp,
    /// ICMP flows that expired idle.
    flows_expired_icmp,
    /// Flows of other protocols over IP that expired idle.
    flows_expired_other,
    /// Times that the timeouts for emergencies began to apply.
    emergencies,
    /// Closed flows evicted while they lingered.
    flows_evicted_closed,
    /// Flows evicted that were not established or had one direction only.
    flows_evicted_one_sided,
    /// Established flows evicted.
    flows_evicted_established,

    /// Stream bytes and datagram bytes delivered.
    delivered_bytes,
    /// Bytes of all gaps.
    missed_bytes,
    /// Gaps with reason `lost`.
    gaps_lost,
    /// Gaps with reason `memory`.
    gaps_memory,
    /// Gaps with reason `depth`.
    gaps_depth,
    /// Gaps with reason `snaplen`.
    gaps_snaplen,
    /// Holes given up because the peer had acknowledged what was not seen.
    holes_acked,
    /// Holes given up because they were older than the reorder window.
    holes_aged,
    /// Holes given up because a side held too many bytes.
    hold_bytes_hit,
    /// Holes given up because a side held too many segments.
    hold_segments_hit,
    /// Holes given up because all flows together held too many bytes, or a side too much of them.
    hold_total_hit,

    /// Datagrams put together from fragments.
    frag_whole,
    /// Fragments that are copies of others.
    frag_duplicates,
    /// First fragments that end within the transport header.
    frag_tiny,
    /// Fragments that the capture cut, so that their datagrams can't become whole.
    frag_truncated,
    /// Fragments whose length is zero, no multiple of 8 though more follows, or more than the frame had.
    frag_bad_length,
    /// Fragments that reach beyond what an IP packet can have.
    frag_too_large,
    /// Datagrams given up because fragments of them overlap.
    frag_overlap,
    /// Datagrams given up because fragments of them don't agree on where they end.
    frag_inconsistent,
    /// Fragments of datagrams that were already given up.
    frag_dropped,
    /// Datagrams given up because the rest of them did not come in time.
    frag_timed_out,
    /// Datagrams given up because they had too many fragments.
    frag_fragments_hit,
    /// Datagrams given up because there were too many at a time.
    frag_datagrams_hit,
    /// Datagrams given up because all fragments together took too many bytes.
    frag_total_hit,
    /// Datagrams, whole or given up, whose late fragments are not recognised because others needed
    /// the room.
    frag_forgotten,

    /// Segments that came before bytes of a lower offset.
    out_of_order,
    /// SYNs seen again.
    syn_retransmits,
    /// Bytes seen again, whole segments or parts of them.
    duplicate_bytes,
    /// Bytes that came after they had been declared missing.
    late_bytes,
    /// Bytes of a midstream flow from before the first sequence number seen.
    before_start_bytes,
    /// Keep-alive segments.
    keep_alives,
    /// Overlapping copies of the same bytes that differ.
    overlap_conflicts,
    /// Segments too far from the stream's position to belong to it.
    out_of_window,
    /// SYNs with bytes that their receiver did not take.
    syn_data_refused,
    /// Bytes behind the end that a FIN had set.
    after_fin_bytes,
    /// Bytes of flows that were already closed.
    after_close_bytes,
    /// Bytes carried by RST segments.
    reset_bytes,
    /// Acknowledgments of bytes that the peer can't have sent.
    ack_of_unsent,
    /// Segments with urgent data.
    urgent_segments,
    /// Segments without SYN, RST and ACK.
    no_ack,
    /// FINs ignored because they can't be right where they are.
    fin_ignored,
    /// RSTs ignored because they are outside the window or contradicted by what followed.
    reset_ignored,
    /// RSTs within the window, but not where their receiver was; the flow goes on.
    reset_challenged,
    /// SYNs ignored because they fit neither this connection nor a new one.
    syn_ignored,
    /// Segments ignored because their flags exclude each other.
    bad_flags,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iter_names_every_counter_once() {
        let counters = Counters { frames: 7, bad_flags: 9, ..Counters::default() };
        let all: Vec<_> = counters.iter().collect();
        assert_eq!(all.first(), Some(&("frames", 7)));
        assert_eq!(all.last(), Some(&("bad_flags", 9)));
        let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, Counters::NAMES);
    }

    #[test]
    fn merge_adds() {
        let mut sum = Counters { frames: 1, ..Counters::default() };
        sum.merge(&Counters { frames: 2, bytes: 3, ..Counters::default() });
        assert_eq!(sum, Counters { frames: 3, bytes: 3, ..Counters::default() });
    }
}
