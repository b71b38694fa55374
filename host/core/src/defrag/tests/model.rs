//! Random datagrams cut, shuffled, duplicated, mixed and lost: what must come out is what went in.

use super::*;

/// A datagram and its fragments, as offset and end.
struct Sent {
    id: u32,
    six: bool,
    bytes: Vec<u8>,
    cuts: Vec<(usize, usize)>,
}

impl Sent {
    fn random(id: u32, rng: &mut Rng) -> Self {
        let longest = if rng.one_in(20) { 65_500 } else { 600 };
        let len = 9 + rng.below(longest) as usize;
        let bytes: Vec<u8> = (0..len).map(|_| rng.next() as u8).collect();
        // At least two parts, all but the last a multiple of 8.
        let most = if rng.one_in(2) { 2 } else { 1 + len as u64 / 16 };
        let mut ends = vec![8 * (1 + rng.below((len as u64 - 1) / 8) as usize), len];
        ends.extend(
            (0..rng.below(most)).map(|_| 8 * (1 + rng.below((len as u64 - 1) / 8) as usize)),
        );
        ends.sort_unstable();
        ends.dedup();
        let cuts =
            ends.iter().scan(0, |at, &end| Some((std::mem::replace(at, end), end))).collect();
        // Ids are shared by the two versions, which are never mixed up.
        Self { id: id / 2, six: id % 2 == 1, bytes, cuts }
    }

    fn fragment(&self, (at, end): (usize, usize)) -> Fragment<'_> {
        let make = if self.six { v6 } else { v4 };
        make(self.id, at as u32, end < self.bytes.len(), &self.bytes[at..end])
    }

    fn ip_len(&self) -> u64 {
        let header = if self.six { 48 } else { 20 };
        self.bytes.len() as u64 + self.cuts.len() as u64 * header
    }
}

fn shuffle<T>(items: &mut [T], rng: &mut Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, rng.below(i as u64 + 1) as usize);
    }
}

#[test]
fn datagrams_come_out_once_and_only_if_nothing_is_lost() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let sent: Vec<_> =
            (0..1 + rng.below(30) as u32).map(|id| Sent::random(id, &mut rng)).collect();
        let mut lost = vec![false; sent.len()];
        let mut queue = Vec::new();
        for (which, datagram) in sent.iter().enumerate() {
            lost[which] = rng.one_in(3);
            let missing = rng.below(datagram.cuts.len() as u64) as usize;
            for (at, &cut) in datagram.cuts.iter().enumerate() {
                if lost[which] && (at == missing || rng.one_in(4)) {
                    continue;
                }
                for _ in 0..1 + u64::from(rng.one_in(3)) * rng.below(3) {
                    queue.push((which, cut));
                }
            }
        }
        shuffle(&mut queue, &mut rng);

        let mut lab = Lab::new();
        let mut came = vec![false; sent.len()];
        let (mut held, mut dropped) = (0, 0);
        for &(which, cut) in &queue {
            lab.now = Timestamp(lab.now.0 + rng.below(10) * MS);
            match lab.insert(sent[which].fragment(cut)) {
                Outcome::Held => held += 1,
                Outcome::Dropped => dropped += 1,
                Outcome::Rejected(anomaly) => panic!("{anomaly}"),
                Outcome::Whole(datagram) => {
                    let Sent { bytes, cuts, .. } = &sent[which];
                    assert!(datagram.bytes == *bytes, "seed {seed}");
                    assert_eq!(datagram.fragments as usize, cuts.len());
                    assert_eq!(datagram.ip_len, sent[which].ip_len());
                    assert!(!std::mem::replace(&mut came[which], true), "seed {seed}");
                }
            }
        }
        let expected: Vec<_> = lost.iter().map(|lost| !lost).collect();
        assert_eq!(came, expected, "seed {seed}");

        // Each fragment is accounted for, and the time being over, nothing is left.
        let whole = came.iter().filter(|came| **came).count() as u64;
        let incomplete = lab.defrag.datagrams() as u64;
        assert_eq!(held + dropped + whole, queue.len() as u64);
        assert_eq!((lab.counters.frag_duplicates, lab.counters.frag_whole), (dropped, whole));
        lab.expire_at(60_000);
        assert_eq!((lab.defrag.held_bytes(), lab.defrag.datagrams()), (0, 0));
        let timed_out = Counters { frag_timed_out: incomplete, ..Counters::default() };
        assert_eq!(
            lab.counters,
            Counters { frag_duplicates: dropped, frag_whole: whole, ..timed_out }
        );
    }
}

#[test]
fn hostile_fragments_never_break_the_account() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let zeros = vec![0; 70_000];
        let mut lab = Lab::with(|limits| {
            limits.frag_total = rng.below(20_000);
            limits.frag_datagrams = rng.below(12);
            limits.frag_fragments = rng.below(12);
            limits.frag_timeout_ms = 1 + rng.below(50);
        });
        for _ in 0..300 {
            lab.now = Timestamp(lab.now.0 + rng.below(20) * MS);
            let offset = if rng.one_in(9) { rng.next() as u32 } else { rng.below(12) as u32 * 8 };
            let len = if rng.one_in(9) { rng.below(70_000) } else { rng.below(4) * 8 } as usize;
            let make = if rng.one_in(3) { v6 } else { v4 };
            let mut fragment = make(rng.below(6) as u32, offset, rng.one_in(2), &zeros[..len]);
            if rng.one_in(9) {
                fragment.wire_len = if rng.one_in(2) { rng.next() } else { rng.below(100) };
            }
            if rng.one_in(9) {
                fragment.ip_len = rng.next();
            }
            if let Outcome::Whole(datagram) = lab.insert(fragment) {
                assert!(datagram.bytes.len() <= 65_535);
            }
            lab.defrag.store.check();
        }
        lab.now = Timestamp(lab.now.0 + 50 * MS);
        lab.defrag.expire(lab.now, &mut lab.counters);
        lab.defrag.store.check();
        assert_eq!(lab.defrag.held_bytes(), 0);
    }
}
