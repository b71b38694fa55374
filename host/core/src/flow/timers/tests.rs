use super::*;

const S: u64 = 1_000_000_000;

/// Timers and the flows they are for.
struct Bench {
    timers: Timers,
    flows: Vec<Silence>,
}

impl Bench {
    fn new() -> Self {
        Self { timers: Timers::new(&Limits::default()), flows: vec![Silence::new(); 10] }
    }

    fn touch(&mut self, index: u32, class: Class, now: u64) {
        let silence = &mut self.flows[index as usize];
        self.timers.touch(index, silence, class, Timestamp(now));
    }

    fn pop(&mut self, now: u64) -> Option<(Timestamp, Due)> {
        let flows = &self.flows;
        self.timers.pop_due(Timestamp(now), |index| flows[index as usize].since)
    }

    fn victim(&mut self) -> Option<(u32, Class)> {
        let flows = &self.flows;
        self.timers.victim(|index| flows[index as usize].since)
    }

    fn remove(&mut self, index: u32) {
        self.timers.remove(index, &mut self.flows[index as usize]);
    }
}

#[test]
fn silent_flows_are_due_in_the_order_of_their_deadlines() {
    let mut bench = Bench::new();
    bench.touch(0, Class::Tcp, 0);
    bench.touch(1, Class::UdpOneSided, S);
    bench.touch(2, Class::Udp, 2 * S);
    assert_eq!(bench.pop(31 * S - 1), None);
    for (at, due) in [
        (31, Due::Idle(1, Class::UdpOneSided)),
        (62, Due::Idle(2, Class::Udp)),
        (600, Due::Idle(0, Class::Tcp)),
    ] {
        assert_eq!(bench.pop(1000 * S), Some((Timestamp(at * S), due)));
        if let Due::Idle(index, _) = due {
            bench.remove(index);
        }
    }
    assert_eq!(bench.pop(u64::MAX), None);
}

#[test]
fn touched_flow_is_due_after_the_others() {
    let mut bench = Bench::new();
    for index in 0..3 {
        bench.touch(index, Class::Udp, u64::from(index));
    }
    bench.touch(0, Class::Udp, 10);
    let due = bench.pop(60 * S + 5);
    assert_eq!(due, Some((Timestamp(60 * S + 1), Due::Idle(1, Class::Udp))));
}

#[test]
fn class_change_changes_the_timeout() {
    let mut bench = Bench::new();
    bench.touch(5, Class::Attempt, 0);
    bench.touch(5, Class::Tcp, 1);
    assert_eq!(bench.pop(60 * S), None);
    bench.touch(5, Class::Closed, 2);
    assert_eq!(bench.pop(60 * S), Some((Timestamp(5 * S + 2), Due::Idle(5, Class::Closed))));
}

#[test]
fn earlier_hole_replaces_a_later_one() {
    let mut bench = Bench::new();
    bench.touch(1, Class::Tcp, 0);
    bench.timers.watch_hole(1, Timestamp(20));
    bench.timers.watch_hole(1, Timestamp(10));
    bench.timers.watch_hole(1, Timestamp(30));
    assert_eq!(bench.pop(50), Some((Timestamp(10), Due::Hole(1))));
    assert_eq!(bench.pop(50), None);
}

#[test]
fn victim_is_closed_then_one_sided_then_longest_idle() {
    let mut bench = Bench::new();
    assert_eq!(bench.victim(), None);
    bench.touch(0, Class::Udp, 0);
    bench.touch(1, Class::Tcp, 1);
    bench.touch(2, Class::TcpOneSided, 2);
    bench.touch(3, Class::Attempt, 3);
    bench.touch(4, Class::Closed, 4);
    for (index, class) in [
        (4, Class::Closed),
        (2, Class::TcpOneSided),
        (3, Class::Attempt),
        (0, Class::Udp),
        (1, Class::Tcp),
    ] {
        assert_eq!(bench.victim(), Some((index, class)));
        bench.remove(index);
    }
}

