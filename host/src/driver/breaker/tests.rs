use super::*;

const SECOND: u64 = 1_000_000_000;
/// A time of day that is long after zero.
const START: u64 = 1_700_000_000;

/// A breaker and its packet time, in seconds from the start.
struct Case {
    breaker: Breaker,
    trials: u64,
}

impl Case {
    fn new(change: impl FnOnce(&mut BreakerLimits)) -> Self {
        let mut limits = BreakerLimits { percent: 5, ..BreakerLimits::default() };
        change(&mut limits);
        Self { breaker: Breaker::new(limits), trials: 0 }
    }

    /// A round that ends at `at`, with what happened in its last second.
    fn round(&mut self, at: u64, started: u64, faults: u64) -> Option<Change> {
        self.round_at(at, at, None, started, faults)
    }

    /// The same with flows of the current trial.
    fn trial(&mut self, at: u64, started: u64, faults: u64) -> Option<Change> {
        let Stance::Trial(trial) = self.breaker.stance() else { panic!("no trial") };
        self.round_at(at, at, Some(trial), started, faults)
    }

    fn round_at(
        &mut self,
        at: u64,
        second: u64,
        trial: Option<u64>,
        started: u64,
        faults: u64,
    ) -> Option<Change> {
        let count = Count { second: START + second, trial, started, faults };
        let change = self.breaker.judge((START + at) * SECOND, &[count], self.trials);
        self.trials += u64::from(change == Some(Change::HalfOpened));
        change
    }

    /// Opens it at `at`.
    #[track_caller]
    fn open(&mut self, at: u64) -> Duration {
        match self.round(at, 20, 20) {
            Some(Change::Opened { back_off, .. }) => back_off,
            other => panic!("{other:?}"),
        }
    }

    fn is_free(&self) -> bool {
        self.breaker.stance() == Stance::Free
    }
}

const fn of_seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn it_opens_at_so_many_faults_and_such_a_share() {
    // Faults, flows, and whether that is too much.
    for (faults, started, opens) in [
        (19, 19, false),
        (20, 20, true),
        (20, 400, true),
        (20, 401, false),
        (21, 401, true),
        (20, 0, true), // of flows that began before the window
        (0, 0, false),
        (1, 1, false),
        (u64::MAX, u64::MAX, true),
    ] {
        let mut case = Case::new(|_| {});
        let opened = case.round(1, started, faults).is_some();
        assert_eq!(opened, opens, "{faults} of {started}");
        assert_eq!(case.is_free(), !opens);
    }
}

#[test]
fn what_it_tells_is_what_was_counted() {
    let mut case = Case::new(|_| {});
    assert_eq!(case.round(1, 100, 10), None);
    let opened = Change::Opened {
        started: 150,
        faults: 22,
        retry: (START + 6) * SECOND,
        back_off: of_seconds(1),
    };
    assert_eq!(case.round(5, 50, 12), Some(opened));
    assert_eq!(case.breaker.stance(), Stance::Shut);
}

#[test]
fn the_window_slides() {
    let mut case = Case::new(|_| {});
    assert_eq!(case.round(0, 19, 19), None);
    assert_eq!(case.round(60, 1, 1), None, "the first are just gone");
    let mut case = Case::new(|_| {});
    assert_eq!(case.round(0, 19, 19), None);
    assert!(case.round(59, 1, 1).is_some(), "and here they are just there");
    // Well behaved flows leave it as well.
    let mut case = Case::new(|_| {});
    assert_eq!(case.round(0, 1000, 0), None);
    assert_eq!(case.round(59, 20, 20), None);
    assert!(case.round(60, 0, 0).is_some(), "without a packet: time goes on");
}

#[test]
fn what_happened_long_before_the_end_of_a_round_does_not_count() {
    let mut case = Case::new(|_| {});
    assert_eq!(case.round(0, 0, 0), None);
    assert_eq!(case.round_at(1000, 900, None, 20, 20), None);
    assert!(case.round_at(2000, 1950, None, 20, 20).is_some());
}

#[test]
fn a_window_of_a_second_holds_that_second() {
    let mut case = Case::new(|limits| limits.window = of_seconds(1));
    assert_eq!(case.round(5, 19, 19), None);
    assert!(case.round(5, 1, 1).is_some());
    let mut case = Case::new(|limits| limits.window = of_seconds(1));
    assert_eq!(case.round(5, 19, 19), None);
    assert_eq!(case.round(6, 19, 19), None);
}

#[test]
fn it_is_tried_again_when_its_time_has_come() {
    let mut case = Case::new(|_| {});
    case.open(10);
    assert_eq!(case.round(10, 0, 5), None, "flows that run on may fault");
    assert_eq!(case.breaker.stance(), Stance::Shut);
    assert_eq!(case.round(11, 0, 0), Some(Change::HalfOpened));
    assert_eq!(case.breaker.stance(), Stance::Trial(0));
}

#[test]
fn flows_that_go_well_close_it() {
    let mut case = Case::new(|_| {});
    case.open(10);
    case.round(11, 0, 0);
    assert_eq!(case.trial(500, 0, 0), None, "nobody has tried it");
    assert_eq!(case.trial(501, 3, 0), None, "they have only begun");
    assert_eq!(case.trial(502, 2, 0), Some(Change::Closed { tried: 5 }));
    assert!(case.is_free());
    assert_eq!(case.round(503, 19, 19), None, "it starts afresh");
}

