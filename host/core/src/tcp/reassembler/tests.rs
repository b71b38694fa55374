//! One state of a stream, one thing that happens to it, one outcome.

use super::*;

/// Writes down what comes out.
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    counters: Counters,
    enough: bool,
}

impl Outlet for Log {
    fn data(&mut self, offset: u64, bytes: &[u8]) -> Demand {
        self.lines.push(format!("{offset} {}", bytes.escape_ascii()));
        if self.enough { Demand::Done } else { Demand::More }
    }

    fn gap(&mut self, offset: u64, len: u64, reason: GapReason) -> Demand {
        self.lines.push(format!("{offset} gap {len} {reason}"));
        if self.enough { Demand::Done } else { Demand::More }
    }

    fn conflict(&mut self, _: &AnomalyDetail) {
        self.lines.push("conflict".into());
    }

    fn counters(&mut self) -> &mut Counters {
        &mut self.counters
    }
}

struct Lab {
    stream: Stream,
    pool: HoldPool,
    log: Log,
}

impl Lab {
    fn new() -> Self {
        Self::with(|_| {}, OverlapPolicy::First)
    }

    fn with(change: impl FnOnce(&mut Limits), policy: OverlapPolicy) -> Self {
        let mut limits = Limits { reorder_window_ms: 2000, ..Limits::default() };
        change(&mut limits);
        let pool = HoldPool::new(&limits);
        Self { stream: Stream::new(policy), pool, log: Log::default() }
    }

    fn insert(&mut self, offset: u64, bytes: &[u8]) -> &mut Self {
        self.cut(offset, bytes, bytes.len() as u64)
    }

    fn cut(&mut self, offset: u64, bytes: &[u8], len: u64) -> &mut Self {
        self.stream.insert(offset, bytes, len, &mut self.pool, &mut self.log);
        self
    }

    fn ack(&mut self, offset: u64) -> &mut Self {
        self.stream.acknowledge(offset, &self.pool);
        self
    }

    fn fin(&mut self, offset: u64) -> &mut Self {
        self.stream.set_fin(offset, &self.pool);
        self
    }

    fn at_ms(&mut self, ms: u64) -> &mut Self {
        self.pool.now = Timestamp(ms * 1_000_000);
        self.stream.expire(self.pool.now, &mut self.pool, &mut self.log);
        self
    }

    fn flush(&mut self) -> &mut Self {
        self.stream.flush(EndReason::Idle, &mut self.pool, &mut self.log);
        assert_eq!(self.pool.total(), 0);
        self
    }

    #[track_caller]
    fn expect(&mut self, lines: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.log.lines), lines);
        self
    }
}

#[test]
fn empty_in_order_delivers_at_once() {
    Lab::new().insert(0, b"abc").expect(&["0 abc"]).insert(3, b"de").expect(&["3 de"]);
}

#[test]
fn hole_filled_delivers_both() {
    Lab::new().insert(3, b"def").expect(&[]).insert(0, b"abc").expect(&["0 abc", "3 def"]);
}

#[test]
fn hole_filled_exactly_leaves_nothing_behind() {
    let mut lab = Lab::new();
    lab.insert(3, b"def").insert(0, b"abc").expect(&["0 abc", "3 def"]);
    assert_eq!(lab.pool.total(), 0);
    assert!(lab.stream.first_piece().is_none());
}

#[test]
fn several_holes_are_filled_in_any_order() {
    let mut lab = Lab::new();
    lab.insert(6, b"g").insert(2, b"c").insert(4, b"e").expect(&[]);
    lab.insert(0, b"ab").expect(&["0 ab", "2 c"]);
    lab.insert(5, b"f").insert(3, b"d").expect(&["3 d", "4 e", "5 f", "6 g"]);
}

#[test]
fn duplicate_of_delivered_bytes_is_counted() {
    let mut lab = Lab::new();
    lab.insert(0, b"abc").insert(0, b"abc").insert(1, b"bcd").expect(&["0 abc", "3 d"]);
    assert_eq!(lab.stream.counts().duplicate, 5);
    assert_eq!(lab.log.counters.duplicate_bytes, 5);
}

