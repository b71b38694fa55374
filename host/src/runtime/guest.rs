//! Instances of parsers: made when a flow needs one, and used again by another flow where that leaves
//! nothing of the first.
//!
//! Most of what a birth takes is wasmtime's bookkeeping, some 28 allocations. So an instance whose flow is
//! over is kept if it can be made as new: its whole state is its memory and at most one global
//! ([`Resumption`](super::resumption::Resumption)), both are set to what they were at first, and the store
//! gets other data. One that has trapped, or has grown, is never used again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmtime::Store;
use wasmtime::component::Instance;

use super::bindings;
use super::engine::Engine;
use super::memory::{Initial, memory_of};
use super::parser::{Parser, instantiate, new_store};
use super::resumption::Resumption;
use super::state::State;

/// Instances that are kept of one version of a parser. Flows that end and flows that begin take turns, so that
/// a few serve most births.
pub(super) const SPARES: usize = 16;

/// The largest memory, in bytes, that an instance is kept with: nobody else counts it.
const LARGEST: usize = 256 << 10;

/// What can be called.
pub(super) struct Guest {
    pub(super) store: Store<State>,
    pub(super) instance: Instance,
    pub(super) exports: bindings::Parser,
}

impl Guest {
    /// An instance of `parser` with this state, which has not been called yet.
    ///
    /// # Errors
    /// What went wrong, and the store in which it did.
    pub(super) fn new(
        parser: &Parser,
        state: State,
    ) -> Result<Box<Self>, (wasmtime::Error, Store<State>)> {
        if let Some(mut guest) = parser.spares.take() {
            exchange(&mut guest.store, state);
            return Ok(guest);
        }
        let mut store = new_store(&parser.engine, state);
        match instantiate(&mut store, parser) {
            Ok((instance, exports)) => Ok(Box::new(Self { store, instance, exports })),
            Err(error) => Err((error, store)),
        }
    }

    /// Its flow does not need it any more. Returns its state; the rest is freed, or kept for another flow.
    pub(super) fn retire(mut self: Box<Self>, parser: &Parser) -> State {
        if !parser.spares.has_room() {
            return self.store.into_data();
        }
        let blank = self.store.data().blank();
        let state = exchange(&mut self.store, blank);
        let renewed = self.renew(parser);
        parser.share.charge(self.store.data_mut().budget.unshared());
        if renewed.is_some() {
            parser.spares.give(self);
        }
        state
    }

    /// Makes it what it was before it was first called. `None` if that can't be done: it must not be used
    /// again.
    fn renew(&mut self, parser: &Parser) -> Option<()> {
        let (initial, resumption) = parser.initial().zip(parser.resumption())?;
        let is_as_large = |memory: &[u8]| memory.len() == initial.len();
        memory_of(&mut self.store).filter(|memory| is_as_large(memory))?;
        let len = u32::try_from(initial.len()).ok()?;
        resumption.renew(self, len).ok()?;
        // Nothing is called after this: whatever the call has done is written over.
        initial.renew(memory_of(&mut self.store).filter(|memory| is_as_large(memory))?);
        Some(())
    }
}

/// Gives the store other data, and returns what it had.
fn exchange(store: &mut Store<State>, mut state: State) -> State {
    state.take_place_of(store.data_mut());
    std::mem::replace(store.data_mut(), state)
}

/// Instances of one parser that are as if they had just been made.
pub(super) struct Spares {
    #[expect(clippy::vec_box, reason = "they come in boxes and go in boxes")]
    kept: Mutex<Vec<Box<Guest>>>,
    /// None are kept.
    none: bool,
}

impl Spares {
    /// Instances that can't be made as new are not looked at. Nor are those that are charged for their
    /// instructions, which must not depend on who was here before.
    pub(super) fn of(
        initial: Option<&Initial>,
        resumption: Option<&Resumption>,
        engine: &Engine,
    ) -> Self {
        let is_small = initial.is_some_and(|initial| initial.len() <= LARGEST);
        let none = !is_small || resumption.is_none() || engine.is_deterministic();
        Self { kept: Mutex::default(), none }
    }

    pub(super) fn count(&self) -> usize {
        self.kept().len()
    }

    fn has_room(&self) -> bool {
        !self.none && self.kept().len() < SPARES
    }

    fn take(&self) -> Option<Box<Guest>> {
        if self.none { None } else { self.kept().pop() }
    }

    fn give(&self, guest: Box<Guest>) {
        let mut kept = self.kept();
        if kept.len() < SPARES {
            kept.push(guest);
        }
    }

    #[expect(clippy::vec_box, reason = "as above")]
    fn kept(&self) -> MutexGuard<'_, Vec<Box<Guest>>> {
        // Nobody panics while holding it.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
