//! The scripts after a bad day: no cell faults, and each says what the native parser says.

use flowcell::json;
use flowcell::registry::load;
use flowcell::runtime::{CellLimits, Engine};
use flowcell_sdk::testing::{Cut, Random};
use flowcell_tests::command::read;
use flowcell_tests::guests;

use super::{all, cell, native};

/// Damaged copies of all scripts of a parser together.
const ROUNDS: usize = 300;

#[test]
fn cells_take_any_damage() {
    let engine = Engine::new().expect("wasmtime");
    let mut random = Random::new(5);
    for tested in all() {
        let module = read(&guests::parser(&tested.name));
        let loaded = load(&engine, tested.name.clone(), &module, CellLimits::default());
        let parser = loaded.expect("it loads").parser;
        for round in 0..ROUNDS {
            let [(path, whole), (_, other)] =
                [(); 2].map(|()| &tested.scripts[random.below(tested.scripts.len())]);
            let mut script = whole.clone();
            script.damage(other, &mut random);
            let cut = [Cut::Whole, Cut::Lines, Cut::At(random.below(200))][random.below(3)];
            let mut expected = native(&tested, &script, cut, |ns| json::timestamp(ns, 9).into());
            let mut outcome = cell::run(&parser, &script, cut);
            outcome.verdicts.sort();
            expected.verdicts.sort();
            assert_eq!(outcome, expected, "{}, round {round}: {script:?}", path.display());
        }
    }
}
