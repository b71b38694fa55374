use super::OverlapPolicy::{Bsd, First, Last, Linux, Solaris, Windows};
use super::*;

fn piece(bytes: &[u8], cut: u64) -> Piece {
    Piece { bytes: bytes.into(), cut, since: Timestamp(0) }
}

fn chunk(offset: u64, bytes: &[u8]) -> Chunk<'_> {
    Chunk { offset, bytes, len: bytes.len() as u64 }
}

/// Settles an overlap with a piece at 100; returns the conflict and what was left of the piece.
fn resolve(
    held: &mut Piece,
    chunk: Chunk<'_>,
    policy: OverlapPolicy,
) -> (Option<AnomalyDetail>, Option<String>) {
    let mut found = None;
    let left = match held.resolve(100, chunk, policy, &mut |detail| found = Some(*detail)) {
        Resolution::Stays => Some(format!("100 {}", held.bytes.escape_ascii())),
        Resolution::Yields(rest) => {
            rest.map(|(at, piece)| format!("{at} {}+{}", piece.bytes.escape_ascii(), piece.cut))
        }
    };
    (found, left)
}

#[test]
fn chunk_parts_keep_the_cut_tail() {
    let cut = Chunk { offset: 10, bytes: b"abc", len: 8 };
    let behind = cut.from(12);
    assert_eq!((behind.offset, behind.bytes, behind.len), (12, &b"c"[..], 6));
    let behind = cut.from(15);
    assert_eq!((behind.offset, behind.bytes, behind.len), (15, &b""[..], 3));
    let before = cut.until(12);
    assert_eq!((before.offset, before.bytes, before.len), (10, &b"ab"[..], 2));
    let before = cut.until(16);
    assert_eq!((before.offset, before.bytes, before.len), (10, &b"abc"[..], 6));
    assert_eq!(cut.from(99).len, 0);
    assert_eq!(cut.until(9).len, 0);
}

#[test]
fn every_policy_decides_every_relation() {
    // Where the new segment starts and ends in comparison to the held one, and who wins.
    const POLICIES: [OverlapPolicy; 6] = [First, Last, Bsd, Linux, Windows, Solaris];
    let table = [
        ("before", "before", "held new  new  new  new  held"),
        ("before", "same  ", "held new  new  new  new  new "),
        ("before", "after ", "held new  new  new  new  new "),
        ("same  ", "before", "held new  held held held held"),
        ("same  ", "same  ", "held new  held held held new "),
        ("same  ", "after ", "held new  held new  held new "),
        ("after ", "before", "held new  held held held held"),
        ("after ", "same  ", "held new  held held held held"),
        ("after ", "after ", "held new  held held held new "),
    ];
    let place = |word: &str, at: u64| match word.trim() {
        "before" => at - 2,
        "same" => at,
        _ => at + 2,
    };
    for (start, end, winners) in table {
        let new = (place(start, 100), place(end, 110));
        for (policy, winner) in POLICIES.into_iter().zip(winners.split_whitespace()) {
            let bytes = vec![b'n'; (new.1 - new.0) as usize];
            let mut held = piece(b"hhhhhhhhhh", 0);
            let (found, _) = resolve(&mut held, chunk(new.0, &bytes), policy);
            let kept = found.unwrap().kept;
            let expected = if winner == "new" { b'n' } else { b'h' };
            assert!(
                kept.as_slice().iter().all(|&byte| byte == expected),
                "{policy}: starts {start}, ends {end}"
            );
        }
    }
    assert_eq!(POLICIES, OverlapPolicy::ALL);
}

#[test]
fn policies_are_read_by_their_names() {
    for &policy in OverlapPolicy::ALL {
        assert_eq!(policy.name().parse(), Ok(policy));
    }
    assert!("FIRST".parse::<OverlapPolicy>().is_err());
}

#[test]
fn equal_overlap_is_no_conflict() {
    let mut held = piece(b"abcdef", 0);
    for chunk in [chunk(98, b"yzab"), chunk(104, b"efgh"), chunk(90, b"nowhere")] {
        assert_eq!(resolve(&mut held, chunk, Last), (None, Some("100 abcdef".into())));
    }
}

#[test]
fn first_and_last_settle_in_place() {
    let mut held = piece(b"abcdef", 0);
    assert_eq!(resolve(&mut held, chunk(98, b"yzAB"), First).1, Some("100 abcdef".into()));
    assert_eq!(resolve(&mut held, chunk(98, b"yzAB"), Last).1, Some("100 ABcdef".into()));
    assert_eq!(resolve(&mut held, chunk(104, b"EFGH"), Last).1, Some("100 ABcdEF".into()));
}

#[test]
fn loser_under_another_policy_makes_room() {
    let left = |chunk, policy| resolve(&mut piece(b"abcdef", 0), chunk, policy).1;
    assert_eq!(left(chunk(98, b"yzAB"), Bsd), Some("102 cdef+0".into()));
    assert_eq!(left(chunk(98, b"yzABCDEFGH"), Bsd), None);
    assert_eq!(left(chunk(104, b"EFGH"), Solaris), Some("100 abcd+0".into()));
}

#[test]
fn conflict_tells_where_and_what() {
    let mut held = piece(b"abcdefgh", 0);
    let (found, _) = resolve(&mut held, chunk(101, b"bXdYfg"), First);
    let found = found.unwrap();
    assert_eq!((found.offset, found.len), (102, 3));
    assert_eq!((found.kept.as_slice(), found.rejected.as_slice()), (&b"cde"[..], &b"XdY"[..]));
    let (found, _) = resolve(&mut held, chunk(101, b"bXdYfg"), Last);
    let found = found.unwrap();
    assert_eq!((found.kept.as_slice(), found.rejected.as_slice()), (&b"XdY"[..], &b"cde"[..]));
}

#[test]
fn conflict_shows_sixteen_bytes() {
    let (found, _) = resolve(&mut piece(&[b'h'; 40], 0), chunk(100, &[b'n'; 40]), First);
    let found = found.unwrap();
    assert_eq!((found.len, found.kept.as_slice().len()), (40, Excerpt::MAX));
}

#[test]
fn cut_tail_is_not_compared() {
    let mut held = piece(b"ab", 4);
    assert_eq!(resolve(&mut held, chunk(102, b"cdef"), Last), (None, Some("100 ab".into())));
    assert_eq!(held.len(), 6);
    // Nor does it make room.
    let left = resolve(&mut held, chunk(98, b"yzABcdefgh"), Bsd).1;
    assert_eq!(left, Some("102 +4".into()));
}
