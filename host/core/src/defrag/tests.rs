//! One rule a test.

mod model;

use super::store::HELD_OVERHEAD;
use super::*;
use crate::testing::Rng;

const MS: u64 = 1_000_000;

/// Returns the fragment of a datagram of UDP, or whatever else `with` makes of it.
fn v4(id: u32, offset: u32, more: bool, bytes: &[u8]) -> Fragment<'_> {
    Fragment {
        vlan: VlanTags::default(),
        src: IpAddr::from([10, 0, 0, 1]),
        dst: IpAddr::from([10, 0, 0, 2]),
        id,
        protocol: 17,
        offset,
        more,
        bytes,
        wire_len: bytes.len() as u64,
        ip_len: bytes.len() as u64 + 20,
        header_checksum_ok: true,
        length_exceeds_frame: false,
    }
}

fn v6(id: u32, offset: u32, more: bool, bytes: &[u8]) -> Fragment<'_> {
    let (src, dst) =
        (IpAddr::from([1, 0, 0, 0, 0, 0, 0, 1]), IpAddr::from([1, 0, 0, 0, 0, 0, 0, 2]));
    Fragment { src, dst, ip_len: bytes.len() as u64 + 48, ..v4(id, offset, more, bytes) }
}

/// A defragmenter, its counters and the time.
struct Lab {
    defrag: Defragmenter,
    counters: Counters,
    now: Timestamp,
    max_total: u64,
}

