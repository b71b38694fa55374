//! The stream against a plain map of bytes, under random operations.
//!
//! The model keeps a byte for each offset, and what became of it. It knows nothing of ranges.

use super::*;
use crate::testing::Rng;

/// What became of one byte of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unseen,
    Seen(u8),
    /// Seen, but the capture cut it.
    Cut,
    Delivered,
    Missed,
}

/// Checks every event against the model as it comes.
struct Model {
    bytes: Vec<Fate>,
    /// The values that each byte was sent with while it waited.
    copies: Vec<Vec<u8>>,
    policy: OverlapPolicy,
    next: u64,
    delivered: Vec<u8>,
    counters: Counters,
    conflicts: u32,
}

impl Model {
    fn new(size: usize, policy: OverlapPolicy) -> Self {
        let counters = Counters::default();
        Self {
            bytes: vec![Fate::Unseen; size],
            copies: vec![Vec::new(); size],
            policy,
            next: 0,
            delivered: Vec::new(),
            counters,
            conflicts: 0,
        }
    }

    fn see(&mut self, chunk: Chunk<'_>) {
        for i in 0..chunk.len {
            let at = (chunk.offset + i) as usize;
            let new = chunk.bytes.get(i as usize).map_or(Fate::Cut, |&byte| Fate::Seen(byte));
            if let Some(&byte) = chunk.bytes.get(i as usize) {
                self.copies[at].push(byte);
            }
            let fate = &mut self.bytes[at];
            match (*fate, self.policy) {
                (Fate::Unseen, _) => *fate = new,
                (Fate::Seen(_), OverlapPolicy::Last) if new != Fate::Cut => *fate = new,
                _ => {}
            }
        }
    }

    /// Returns whether `byte` may be delivered at `at`. Which copy it is, is exact for first and last.
    fn may_deliver(&self, at: usize, byte: u8) -> bool {
        match (self.bytes[at], self.policy) {
            (Fate::Seen(seen), OverlapPolicy::First | OverlapPolicy::Last) => seen == byte,
            (Fate::Seen(_), _) => self.copies[at].contains(&byte),
            _ => false,
        }
    }

    fn highest(&self) -> u64 {
        self.bytes.iter().rposition(|fate| *fate != Fate::Unseen).map_or(0, |at| at as u64 + 1)
    }

    fn count(&self, wanted: impl Fn(&Fate) -> bool) -> u64 {
        self.bytes.iter().filter(|fate| wanted(fate)).count() as u64
    }
}

impl Outlet for Model {
    fn data(&mut self, offset: u64, bytes: &[u8]) -> Demand {
        assert_eq!(offset, self.next);
        assert!(!bytes.is_empty());
        for &byte in bytes {
            let at = self.next as usize;
            assert!(self.may_deliver(at, byte), "at {at}: {byte}, {:?}", self.bytes[at]);
            self.bytes[at] = Fate::Delivered;
            self.next += 1;
        }
        self.delivered.extend_from_slice(bytes);
        Demand::More
    }

    fn gap(&mut self, offset: u64, len: u64, reason: GapReason) -> Demand {
        assert_eq!(offset, self.next);
        assert_ne!(len, 0);
        for _ in 0..len {
            let fate = &mut self.bytes[self.next as usize];
            let expected = if reason == GapReason::Snaplen { Fate::Cut } else { Fate::Unseen };
            assert_eq!(*fate, expected, "at {}", self.next);
            *fate = Fate::Missed;
            self.next += 1;
        }
        Demand::More
    }

    fn conflict(&mut self, detail: &AnomalyDetail) {
        self.conflicts += 1;
        let (kept, rejected) = (detail.kept.as_slice(), detail.rejected.as_slice());
        assert_ne!(kept.first(), rejected.first());
        assert_eq!(kept.len() as u64, detail.len.min(16));
        for (i, (kept, rejected)) in kept.iter().zip(rejected).enumerate() {
            let copies = &self.copies[detail.offset as usize + i];
            assert!(copies.contains(kept) && copies.contains(rejected));
        }
    }

    fn counters(&mut self) -> &mut Counters {
        &mut self.counters
    }
}

