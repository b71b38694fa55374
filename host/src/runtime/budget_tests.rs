use std::time::Duration;

use super::super::bindings::flowcell::parser::types::{Chunk, End, EndReason, Side};
use super::*;

const SECOND: u64 = 1_000_000_000;

fn limits() -> CellLimits {
    CellLimits {
        records_per_second: 3,
        output_per_second: 1000,
        flow_cpu: Duration::from_millis(10),
        flow_cpu_per_mib: Duration::from_millis(1024),
        ..CellLimits::default()
    }
}

fn data(at: u64, bytes: &[u8]) -> Input<'_> {
    Input::Data(Chunk { side: Side::Client, offset: 0, at, segments: None, bytes })
}

/// How many records of so many bytes are let through, up to 1000.
fn emitted(budget: &mut Budget, bytes: usize) -> usize {
    (0..1000).take_while(|_| budget.emit(bytes, &limits()).is_ok()).count()
}

#[test]
fn each_second_has_its_records() {
    let mut budget = Budget::default();
    budget.open(5 * SECOND);
    assert_eq!(emitted(&mut budget, 1), 3, "also before anything was delivered");
    budget.deliver(&data(5 * SECOND, b"x"));
    assert_eq!(emitted(&mut budget, 1), 0, "the second is the same");
    budget.deliver(&data(6 * SECOND, b"x"));
    assert_eq!(emitted(&mut budget, 1), 3);
    budget.deliver(&data(5 * SECOND, b"x"));
    assert_eq!(emitted(&mut budget, 1), 0, "time does not go back");
    let end = End { side: Side::Client, at: 7 * SECOND, reason: EndReason::Fin };
    budget.deliver(&Input::End(end));
    assert_eq!(emitted(&mut budget, 1), 3, "an end has a time, too");
}

#[test]
fn more_bytes_may_make_more_records_and_more_output() {
    let mut budget = Budget::default();
    budget.deliver(&data(0, &[0; 20]));
    budget.deliver(&data(0, &[0; 30]));
    assert_eq!(emitted(&mut budget, 1), 50);
    let mut budget = Budget::default();
    assert_eq!(emitted(&mut budget, 400), 2);
    let mut budget = Budget::default();
    budget.deliver(&data(0, &[0; 100]));
    assert_eq!(emitted(&mut budget, 400), 6400 / 400);
}

/// Runs a call that takes so much of its fuel; what is left of the budget, unless it is over.
fn call(budget: &mut Budget, fuel: u64) -> Result<u64, Violation> {
    let given = budget.begin(&limits()).unwrap_or(0);
    budget.end(Some(given.saturating_sub(fuel)), &limits())?;
    Ok(budget.granted(&limits()) - budget.spent)
}

#[test]
fn a_flow_lives_on_what_is_delivered_when_the_rest_is_spent() {
    let mut budget = Budget { by_fuel: true, ..Budget::default() };
    assert_eq!(call(&mut budget, 9_000_000).ok(), Some(1_000_000));
    // A millisecond for each KiB; short ones count as a quarter of that.
    budget.deliver(&data(0, &[0; 2048]));
    assert_eq!(call(&mut budget, 2_500_000).ok(), Some(500_000));
    budget.deliver(&data(0, b"x"));
    assert_eq!(call(&mut budget, 250_000).ok(), Some(500_000));
    assert_eq!(budget.unshared(), 11_750_000);
    // No call is given more than there is left.
    let over = call(&mut budget, u64::MAX).expect_err("it is over");
    assert_eq!(over.class, FaultClass::Cpu);
    assert_eq!((budget.spent, budget.unshared()), (12_250_000, 500_000));
}

#[test]
fn nothing_overflows() {
    let limits = CellLimits {
        flow_cpu: Duration::MAX,
        flow_cpu_per_mib: Duration::MAX,
        call_time: Duration::MAX,
        records_per_second: usize::MAX,
        output_per_second: usize::MAX,
        ..CellLimits::default()
    };
    let mut budget = Budget { by_fuel: true, ..Budget::default() };
    budget.open(u64::MAX);
    budget.deliver(&data(u64::MAX, b"x"));
    assert_eq!(budget.begin(&limits), Some(u64::MAX));
    assert!(budget.end(Some(u64::MAX), &limits).is_ok());
    assert!(budget.emit(usize::MAX, &limits).is_ok());
    assert!(budget.emit(usize::MAX, &limits).is_ok());
}
