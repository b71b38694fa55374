//! One flow's parser instance.

use std::sync::Arc;

use wasmtime::Store;

use super::bindings;
use super::bindings::flowcell::parser::types::{Flow, Input, Progress};
use super::fault::Fault;
use super::parser::{Parser, begin_call, new_store};
use super::state::{Output, Phase, State};

/// What is left of a cell that did not survive its start.
#[derive(Debug)]
pub struct Stillborn {
    /// What ended it.
    pub fault: Fault,
    /// What the guest said before.
    pub output: Output,
}

/// One component instance in a store of its own, at work on one flow. Dropping it frees everything
/// that the guest had.
pub struct Cell {
    store: Store<State>,
    instance: bindings::Parser,
    parser: Arc<Parser>,
}

impl Cell {
    /// Instantiates `parser` and opens the flow.
    ///
    /// # Errors
    /// The fault that ended it; the cell is gone.
    pub fn open(parser: &Arc<Parser>, flow: Flow) -> Result<Self, Box<Stillborn>> {
        let description = Some(Arc::clone(parser.description()));
        let mut state = State::new(Phase::Parse, Arc::clone(&parser.limits), description);
        state.budget.open(flow.at);
        let mut store = new_store(&parser.engine, state);
        let opened =
            begin_call(&mut store, |store| parser.pre.instantiate(store)).and_then(|instance| {
                begin_call(&mut store, |store| instance.call_open(store, flow)).map(|()| instance)
            });
        parser.share.charge(store.data_mut().budget.unshared());
        match opened {
            Ok(instance) => Ok(Self { store, instance, parser: Arc::clone(parser) }),
            Err(error) => {
                let fault = fault(&mut store, &error);
                Err(Box::new(Stillborn { fault, output: store.into_data().output }))
            }
        }
    }

    /// Delivers `input`. What the guest said is in [`output`](Self::output), also after a fault.
    ///
    /// # Errors
    /// The fault that ended the guest: it must not be called again.
    pub fn poll(&mut self, input: Input<'_>) -> Result<Progress, Fault> {
        let Self { store, instance, parser } = self;
        store.data_mut().budget.deliver(&input);
        let outcome = begin_call(store, |store| instance.call_poll(store, input));
        parser.share.charge(store.data_mut().budget.unshared());
        outcome.map_err(|error| fault(store, &error))
    }

    /// What the guest said since the last look. The caller takes out what it has dealt with.
    pub fn output(&mut self) -> &mut Output {
        &mut self.store.data_mut().output
    }

    /// The parser that it is an instance of.
    #[must_use]
    pub fn parser(&self) -> &Arc<Parser> {
        &self.parser
    }
}

impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cell").field("parser", &self.parser.label()).finish_non_exhaustive()
    }
}

fn fault(store: &mut Store<State>, error: &wasmtime::Error) -> Fault {
    let last_words = store.data_mut().last_words.take();
    Fault::of(error, last_words)
}