/// Checks what must hold at any time.
fn check(stream: &Stream, pool: &HoldPool, model: &Model, fin: Option<u64>, expired: Timestamp) {
    assert_eq!(stream.next, model.next);
    assert_eq!(stream.highest, fin.unwrap_or(0).max(model.highest()));
    let (mut held, mut held_bytes, mut holes, mut at) = (0, 0, 0, stream.next);
    if let Some(disorder) = &stream.disorder {
        let mut since = Timestamp(0);
        for (&start, piece) in &disorder.pieces {
            assert!(start >= at, "pieces overlap");
            assert!(piece.since >= since && piece.since <= pool.now);
            since = piece.since;
            holes += start - at;
            held += piece.len();
            held_bytes += piece.bytes.len() as u64;
            at = start + piece.len();
        }
        assert_eq!(disorder.bytes, held_bytes);
        assert_eq!(pool.total, disorder.cost());
        assert!(disorder.pieces.len() as u64 <= pool.max_segments);
        assert!(disorder.bytes <= pool.max_bytes && pool.total <= pool.max_total);
        assert!(disorder.pieces.first_key_value().is_none_or(|(&at, _)| at > stream.next));
    } else {
        assert_eq!(pool.total, 0);
    }
    holes += stream.highest - at;
    assert_eq!(stream.delivered + stream.counts().missed + held + holes, stream.highest);
    assert_eq!(stream.delivered, model.count(|fate| *fate == Fate::Delivered));
    assert_eq!(stream.counts().missed, model.count(|fate| *fate == Fate::Missed));
    assert_eq!(held, model.count(|fate| matches!(fate, Fate::Seen(_) | Fate::Cut)));
    // A hole that was acknowledged and has something beyond it does not stay for long.
    let acked = stream.next < stream.highest && stream.acked >= stream.hole_edge();
    let mark = stream.disorder.as_ref().and_then(|disorder| disorder.acked);
    assert_eq!(mark.is_some(), acked);
    assert!(stream.deadline(pool).is_none_or(|due| due > expired));
}

fn limits(rng: &mut Rng) -> Limits {
    let mut limits = Limits::default();
    if rng.one_in(2) {
        limits.hold_segments = 1 + rng.below(8);
    }
    if rng.one_in(2) {
        limits.hold_bytes = 1 + rng.below(100);
    }
    if rng.one_in(2) {
        limits.hold_total = 100 + rng.below(1000);
    }
    limits
}

#[test]
fn random_operations_agree_with_a_byte_map() {
    const SIZE: u64 = 300;
    for seed in 0..4000 {
        let mut rng = Rng::new(seed);
        let policy = OverlapPolicy::ALL[rng.below(6) as usize];
        let mut pool = HoldPool::new(&limits(&mut rng));
        let mut stream = Stream::new(policy);
        let mut model = Model::new(SIZE as usize, policy);
        let (mut fin, mut expired) = (None, Timestamp(0));
        for _ in 0..60 {
            match rng.below(20) {
                0 => stream.acknowledge(rng.below(SIZE), &pool),
                1 => {
                    let most = if rng.one_in(2) { 15_000_000_000 } else { 80_000_000 };
                    pool.now = pool.now.saturating_add(rng.below(most));
                    expired = pool.now;
                    stream.expire(pool.now, &mut pool, &mut model);
                }
                2 if fin.is_none() && rng.one_in(4) => {
                    let at = (stream.highest + rng.below(20)).min(SIZE);
                    fin = Some(at);
                    stream.set_fin(at, &pool);
                }
                _ => {
                    // Near the stream's position, so that ranges meet in every way.
                    let near = stream.next.saturating_sub(15) + rng.below(60);
                    let end = fin.unwrap_or(SIZE);
                    let offset = near.min(end);
                    let len = (1 + rng.below(25)).min(end - offset);
                    if len == 0 {
                        continue;
                    }
                    let mark = rng.below(3) as u8;
                    let bytes: Vec<u8> = (0..len).map(|i| (offset + i) as u8 ^ mark).collect();
                    let cut = if rng.one_in(8) { rng.below(len + 1) } else { 0 };
                    let bytes = &bytes[..(len - cut) as usize];
                    model.see(Chunk { offset, bytes, len });
                    stream.insert(offset, bytes, len, &mut pool, &mut model);
                }
            }
            check(&stream, &pool, &model, fin, expired);
        }
        let highest = stream.highest;
        stream.flush(EndReason::Idle, &mut pool, &mut model);
        assert_eq!(stream.delivered + stream.counts().missed, highest);
        assert_eq!(pool.total, 0);
    }
}