#[test]
fn a_fault_of_a_trial_opens_it_again_for_twice_as_long() {
    let mut case = Case::new(|_| {});
    let mut at = 10;
    assert_eq!(case.open(at), of_seconds(1));
    for expected in [2, 4, 8, 16, 32, 60, 60] {
        at += 60;
        assert_eq!(case.round(at, 0, 0), Some(Change::HalfOpened));
        let Some(Change::Opened { started, faults, retry, back_off }) = case.trial(at, 4, 1) else {
            panic!("it stays half-open");
        };
        assert_eq!((started, faults, back_off), (4, 1, of_seconds(expected)));
        assert_eq!(retry, (START + at + expected) * SECOND);
    }
}

#[test]
fn only_flows_of_the_trial_count_in_it() {
    let mut case = Case::new(|_| {});
    case.open(10);
    case.round(11, 0, 0);
    assert_eq!(
        case.round(12, 100, 100),
        None,
        "they began before, or in lanes that do not know yet"
    );
    assert_eq!(case.round_at(13, 13, Some(99), 5, 5), None, "another trial");
    assert_eq!(case.trial(14, 1, 0), None);
    assert_eq!(case.trial(15, 0, 0), Some(Change::Closed { tried: 1 }));
}

#[test]
fn the_longer_it_was_open_the_longer_it_has_to_do_well() {
    let mut case = Case::new(|_| {});
    case.open(10);
    case.round(11, 0, 0);
    case.trial(11, 1, 1); // 2 s
    case.round(13, 0, 0);
    case.trial(13, 1, 1); // 4 s
    case.round(17, 0, 0);
    assert_eq!(case.trial(17, 1, 0), None);
    assert_eq!(case.trial(20, 1, 0), None);
    assert_eq!(case.trial(21, 0, 0), Some(Change::Closed { tried: 2 }));
    // Opened soon after, it has learned nothing; long after, it is as if nothing had been.
    assert_eq!(case.open(30), of_seconds(8));
    case.round(38, 0, 0);
    case.trial(38, 1, 0);
    assert!(matches!(case.trial(46, 0, 0), Some(Change::Closed { .. })));
    assert_eq!(case.open(46 + 60), of_seconds(1));
}

#[test]
fn trials_have_numbers_of_their_own() {
    let mut case = Case::new(|_| {});
    case.open(10);
    case.round(11, 0, 0);
    assert_eq!(case.breaker.stance(), Stance::Trial(0));
    case.trial(11, 1, 1);
    case.round(20, 0, 0);
    assert_eq!(case.breaker.stance(), Stance::Trial(1));
}

#[test]
fn time_that_goes_back_changes_nothing() {
    let mut case = Case::new(|_| {});
    assert_eq!(case.round(100, 10, 10), None);
    // What comes late is taken as of now, so that old times are no way around the breaker.
    assert_eq!(case.round_at(50, 50, None, 9, 9), None);
    assert!(case.round_at(100, 3, None, 1, 1).is_some());
    assert_eq!(case.round(20, 0, 0), None, "it is not open for longer");
    assert_eq!(case.round(101, 0, 0), Some(Change::HalfOpened));
}

#[test]
fn times_of_the_future_count_as_now() {
    let mut case = Case::new(|_| {});
    assert_eq!(case.round_at(10, u64::MAX - START, None, 19, 19), None);
    assert!(case.round(10, 1, 1).is_some());
    let mut case = Case::new(|_| {});
    assert_eq!(case.round_at(10, 1000, None, 19, 19), None);
    assert_eq!(case.round(500, 1, 1), None, "they are past by now");
}

#[test]
fn huge_jumps_do_no_harm() {
    let mut case = Case::new(|limits| limits.longest_back_off = Duration::MAX);
    assert_eq!(case.round(1, 10, 10), None);
    let end = Count { second: u64::MAX, trial: None, started: u64::MAX, faults: u64::MAX };
    let opened = case.breaker.judge(u64::MAX, &[end, end], 0);
    let Some(Change::Opened { retry, .. }) = opened else { panic!("{opened:?}") };
    assert_eq!(retry, u64::MAX);
    assert_eq!(case.round(2, 0, 0), Some(Change::HalfOpened), "time does not go back");
    let mut case = Case::new(|_| {});
    assert_eq!(case.breaker.judge(0, &[], 0), None);
    assert!(case.round(0, 20, 20).is_some(), "from zero to now");
}

#[test]
fn the_window_holds_no_more_than_its_seconds() {
    let mut case = Case::new(|limits| limits.window = of_seconds(10));
    for at in 0..1000 {
        assert_eq!(case.round(at, 1, 0), None);
    }
    let State::Closed(window) = &case.breaker.state else { panic!("open") };
    assert_eq!(window.len(), 10);
}

#[test]
fn get_and_set_reach_every_row() {
    let mut limits = BreakerLimits::default();
    for row in BreakerLimits::TABLE {
        assert_eq!(limits.get(row.name), Some(row.default));
        assert!((row.min..=row.max).contains(&row.default), "{}", row.name);
        assert!(limits.set(row.name, 77));
        assert_eq!(limits.get(row.name), Some(77));
    }
}

/// One packet from far in the future, and no time is ever later.
#[test]
fn a_breaker_does_not_stay_open_where_time_stands_still() {
    let mut case = Case::new(|_| {});
    case.round(1, 30, 30).expect("it opens");
    assert!(!case.is_free());
    let change = (0..10_000).find_map(|_| case.round(1, 0, 0));
    assert_eq!(change, Some(Change::HalfOpened));
}