#[test]
fn duplicate_of_held_bytes_is_counted() {
    let mut lab = Lab::new();
    lab.insert(2, b"cd").insert(2, b"cd").insert(1, b"bcde").expect(&[]);
    assert_eq!(lab.stream.counts().duplicate, 4);
    lab.insert(0, b"a").expect(&["0 a", "1 b", "2 cd", "4 e"]);
}

#[test]
fn conflicting_overlap_first_wins() {
    let mut lab = Lab::new();
    lab.insert(2, b"cd").insert(1, b"BCDE").expect(&["conflict"]);
    lab.insert(0, b"aXX").expect(&["conflict", "conflict", "0 a", "1 B", "2 cd", "4 E"]);
}

#[test]
fn conflicting_overlap_last_wins_under_that_policy() {
    let mut lab = Lab::with(|_| {}, OverlapPolicy::Last);
    lab.insert(2, b"cd").insert(1, b"BCDE").expect(&["conflict"]);
    lab.insert(0, b"aXX").expect(&["conflict", "conflict", "0 a", "1 X", "2 XD", "4 E"]);
}

#[test]
fn conflicting_overlap_with_delivered_bytes_keeps_them() {
    let mut lab = Lab::with(|_| {}, OverlapPolicy::Last);
    lab.insert(0, b"abc").insert(0, b"ABCD").expect(&["0 abc", "3 D"]);
}

#[test]
fn acked_hole_with_bytes_beyond_becomes_gap() {
    let mut lab = Lab::new();
    lab.insert(0, b"ab").insert(5, b"f").expect(&["0 ab"]);
    lab.ack(4).expect(&[]);
    lab.ack(6).at_ms(99).expect(&[]).at_ms(100).expect(&["2 gap 3 lost", "5 f"]);
    assert_eq!(lab.log.counters.holes_acked, 1);
}

#[test]
fn acked_hole_filled_in_time_is_no_gap() {
    let mut lab = Lab::new();
    lab.insert(5, b"f").ack(6).at_ms(99).insert(0, b"abcde").expect(&["0 abcde", "5 f"]);
    lab.at_ms(10_000).expect(&[]);
}

#[test]
fn acked_holes_become_gaps_together() {
    let mut lab = Lab::new();
    lab.insert(1, b"b").insert(3, b"d").insert(5, b"f").ack(4).at_ms(50).ack(6);
    lab.at_ms(100).expect(&["0 gap 1 lost", "1 b", "2 gap 1 lost", "3 d"]);
    lab.at_ms(199).expect(&[]).at_ms(200).expect(&["4 gap 1 lost", "5 f"]);
}

#[test]
fn acked_hole_without_bytes_beyond_stays_open() {
    let mut lab = Lab::new();
    lab.insert(0, b"ab").ack(100).expect(&["0 ab"]);
    lab.insert(2, b"cd").expect(&["2 cd"]);
}

#[test]
fn bytes_beyond_an_acked_hole_make_it_a_gap() {
    let mut lab = Lab::new();
    lab.ack(100).insert(10, b"x").expect(&[]).at_ms(100).expect(&["0 gap 10 lost", "10 x"]);
}

#[test]
fn old_hole_becomes_gap() {
    let mut lab = Lab::new();
    lab.insert(5, b"f").at_ms(1999).expect(&[]);
    lab.at_ms(2000).expect(&["0 gap 5 lost", "5 f"]);
    assert_eq!(lab.log.counters.holes_aged, 1);
}

#[test]
fn second_hole_is_as_old_as_the_first_byte_beyond_it() {
    let mut lab = Lab::new();
    lab.insert(8, b"i").at_ms(1000).insert(4, b"e");
    // Both holes have been known since the segment at 8 was seen.
    assert_eq!(lab.stream.deadline(&lab.pool), Some(Timestamp(2_000_000_000)));
    lab.at_ms(2000).expect(&["0 gap 4 lost", "4 e", "5 gap 3 lost", "8 i"]);
}

#[test]
fn younger_hole_behind_an_old_one_waits_on() {
    let mut lab = Lab::new();
    lab.insert(4, b"e").at_ms(1000).insert(8, b"i");
    lab.at_ms(2000).expect(&["0 gap 4 lost", "4 e"]);
    lab.at_ms(3000).expect(&["5 gap 3 lost", "8 i"]);
}