#[test]
fn emergency_shortens_timeouts_at_once_and_ends_at_once() {
    let mut bench = Bench::new();
    bench.touch(0, Class::Udp, 0);
    bench.touch(1, Class::Tcp, 0);
    assert_eq!(bench.pop(20 * S), None);
    bench.timers.set_emergency(true);
    assert_eq!(bench.timers.deadline(&bench.flows[0]), Timestamp(15 * S));
    assert_eq!(bench.pop(20 * S), Some((Timestamp(15 * S), Due::Idle(0, Class::Udp))));
    bench.timers.set_emergency(false);
    assert_eq!(bench.pop(20 * S), None);
    assert_eq!(bench.pop(60 * S), Some((Timestamp(60 * S), Due::Idle(0, Class::Udp))));
}

/// The queues against a list that is searched for the earliest deadline each time.
#[test]
fn same_as_a_plain_list() {
    let mut rng = crate::testing::Rng::new(11);
    let mut bench = Bench { timers: Timers::new(&Limits::default()), flows: Vec::new() };
    bench.flows = vec![Silence::new(); 200];
    let mut model: Vec<Option<(u64, Class)>> = vec![None; 200];
    let classes = [Class::Closed, Class::Attempt, Class::Tcp, Class::Udp];
    let timeout = |class| match class {
        Class::Closed => 5 * S,
        Class::Tcp => 600 * S,
        _ => 60 * S,
    };
    let mut now = 77 * S;
    for _ in 0..100_000 {
        now += match rng.below(1000) {
            0 => rng.below(10_000) * S, // further than any timeout
            1..100 => rng.below(S),
            _ => rng.below(S / 100),
        };
        let mut due: Vec<_> = Vec::new();
        while let Some((at, Due::Idle(index, class))) = bench.pop(now) {
            due.push(at);
            assert_eq!(model[index as usize].take(), Some((at.0 - timeout(class), class)));
            bench.remove(index);
        }
        assert!(due.is_sorted());
        let left = model.iter().flatten().map(|&(since, class)| since + timeout(class)).min();
        assert!(left.is_none_or(|deadline| deadline > now), "{left:?} at {now}");
        let index = rng.below(200) as u32;
        let class = match model[index as usize] {
            Some((_, class)) if !rng.one_in(8) => class,
            _ => classes[rng.below(4) as usize],
        };
        if rng.one_in(10) {
            bench.remove(index);
            model[index as usize] = None;
        } else {
            bench.touch(index, class, now);
            model[index as usize] = Some((now, class));
        }
        if rng.one_in(50)
            && let Some((index, class)) = bench.victim()
        {
            let (since, of) = model[index as usize].expect("it is known");
            assert_eq!(of, class);
            let longest = model.iter().flatten().filter(|(_, other)| *other == class);
            assert_eq!(longest.map(|(since, _)| *since).min(), Some(since));
        }
    }
}

/// Time may jump by years while flows go on: the way from one to the next must not take a step for every
/// minute in between.
#[test]
fn years_are_passed_in_a_few_steps() {
    const YEAR: u64 = 365 * 86_400 * S;
    let mut bench = Bench::new();
    bench.touch(0, Class::Udp, 0);
    // In several buckets, each far away from what the ring can hold when they come.
    for index in 1..9 {
        bench.touch(index, Class::Udp, 100 * YEAR + u64::from(index) * S);
    }
    let looks = std::cell::Cell::new(0);
    let mut due = Vec::new();
    for now in [100 * YEAR + 8 * S, 300 * YEAR] {
        loop {
            let flows = &bench.flows;
            let since = |index: u32| {
                looks.set(looks.get() + 1);
                flows[index as usize].since
            };
            let Some((_, Due::Idle(index, _))) = bench.timers.pop_due(Timestamp(now), since) else {
                break;
            };
            due.push(index);
            bench.remove(index);
        }
    }
    assert_eq!(due, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(looks.get() < 1000, "{} looks", looks.get());
}
