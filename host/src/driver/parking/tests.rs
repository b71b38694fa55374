use super::*;

const ONE: Whose = Whose(1);
const OTHER: Whose = Whose(2);
const MIB: u64 = 1 << 20;

fn room() -> Room {
    let mut room = Room::default();
    let limits = [
        ("cells", 100),
        ("memory_in_all", 1000 * MIB),
        ("memory_of_parser", 600 * MIB),
        ("park_after_ms", 5),
        ("park_above", 50 * MIB),
    ];
    for (name, value) in limits {
        assert!(room.set(name, value));
    }
    room
}

/// A cell that takes so many MiB.
fn awake(mib: u64) -> Option<Footprint> {
    let bytes = mib * MIB;
    Some(Footprint { awake: true, bytes, full: bytes })
}

fn at(ms: u64) -> Timestamp {
    Timestamp(ms * 1_000_000)
}

/// Flows of a parser with a cell of 100 MiB each, awake since so many ms.
fn with(parking: &mut Parking<u32>, whose: Whose, flows: std::ops::Range<u32>) {
    for index in flows {
        parking.account(whose, None, awake(100));
        parking.woke(whose, index, at(index.into()), |_| true);
    }
}

#[test]
fn quiet_cells_are_parked_the_longest_quiet_first() {
    let mut parking = Parking::new(room(), false);
    with(&mut parking, ONE, 0..3);
    assert!(parking.next(ONE, at(4)).is_none());
    let next = parking.next(OTHER, at(6)).expect("any parser's packet will do");
    assert_eq!((next.flow, next.whose, next.since, next.urgent), (0, ONE, at(0), false));
    assert_eq!(parking.next(ONE, at(6)).map(|next| next.flow), Some(1));
    assert!(parking.next(ONE, at(6)).is_none());
}

#[test]
fn where_there_is_plenty_of_memory_quiet_cells_stay_awake() {
    let mut room = room();
    room.set("park_above", 300 * MIB);
    let mut parking = Parking::new(room, false);
    with(&mut parking, ONE, 0..3);
    assert!(parking.next(ONE, at(100)).is_none());
    with(&mut parking, OTHER, 3..4);
    assert_eq!(parking.next(ONE, at(100)).map(|next| next.flow), Some(0));
}

#[test]
fn a_time_in_the_future_holds_nothing_up() {
    let mut parking = Parking::new(room(), false);
    parking.account(ONE, None, awake(100));
    parking.woke(ONE, 9, at(3_600_000), |_| true);
    assert_eq!(parking.next(ONE, at(1)).map(|next| next.flow), Some(9));
}

#[test]
fn a_parser_with_too_much_memory_makes_room_itself() {
    let mut parking = Parking::new(room(), false);
    with(&mut parking, OTHER, 0..2);
    with(&mut parking, ONE, 2..8);
    assert_eq!(parking.full(ONE), Some(Full::OfParser));
    assert_eq!(parking.full(OTHER), None);
    let next = parking.next(ONE, at(4)).expect("memory is short");
    assert_eq!((next.flow, next.whose, next.urgent), (2, ONE, false));
    assert!(parking.next(OTHER, at(4)).is_none(), "the other one has room");
    parking.account(ONE, awake(100), awake(200));
    assert!(parking.next(ONE, at(4)).expect("memory is short").urgent, "far beyond");
}

#[test]
fn where_all_memory_is_used_the_parser_with_most_makes_room() {
    let mut parking = Parking::new(room(), false);
    with(&mut parking, ONE, 0..5);
    with(&mut parking, OTHER, 5..10);
    parking.account(OTHER, None, awake(50));
    assert_eq!(parking.full(ONE), Some(Full::InAll));
    assert_eq!(parking.next(ONE, at(9)).map(|next| next.whose), Some(OTHER));
}

#[test]
fn as_many_cells_as_there_may_be_are_no_reason_to_park() {
    let mut room = room();
    room.set("cells", 2);
    let mut parking = Parking::new(room, false);
    with(&mut parking, ONE, 0..2);
    assert_eq!((parking.full(ONE), parking.short(ONE)), (Some(Full::InAll), None));
    assert!(parking.next(ONE, at(1)).is_none());
}

#[test]
fn cells_that_are_gone_are_forgotten() {
    let mut parking = Parking::new(room(), false);
    parking.account(ONE, None, awake(1));
    for index in 0..10_000 {
        parking.woke(ONE, index, at(0), |known| known == index);
    }
    assert!(parking.parsers[0].awake.len() < 100);
    parking.account(ONE, awake(1), None);
    assert!(parking.parsers.is_empty());
}

#[test]
fn cells_that_come_and_go_take_one_place_each() {
    let mut parking = Parking::new(room(), false);
    parking.account(ONE, None, awake(100));
    parking.account(ONE, None, awake(100));
    parking.woke(ONE, 0, at(0), |_| true);
    let mut looks = 0;
    for time in 1..10_000 {
        let is_awake = |_| {
            looks += 1;
            true
        };
        parking.woke(ONE, 1, at(time), is_awake);
        assert!(parking.parsers[0].awake.len() <= 2 * 2 + 64 + 1);
    }
    assert!(looks < 2 * 10_000, "{looks}");
    // In the order in which they were here last.
    let mut places = std::iter::from_fn(|| parking.next(ONE, at(20_000)));
    let first = places.next().map(|next| (next.flow, next.since));
    assert_eq!(first, Some((0, at(0))));
    let last = places.last().map(|next| (next.flow, next.since));
    assert_eq!(last, Some((1, at(9_999))));
}