/// A stream cut into segments, some of them more than once, in disorder.
fn shuffled(rng: &mut Rng, len: u64) -> Vec<(u64, u64)> {
    let mut segments = Vec::new();
    let mut at = 0;
    while at < len {
        let n = (1 + rng.below(40)).min(len - at);
        segments.push((at, n));
        at += n;
    }
    for _ in 0..rng.below(20) {
        let at = rng.below(len);
        segments.push((at, (1 + rng.below(60)).min(len - at)));
    }
    for i in (1..segments.len()).rev() {
        let j = rng.below(i as u64 + 1) as usize;
        segments.swap(i, j);
    }
    segments
}

#[test]
fn any_segmentation_order_and_duplication_gives_the_same_bytes() {
    for seed in 0..2000 {
        let mut rng = Rng::new(seed);
        let len = 1 + rng.below(800);
        let content: Vec<u8> = (0..len).map(|_| rng.next() as u8).collect();
        let policy = OverlapPolicy::ALL[rng.below(6) as usize];
        let mut pool = HoldPool::new(&Limits::default());
        let mut stream = Stream::new(policy);
        let mut model = Model::new(len as usize, policy);
        let mut fin_sent = false;
        for (at, n) in shuffled(&mut rng, len) {
            let bytes = &content[at as usize..(at + n) as usize];
            model.see(Chunk { offset: at, bytes, len: n });
            stream.insert(at, bytes, n, &mut pool, &mut model);
            // The FIN comes with the last byte, whenever that is.
            if at + n == len && !fin_sent {
                fin_sent = true;
                stream.set_fin(len, &pool);
            }
        }
        assert_eq!(model.delivered, content, "seed {seed}");
        assert!(stream.at_fin());
        assert_eq!((pool.total, model.conflicts), (0, 0));
        assert!(stream.first_piece().is_none(), "seed {seed}");
    }
}

/// What a receiver holds, byte by byte: the value and the segment that it came with.
type Queue = Vec<Option<(u8, usize)>>;

/// Returns the segments in a queue, each as start, end and number.
fn segments(queue: &Queue) -> Vec<(usize, usize, usize)> {
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for (at, owner) in queue.iter().enumerate() {
        let Some((_, number)) = *owner else { continue };
        match found.last_mut() {
            Some((_, end, last)) if *end == at && *last == number => *end = at + 1,
            _ => found.push((at, at + 1, number)),
        }
    }
    found
}

/// Puts a segment into a queue: each held segment that it meets is compared to it as a whole.
fn enqueue(queue: &mut Queue, policy: OverlapPolicy, number: usize, from: usize, to: usize) {
    let before = segments(queue);
    for (at, place) in queue.iter_mut().enumerate().take(to).skip(from) {
        let held = before.iter().find(|&&(start, end, _)| (start..end).contains(&at));
        let wins = held.is_none_or(|&(start, end, _)| match policy {
            OverlapPolicy::First => false,
            OverlapPolicy::Last => true,
            OverlapPolicy::Bsd | OverlapPolicy::Windows => from < start,
            OverlapPolicy::Linux => from < start || from == start && to > end,
            OverlapPolicy::Solaris => to > end || to == end && from <= start,
        });
        if wins {
            *place = Some((b'a' + number as u8, number));
        }
    }
}

#[test]
fn overlaps_of_many_segments_agree_with_a_queue_of_bytes() {
    const SIZE: usize = 60;
    for seed in 0..4000 {
        let mut rng = Rng::new(seed);
        let policy = OverlapPolicy::ALL[rng.below(6) as usize];
        let mut pool = HoldPool::new(&Limits::default());
        let mut stream = Stream::new(policy);
        let mut model = Model::new(SIZE, policy);
        let mut queue: Queue = vec![None; SIZE];
        for number in 0..7 {
            let from = 1 + rng.below(SIZE as u64 - 1) as usize;
            let to = SIZE.min(from + 1 + rng.below(20) as usize);
            let bytes = vec![b'a' + number as u8; to - from];
            let chunk = Chunk { offset: from as u64, bytes: &bytes, len: bytes.len() as u64 };
            model.see(chunk);
            enqueue(&mut queue, policy, number, from, to);
            stream.insert(chunk.offset, &bytes, chunk.len, &mut pool, &mut model);
        }
        stream.flush(EndReason::Idle, &mut pool, &mut model);
        let expected: Vec<u8> = queue.iter().flatten().map(|&(byte, _)| byte).collect();
        assert_eq!(model.delivered, expected, "seed {seed}, {policy}");
    }
}