#[test]
fn fin_beyond_a_hole_counts_as_beyond() {
    let mut lab = Lab::new();
    lab.insert(0, b"ab").fin(5).ack(6).expect(&["0 ab"]);
    assert!(!lab.stream.at_fin());
    lab.at_ms(100).expect(&["2 gap 3 lost"]);
    assert!(lab.stream.at_fin());
}

#[test]
fn old_hole_before_a_fin_becomes_gap() {
    let mut lab = Lab::new();
    lab.insert(0, b"ab").fin(5).at_ms(2000).expect(&["0 ab", "2 gap 3 lost"]);
    assert!(lab.stream.at_fin());
}

#[test]
fn flush_gives_up_holes_and_delivers_the_rest() {
    let mut lab = Lab::new();
    lab.insert(2, b"c").insert(4, b"e").flush();
    lab.expect(&["0 gap 2 lost", "2 c", "3 gap 1 lost", "4 e"]);
}

#[test]
fn late_bytes_after_a_gap_are_counted_not_delivered() {
    let mut lab = Lab::new();
    lab.ack(9).insert(5, b"f").at_ms(100).expect(&["0 gap 5 lost", "5 f"]);
    lab.insert(3, b"defg").expect(&["6 g"]);
    assert_eq!((lab.log.counters.late_bytes, lab.stream.counts().duplicate), (2, 1));
}

#[test]
fn full_segments_give_up_the_first_hole() {
    let mut lab = Lab::with(|limits| limits.hold_segments = 2, OverlapPolicy::First);
    lab.insert(1, b"b").insert(3, b"d").expect(&[]);
    lab.insert(5, b"f").expect(&["0 gap 1 memory", "1 b"]);
    assert_eq!(lab.log.counters.hold_segments_hit, 1);
    lab.flush().expect(&["2 gap 1 lost", "3 d", "4 gap 1 lost", "5 f"]);
}

#[test]
fn full_bytes_give_up_the_first_hole() {
    let mut lab = Lab::with(|limits| limits.hold_bytes = 4, OverlapPolicy::First);
    lab.insert(1, b"bcde").insert(6, b"g").expect(&["0 gap 1 memory", "1 bcde"]);
    assert_eq!(lab.log.counters.hold_bytes_hit, 1);
}

#[test]
fn full_pool_gives_up_the_hole_of_who_wants_more() {
    let mut lab = Lab::with(|limits| limits.hold_total = 200, OverlapPolicy::First);
    lab.insert(5, b"f").expect(&[]);
    let mut other = Stream::new(OverlapPolicy::First);
    other.insert(8, &[b'x'; 80], 80, &mut lab.pool, &mut lab.log);
    assert_eq!(lab.log.counters.hold_total_hit, 1);
    assert_eq!(lab.log.lines.len(), 2);
    assert_eq!(lab.log.lines[0], "0 gap 8 memory");
}

#[test]
fn segment_that_never_fits_is_delivered_behind_a_gap() {
    let mut lab = Lab::with(|limits| limits.hold_bytes = 2, OverlapPolicy::First);
    lab.insert(4, b"efgh").expect(&["0 gap 4 memory", "4 efgh"]);
}

#[test]
fn cut_segment_in_order_becomes_data_and_gap() {
    Lab::new().cut(0, b"ab", 5).insert(5, b"f").expect(&["0 ab", "2 gap 3 snaplen", "5 f"]);
}

#[test]
fn cut_segment_held_becomes_data_and_gap() {
    let mut lab = Lab::new();
    lab.cut(1, b"b", 3).insert(0, b"a").expect(&["0 a", "1 b", "2 gap 2 snaplen"]);
    assert_eq!(lab.pool.total(), 0);
}

#[test]
fn segment_without_captured_bytes_becomes_gap() {
    Lab::new().cut(0, b"", 5).expect(&["0 gap 5 snaplen"]);
}

#[test]
fn depth_reached_delivers_up_to_it() {
    let mut lab = Lab::with(|limits| limits.depth = 4, OverlapPolicy::First);
    lab.insert(0, b"abc").insert(3, b"def").insert(6, b"ghi").expect(&["0 abc", "3 d"]);
    lab.flush().expect(&["4 gap 5 depth"]);
    assert_eq!((lab.stream.counts().delivered, lab.stream.counts().missed), (4, 5));
}