impl Lab {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        Self {
            defrag: Defragmenter::new(&limits, [1, 2]),
            counters: Counters::default(),
            now: Timestamp::from_secs(1000),
            max_total: limits.frag_total,
        }
    }

    fn insert(&mut self, fragment: Fragment<'_>) -> Outcome {
        self.insert_scoped(fragment, 0)
    }

    fn insert_scoped(&mut self, fragment: Fragment<'_>, scope: u64) -> Outcome {
        let outcome = self.defrag.insert(&fragment, scope, self.now, &mut self.counters);
        assert!(self.defrag.held_bytes() <= self.max_total);
        outcome
    }

    fn expire_at(&mut self, ms: u64) {
        self.now = Timestamp(Timestamp::from_secs(1000).0 + ms * MS);
        self.defrag.expire(self.now, &mut self.counters);
    }

    #[track_caller]
    fn held(&mut self, fragment: Fragment<'_>) {
        let outcome = self.insert(fragment);
        assert!(matches!(outcome, Outcome::Held), "{outcome:?}");
    }

    #[track_caller]
    fn dropped(&mut self, fragment: Fragment<'_>) {
        let outcome = self.insert(fragment);
        assert!(matches!(outcome, Outcome::Dropped), "{outcome:?}");
    }

    #[track_caller]
    fn whole(&mut self, fragment: Fragment<'_>) -> Datagram {
        match self.insert(fragment) {
            Outcome::Whole(datagram) => datagram,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn rejected(&mut self, fragment: Fragment<'_>, anomaly: FragmentAnomaly) {
        match self.insert(fragment) {
            Outcome::Rejected(found) => assert_eq!(found, anomaly),
            other => panic!("{other:?}"),
        }
    }

    /// Sends fragments that contradict each other; only the last one does so.
    #[track_caller]
    fn given_up(fragments: &[Fragment<'_>], anomaly: FragmentAnomaly) -> Self {
        let mut lab = Self::new();
        let (last, first) = fragments.split_last().unwrap();
        for fragment in first {
            lab.held(*fragment);
        }
        lab.rejected(*last, anomaly);
        assert_eq!(lab.defrag.datagrams(), 0);
        // Not even what would have been a datagram gets through now.
        lab.dropped(v4(7, 0, true, &[0; 8]));
        lab.dropped(v4(7, 8, false, &[0; 8]));
        assert_eq!(lab.counters.frag_dropped, 2);
        lab
    }
}

#[test]
fn fragments_in_any_order_become_whole() {
    let bytes: Vec<u8> = (0..20).collect();
    let cuts = [
        v4(7, 0, true, &bytes[..8]),
        v4(7, 8, true, &bytes[8..16]),
        v4(7, 16, false, &bytes[16..]),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut lab = Lab::new();
        lab.held(cuts[order[0]]);
        lab.held(cuts[order[1]]);
        assert_eq!(lab.defrag.datagrams(), 1);
        let datagram = lab.whole(cuts[order[2]]);
        assert_eq!(datagram.bytes, bytes);
        assert_eq!((datagram.src, datagram.dst), (cuts[0].src, cuts[0].dst));
        assert_eq!((datagram.protocol, datagram.ip_len, datagram.fragments), (17, 80, 3));
        assert_eq!((lab.defrag.datagrams(), lab.counters.frag_whole), (0, 1));
    }
}

#[test]
fn direction_id_protocol_and_scope_keep_datagrams_apart() {
    let mut lab = Lab::new();
    lab.held(v4(7, 0, true, &[1; 8]));
    let rest = v4(7, 8, false, &[2; 8]);
    lab.held(Fragment { src: rest.dst, dst: rest.src, ..rest });
    lab.held(Fragment { id: 8, ..rest });
    lab.held(Fragment { protocol: 6, ..rest });
    assert!(matches!(lab.insert_scoped(rest, 1), Outcome::Held));
    assert_eq!(lab.defrag.datagrams(), 5);
    lab.whole(rest);
}

#[test]
fn next_header_of_ipv6_is_the_first_fragments_and_no_key() {
    let mut lab = Lab::new();
    lab.held(Fragment { protocol: 60, ..v6(7, 8, false, &[2; 8]) });
    assert_eq!(lab.whole(Fragment { protocol: 6, ..v6(7, 0, true, &[1; 24][..8]) }).protocol, 6);
}

#[test]
fn atomic_fragment_is_whole_and_touches_no_other() {
    for make in [v4, v6] {
        let mut lab = Lab::new();
        lab.held(make(7, 0, true, &[1; 8]));
        let datagram = lab.whole(make(7, 0, false, &[9; 5]));
        assert_eq!((&*datagram.bytes, datagram.fragments), (&[9; 5][..], 1));
        assert_eq!(lab.whole(make(7, 0, false, &[])).bytes, []);
        lab.dropped(Fragment { wire_len: 6, ..make(7, 0, false, &[9; 5]) });
        assert_eq!(lab.whole(make(7, 8, false, &[2; 8])).bytes.len(), 16);
    }
}

#[test]
fn exact_duplicate_is_ignored() {
    let mut lab = Lab::new();
    for fragment in [v4(7, 0, true, &[1; 8]), v4(7, 16, false, &[3; 3])] {
        lab.held(fragment);
        let held = lab.defrag.held_bytes();
        lab.dropped(fragment);
        assert_eq!(lab.defrag.held_bytes(), held);
    }
    let datagram = lab.whole(v4(7, 8, true, &[2; 8]));
    assert_eq!((datagram.bytes.len(), datagram.ip_len, datagram.fragments), (19, 79, 3));
    assert_eq!(lab.counters.frag_duplicates, 2);
}

#[test]
fn duplicate_of_a_whole_datagrams_fragment_is_ignored() {
    let mut lab = Lab::new();
    let cuts = [v4(7, 0, true, &[1; 8]), v4(7, 8, false, &[2; 8])];
    lab.held(cuts[0]);
    lab.whole(cuts[1]);
    lab.dropped(cuts[1]);
    lab.dropped(cuts[0]);
    assert_eq!((lab.counters.frag_duplicates, lab.defrag.datagrams()), (2, 0));
}

#[test]
fn id_of_a_whole_datagram_can_be_used_again() {
    let anew: [fn(&[u8]) -> Fragment<'_>; 4] = [
        |_| v4(7, 0, true, &[9; 8]),
        |bytes| v4(7, 0, true, bytes),
        |_| v4(7, 16, false, &[2; 8]),
        |_| v4(7, 8, true, &[2; 8]),
    ];
    for anew in anew {
        let mut lab = Lab::new();
        lab.held(v4(7, 0, true, &[1; 8]));
        lab.whole(v4(7, 8, false, &[2; 8]));
        lab.held(anew(&[1; 16]));
        assert_eq!((lab.counters.frag_duplicates, lab.defrag.datagrams()), (0, 1));
    }
}

#[test]
fn overlap_rejects_the_datagram() {
    let held = v4(7, 16, true, &[0; 16]);
    let same_place_other_bytes = [1; 16];
    for other in [
        v4(7, 16, true, &same_place_other_bytes),
        v4(7, 16, true, &[0; 8]),
        v4(7, 16, true, &[0; 24]),
        v4(7, 8, true, &[0; 16]),
        v4(7, 24, true, &[0; 16]),
        v4(7, 24, true, &[0; 8]),
        v4(7, 8, true, &[0; 64]),
        v4(7, 24, false, &[0; 1]), // the order of a teardrop
    ] {
        let lab = Lab::given_up(&[held, other], FragmentAnomaly::Overlap);
        assert_eq!(lab.counters.frag_overlap, 1);
    }
}

#[test]
fn overlap_is_found_with_neighbours_on_both_sides() {
    let cuts = [v4(7, 0, true, &[0; 8]), v4(7, 32, true, &[0; 8]), v4(7, 64, false, &[0; 8])];
    Lab::given_up(&[cuts[0], cuts[1], cuts[2], v4(7, 8, true, &[0; 32])], FragmentAnomaly::Overlap);
    let mut lab = Lab::new();
    for fragment in cuts {
        lab.held(fragment);
    }
    lab.held(v4(7, 8, true, &[0; 24]));
    lab.whole(v4(7, 40, true, &[0; 24]));
}

#[test]
fn overlap_in_ipv6_rejects_the_datagram() {
    let mut lab = Lab::new();
    lab.held(v6(7, 0, true, &[1; 16]));
    lab.rejected(v6(7, 8, true, &[1; 8]), FragmentAnomaly::Overlap);
    lab.dropped(v6(7, 16, false, &[1; 8]));
}

#[test]
fn rejected_datagram_is_remembered_until_the_timeout() {
    let mut lab = Lab::given_up(
        &[v4(7, 0, true, &[0; 16]), v4(7, 8, true, &[0; 16])],
        FragmentAnomaly::Overlap,
    );
    lab.expire_at(29_999);
    lab.dropped(v4(7, 0, true, &[0; 8]));
    lab.expire_at(30_000);
    assert_eq!(lab.defrag.held_bytes(), 0);
    lab.held(v4(7, 0, true, &[0; 8]));
    assert_eq!(lab.counters.frag_timed_out, 0);
}

#[test]
fn two_ends_are_inconsistent() {
    let end = v4(7, 16, false, &[0; 8]);
    for other in [
        v4(7, 24, false, &[0; 8]), // a later end
        v4(7, 8, false, &[0; 8]),  // an earlier end
        v4(7, 24, true, &[0; 8]),  // data behind the end
        v4(7, 16, true, &[0; 8]),  // the same bytes, but more to come
    ] {
        let lab = Lab::given_up(&[end, other], FragmentAnomaly::Inconsistent);
        assert_eq!(lab.counters.frag_inconsistent, 1);
    }
    let late = [v4(7, 24, true, &[0; 8]), v4(7, 8, false, &[0; 8])];
    Lab::given_up(&late, FragmentAnomaly::Inconsistent);
    let same = [v4(7, 16, true, &[0; 8]), end];
    Lab::given_up(&same, FragmentAnomaly::Inconsistent);
}

#[test]
fn bad_length_rejects_the_fragment_alone() {
    for make in [v4, v6] {
        let mut lab = Lab::new();
        lab.held(make(7, 0, true, &[1; 8]));
        lab.rejected(make(7, 8, true, &[0; 9]), FragmentAnomaly::BadLength);
        lab.rejected(make(7, 8, true, &[]), FragmentAnomaly::BadLength);
        lab.rejected(make(7, 8, false, &[]), FragmentAnomaly::BadLength);
        let claim = Fragment { length_exceeds_frame: true, ..make(7, 8, false, &[0; 8]) };
        lab.rejected(claim, FragmentAnomaly::BadLength);
        assert_eq!(lab.counters.frag_bad_length, 4);
        lab.whole(make(7, 8, false, &[2; 8]));
    }
}

#[test]
fn ping_of_death_is_rejected() {
    let bytes = [0; 1480];
    // 65,535 bytes with 20 of header; one more is too many.
    let mut lab = Lab::new();
    lab.held(v4(7, 65_120, false, &bytes[..395]));
    lab.rejected(v4(8, 65_120, false, &bytes[..396]), FragmentAnomaly::TooLarge);
    lab.rejected(v4(8, 65_528, true, &bytes), FragmentAnomaly::TooLarge);
    // IPv6 doesn't count its header, but the extension headers before the fragment's.
    lab.held(v6(7, 65_120, false, &bytes[..415]));
    lab.rejected(v6(8, 65_120, false, &bytes[..416]), FragmentAnomaly::TooLarge);
    let extended = Fragment { ip_len: 48 + 415 + 8, ..v6(8, 65_120, false, &bytes[..415]) };
    lab.rejected(extended, FragmentAnomaly::TooLarge);
    for (offset, wire_len, ip_len) in [(u32::MAX, 8, 28), (0, u64::MAX, 28), (8, 8, u64::MAX)] {
        let liar = Fragment { wire_len, ip_len, ..v4(8, offset, false, &bytes) };
        lab.rejected(liar, FragmentAnomaly::TooLarge);
    }
    assert_eq!((lab.counters.frag_too_large, lab.defrag.datagrams()), (7, 2));
}

#[test]
fn tiny_first_fragment_is_counted_and_used() {
    let mut lab = Lab::new();
    let tcp = |fragment| Fragment { protocol: 6, ..fragment };
    lab.held(tcp(v4(7, 0, true, &[1; 16])));
    lab.whole(tcp(v4(7, 16, false, &[2; 9])));
    assert_eq!(lab.counters.frag_tiny, 1);
    lab.held(tcp(v4(8, 0, true, &[1; 24])));
    lab.held(v4(8, 0, true, &[1; 8])); // UDP, whose header has 8 bytes
    assert_eq!(lab.counters.frag_tiny, 1);
}

#[test]
fn truncated_fragment_gives_the_datagram_up() {
    for cut in [v4(7, 0, true, &[0; 16]), v4(7, 8, true, &[0; 16]), v4(7, 8, false, &[0; 16])] {
        let mut lab = Lab::new();
        lab.held(v4(7, 24, true, &[0; 8]));
        lab.dropped(Fragment { bytes: &cut.bytes[..11], ..cut });
        assert_eq!((lab.defrag.datagrams(), lab.counters.frag_truncated), (0, 1));
        lab.dropped(cut);
        assert_eq!(lab.counters.frag_dropped, 1);
        lab.expire_at(30_000);
        assert_eq!(lab.defrag.held_bytes(), 0);
    }
}

#[test]
fn truncated_first_comer_is_remembered() {
    let mut lab = Lab::new();
    lab.dropped(Fragment { wire_len: 1480, ..v4(7, 0, true, &[0; 96]) });
    lab.dropped(v4(7, 1480, false, &[0; 30]));
    assert_eq!((lab.counters.frag_truncated, lab.counters.frag_dropped), (1, 1));
}

#[test]
fn bytes_beyond_the_fragment_are_not_used() {
    let mut lab = Lab::new();
    lab.held(Fragment { wire_len: 8, ..v4(7, 0, true, &[1; 20]) });
    assert_eq!(lab.whole(Fragment { wire_len: 1, ..v4(7, 8, false, &[2; 5]) }).bytes.len(), 9);
}

#[test]
fn timeout_counts_from_the_first_arrival() {
    let mut lab = Lab::with(|limits| limits.frag_timeout_ms = 1000);
    lab.held(v4(7, 0, true, &[1; 8]));
    lab.expire_at(999);
    lab.held(v4(7, 8, true, &[1; 8]));
    lab.held(v4(8, 0, true, &[1; 8]));
    lab.expire_at(1000);
    assert_eq!((lab.defrag.datagrams(), lab.counters.frag_timed_out), (1, 1));
    // A fragment of its own moves time as well.
    lab.now = Timestamp(lab.now.0 + 999 * MS);
    lab.held(v4(8, 8, false, &[1; 8]));
    assert_eq!((lab.defrag.datagrams(), lab.counters.frag_timed_out), (1, 2));
}

#[test]
fn time_that_jumps_does_no_harm() {
    let mut lab = Lab::new();
    lab.held(v4(1, 0, true, &[1; 8]));
    // Back: neither expires anything nor gives a shorter or longer life.
    lab.now = Timestamp(0);
    lab.held(v4(2, 0, true, &[1; 8]));
    lab.whole(v4(1, 8, false, &[1; 8]));
    lab.expire_at(29_999);
    assert_eq!((lab.defrag.datagrams(), lab.counters.frag_timed_out), (1, 0));
    lab.expire_at(30_000);
    assert_eq!((lab.defrag.held_bytes(), lab.counters.frag_timed_out), (0, 1));
    // To the end of time, and back to normal: datagrams come out, and caps go on holding.
    lab.held(v4(3, 0, true, &[1; 8]));
    lab.now = Timestamp::MAX;
    lab.held(v4(4, 0, true, &[1; 8]));
    assert_eq!((lab.defrag.datagrams(), lab.counters.frag_timed_out), (1, 2));
    lab.expire_at(40_000);
    lab.held(v4(5, 0, true, &[1; 8]));
    lab.whole(v4(5, 8, false, &[1; 8]));
    lab.whole(v4(4, 8, false, &[1; 8]));
    for id in 0..40_000 {
        lab.held(v4(id + 100, 0, true, &[1; 8]));
    }
    assert_eq!(lab.defrag.datagrams(), 16_384);
}

#[test]
fn frag_datagrams_makes_the_oldest_give_way() {
    let mut lab = Lab::with(|limits| limits.frag_datagrams = 3);
    for id in 0..4 {
        lab.held(v4(id, 0, true, &[1; 8]));
    }
    assert_eq!((lab.defrag.datagrams(), lab.counters.frag_datagrams_hit), (3, 1));
    for id in 1..4 {
        lab.whole(v4(id, 8, false, &[1; 8]));
    }
    // What is only remembered gives way first.
    lab.held(v4(0, 8, false, &[1; 8]));
    assert_eq!((lab.counters.frag_datagrams_hit, lab.counters.frag_forgotten), (1, 1));
    lab.held(v4(1, 8, false, &[1; 8]));
    lab.held(v4(2, 8, false, &[1; 8]));
    assert_eq!((lab.counters.frag_datagrams_hit, lab.counters.frag_forgotten), (1, 3));
}

#[test]
fn frag_fragments_gives_the_datagram_up() {
    let mut lab = Lab::with(|limits| limits.frag_fragments = 3);
    for at in 0..3 {
        lab.held(v4(7, at * 8, true, &[1; 8]));
    }
    lab.dropped(v4(7, 0, true, &[1; 8])); // a copy is no fragment more
    lab.rejected(v4(7, 24, true, &[1; 8]), FragmentAnomaly::TooMany);
    lab.dropped(v4(7, 24, false, &[1; 8]));
    assert_eq!((lab.counters.frag_fragments_hit, lab.counters.frag_dropped), (1, 1));
}

#[test]
fn frag_total_makes_the_oldest_give_way() {
    let bytes = [1; 1000];
    let mut lab = Lab::with(|limits| limits.frag_total = 3 * (HELD_OVERHEAD + 1096));
    for id in 0..3 {
        lab.held(v4(id, 0, true, &bytes));
    }
    assert_eq!(lab.defrag.held_bytes(), lab.max_total);
    lab.held(v4(2, 1000, true, &[1; 8])); // more of the youngest
    assert_eq!((lab.defrag.datagrams(), lab.counters.frag_total_hit), (2, 1));
    lab.whole(v4(1, 1000, false, &[1; 8]));
    // A datagram that is the oldest itself makes room for itself.
    let mut lab = Lab::with(|limits| limits.frag_total = 2 * HELD_OVERHEAD + 4 * 1096);
    lab.held(v4(0, 0, true, &bytes));
    lab.held(v4(0, 1000, true, &bytes));
    lab.held(v4(0, 2000, true, &bytes));
    lab.held(v4(1, 0, true, &bytes));
    lab.dropped(v4(0, 3000, true, &bytes));
    assert_eq!((lab.defrag.datagrams(), lab.counters.frag_total_hit), (1, 1));
    lab.whole(v4(1, 1000, false, &bytes));
}

#[test]
fn frag_total_too_small_for_anything_holds_nothing() {
    for frag_total in [0, HELD_OVERHEAD, HELD_OVERHEAD + 103] {
        let mut lab = Lab::with(|limits| limits.frag_total = frag_total);
        lab.dropped(v4(1, 0, true, &[1; 8]));
        assert_eq!((lab.defrag.held_bytes(), lab.counters.frag_total_hit), (0, 1));
    }
}

#[test]
fn honest_datagram_completes_during_a_fragment_bomb() {
    let mut rng = Rng::new(3);
    let junk = vec![0; 1480];
    let mut lab = Lab::with(|limits| limits.frag_total = 1 << 20);
    for round in 0..200 {
        let honest = |offset, more| Fragment {
            src: [10, 9, 9, 9].into(),
            ..v4(round, offset, more, &junk[..1480])
        };
        lab.held(honest(0, true));
        for id in 0..300 {
            // Some never end, some overlap, some are many of one datagram.
            let id = 1_000_000 + round * 1000 + (id / (1 + rng.below(4) as u32));
            let offset = rng.below(8) as u32 * 8;
            let len = (1 + rng.below(185) as usize) * 8;
            lab.insert(v4(id, offset, rng.one_in(9), &junk[..len]));
        }
        let whole = lab.whole(honest(1480, false));
        assert_eq!(whole.bytes.len(), 2960);
    }
    assert_eq!(lab.counters.frag_whole, 200);
    assert!(lab.counters.frag_total_hit > 10_000 && lab.counters.frag_forgotten > 1000);
}

#[test]
fn datagram_of_8192_fragments_becomes_whole_in_any_order() {
    let mut rng = Rng::new(5);
    let bytes: Vec<u8> = (0..65_535).map(|_| rng.next() as u8).collect();
    let mut order: Vec<usize> = (0..8192).collect();
    let mut shuffled = order.clone();
    for i in (1..shuffled.len()).rev() {
        shuffled.swap(i, rng.below(i as u64 + 1) as usize);
    }
    let evens_then_odds: Vec<_> = (0..8192).step_by(2).chain((1..8192).step_by(2)).collect();
    let forward = order.clone();
    order.reverse();
    for order in [forward, order, shuffled, evens_then_odds] {
        let mut lab = Lab::new();
        let (last, first) = order.split_last().unwrap();
        let cut = |at: usize| {
            let end = (at * 8 + 8).min(bytes.len());
            v6(7, at as u32 * 8, end < bytes.len(), &bytes[at * 8..end])
        };
        for at in first {
            lab.held(cut(*at));
        }
        let datagram = lab.whole(cut(*last));
        assert!(datagram.bytes == bytes);
        assert_eq!(datagram.fragments, 8192);
    }
}

#[test]
fn anomaly_names_are_snake_case_and_differ() {
    let mut names: Vec<_> = FragmentAnomaly::ALL.iter().map(|kind| kind.name()).collect();
    assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FragmentAnomaly::ALL.len());
}