#[test]
fn depth_reached_exactly_leaves_no_gap() {
    let mut lab = Lab::with(|limits| limits.depth = 3, OverlapPolicy::First);
    lab.insert(0, b"abc").flush().expect(&["0 abc"]);
}

#[test]
fn depth_with_hole_before_it_gives_the_hole_up_first() {
    let mut lab = Lab::with(|limits| limits.depth = 4, OverlapPolicy::First);
    lab.insert(6, b"gh").expect(&[]);
    lab.at_ms(2000).expect(&["0 gap 4 lost"]);
    lab.flush().expect(&["4 gap 4 depth"]);
}

#[test]
fn done_drops_what_is_held() {
    let mut lab = Lab::new();
    lab.insert(5, b"fgh");
    lab.stream.stop(Stop::Done, &mut lab.pool);
    assert_eq!(lab.pool.total(), 0);
    lab.insert(0, b"abcde").insert(8, b"i").expect(&[]);
    assert_eq!(lab.stream.highest(), 9);
    lab.fin(9).flush().expect(&[]);
    assert!(lab.stream.at_fin());
}

#[test]
fn done_as_answer_is_honoured_at_once() {
    let mut lab = Lab::new();
    lab.insert(1, b"b").insert(3, b"d");
    lab.log.enough = true;
    lab.insert(0, b"a").expect(&["0 a"]);
    assert_eq!(lab.pool.total(), 0);
    assert_eq!((lab.stream.next(), lab.stream.counts().delivered), (4, 1));
}

#[test]
fn done_as_answer_to_a_gap_is_honoured_at_once() {
    let mut lab = Lab::new();
    lab.insert(1, b"b").insert(3, b"d");
    lab.log.enough = true;
    lab.flush().expect(&["0 gap 1 lost"]);
}

#[test]
fn late_128_segments() {
    let mut lab = Lab::new();
    for at in (1..1000).rev() {
        lab.insert(at * 2, b"xy");
    }
    lab.expect(&[]).insert(0, b"xy");
    assert_eq!(lab.log.lines.len(), 1000);
    assert_eq!((lab.stream.counts().delivered, lab.stream.counts().missed), (2000, 0));
}

#[test]
fn flush_after_stale() {
    // Held ranges that a longer segment has overtaken must not be skipped over or come twice.
    let mut lab = Lab::new();
    lab.insert(1, b"b").insert(3, b"d").insert(5, b"f").insert(8, b"i");
    lab.insert(0, b"abcdefg");
    lab.expect(&["0 a", "1 b", "2 c", "3 d", "4 e", "5 f", "6 g"]);
    lab.insert(7, b"h").expect(&["7 h", "8 i"]);
}

/// Holds `HHHHHHHHHH` at 10, then sends a new segment of `n` from `start` to `end`, then what is
/// before both, and returns all that is delivered.
fn contest(policy: OverlapPolicy, start: u64, end: u64) -> String {
    let mut lab = Lab::with(|_| {}, policy);
    lab.insert(10, b"HHHHHHHHHH").insert(start, &vec![b'n'; (end - start) as usize]);
    lab.insert(0, &vec![b'.'; start.min(10) as usize]);
    assert_eq!(lab.pool.total(), 0);
    let data = lab.log.lines.iter().filter_map(|line| line.split_once(' ')).map(|(_, text)| text);
    data.collect()
}

#[test]
fn bsd_and_windows_let_an_earlier_start_win() {
    for policy in [OverlapPolicy::Bsd, OverlapPolicy::Windows] {
        assert_eq!(contest(policy, 8, 15), "........nnnnnnnHHHHH");
        assert_eq!(contest(policy, 8, 25), "........nnnnnnnnnnnnnnnnn");
        assert_eq!(contest(policy, 10, 25), "..........HHHHHHHHHHnnnnn");
        assert_eq!(contest(policy, 12, 15), "..........HHHHHHHHHH");
        assert_eq!(contest(policy, 12, 25), "..........HHHHHHHHHHnnnnn");
    }
}

#[test]
fn linux_lets_a_longer_one_from_the_same_start_win() {
    assert_eq!(contest(OverlapPolicy::Linux, 8, 15), "........nnnnnnnHHHHH");
    assert_eq!(contest(OverlapPolicy::Linux, 10, 20), "..........HHHHHHHHHH");
    assert_eq!(contest(OverlapPolicy::Linux, 10, 25), "..........nnnnnnnnnnnnnnn");
    assert_eq!(contest(OverlapPolicy::Linux, 12, 25), "..........HHHHHHHHHHnnnnn");
}

#[test]
fn solaris_lets_a_later_end_win() {
    assert_eq!(contest(OverlapPolicy::Solaris, 8, 15), "........nnHHHHHHHHHH");
    assert_eq!(contest(OverlapPolicy::Solaris, 8, 20), "........nnnnnnnnnnnn");
    assert_eq!(contest(OverlapPolicy::Solaris, 10, 20), "..........nnnnnnnnnn");
    assert_eq!(contest(OverlapPolicy::Solaris, 12, 20), "..........HHHHHHHHHH");
    assert_eq!(contest(OverlapPolicy::Solaris, 12, 25), "..........HHnnnnnnnnnnnnn");
}

#[test]
fn winner_counts_as_one_segment_in_later_overlaps() {
    // The second segment swallows the first. The third starts behind the second, so under BSD it
    // loses all of it, although it starts before the place of the first.
    let mut lab = Lab::with(|_| {}, OverlapPolicy::Bsd);
    lab.insert(4, b"1111").insert(2, b"22222222").insert(3, b"333");
    lab.insert(0, b"00").expect(&["conflict", "conflict", "0 00", "2 22222222"]);
    // The loser keeps what the winner does not cover, as a segment that starts there.
    let mut lab = Lab::with(|_| {}, OverlapPolicy::Bsd);
    lab.insert(4, b"1111").insert(6, b"2222").insert(7, b"333333");
    lab.insert(0, b"0000");
    lab.expect(&["conflict", "conflict", "conflict", "0 0000", "4 1111", "8 33333"]);
}

#[test]
fn delivered_bytes_stay_whatever_the_policy() {
    for &policy in OverlapPolicy::ALL {
        let mut lab = Lab::with(|_| {}, policy);
        lab.insert(0, b"abcd").insert(0, b"ABCDEF").expect(&["0 abcd", "4 EF"]);
    }
}

#[test]
fn one_stream_leaves_room_for_the_fair_shares_of_others() {
    // Room for 16 fair shares; half of it is for those who want more.
    const TOTAL: u64 = 16 * FAIR_SHARE;
    const PART: usize = 1000;
    let mut limits = Limits { hold_total: TOTAL, hold_bytes: u64::MAX, ..Limits::default() };
    limits.hold_segments = u64::MAX;
    let mut lab = Lab::with(|set| *set = limits, OverlapPolicy::First);
    let mut greedy: Vec<_> = (0..3).map(|_| Stream::new(OverlapPolicy::First)).collect();
    // Each goes on for far more than all memory together.
    for at in 0..2 * TOTAL / PART as u64 {
        for stream in &mut greedy {
            let offset = 1 + at * (PART as u64 + 1);
            stream.insert(offset, &[0; PART], PART as u64, &mut lab.pool, &mut lab.log);
        }
    }
    assert!(lab.log.counters.hold_total_hit > 0);
    assert!(lab.pool.excess <= TOTAL / 2);
    let hits = lab.log.counters.hold_total_hit;
    let mut honest: Vec<_> = (0..5).map(|_| Stream::new(OverlapPolicy::First)).collect();
    for stream in &mut honest {
        for at in 0..FAIR_SHARE / (PART as u64 + PIECE_OVERHEAD) {
            let offset = 1 + at * PART as u64;
            stream.insert(offset, &[0; PART], PART as u64, &mut lab.pool, &mut lab.log);
        }
        assert_eq!(stream.next(), 0, "an honest stream has lost its hole");
    }
    assert_eq!(lab.log.counters.hold_total_hit, hits);
    for stream in greedy.iter_mut().chain(&mut honest) {
        stream.flush(EndReason::Idle, &mut lab.pool, &mut lab.log);
    }
    assert_eq!((lab.pool.total, lab.pool.excess), (0, 0));
}
