//! A parser that is ready to be started on flows.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{Store, Trap};

use super::bindings::{self, ParserIndices};
use super::cell::Footprint;
use super::description::{Description, DescriptionError};
use super::engine::Engine;
use super::fault::{Fault, MAX_TEXT, clipped};
use super::guest::Spares;
use super::imports::{HOST_INTERFACE, WORLD, linker};
use super::limits::{CellLimits, DESCRIBE_TIME, HANDLES, ParserLimits};
use super::memory::{Initial, memory_of, watched};
use super::names::MAX_NAME;
use super::resumption::Resumption;
use super::share::Share;
use super::state::{Phase, State};

/// A component that can not be a parser.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParserError {
    /// It wants what no parser gets.
    #[error(
        "it imports {imports}, which no parser gets; a parser imports only {HOST_INTERFACE} \
         (build it for wasm32-unknown-unknown, without WASI)"
    )]
    Imports {
        /// Their names.
        imports: String,
    },
    /// It is of another world.
    #[error("it is not of the world {WORLD}: {problem}")]
    World {
        /// What is missing or different.
        problem: String,
    },
    /// A function of it has such a long name, in bytes.
    #[error(
        "a function's name has {0} bytes, more than {MAX_NAME}: strip the names, or build without"
    )]
    Name(usize),
    /// It broke a rule while it described itself.
    #[error("describe() ended with a fault: {0}")]
    Describe(Fault),
    /// What it says of itself breaks the contract.
    #[error(transparent)]
    Description(#[from] DescriptionError),
}

/// One version of one parser, compiled, linked and described.
pub struct Parser {
    pre: InstancePre<State>,
    exports: ParserIndices,
    /// Its memory at first, if its cells can be parked.
    initial: Option<Initial>,
    resumption: Option<Resumption>,
    /// Bytes that an instance takes besides its memories and tables, and bytes of those at first.
    instance: usize,
    first: usize,
    pub(super) engine: Engine,
    pub(super) limits: Arc<CellLimits>,
    pub(super) share: Share,
    pub(super) spares: Spares,
    description: Arc<Description>,
    label: String,
}

impl Parser {
    /// Checks the component's world, and lets it describe itself in an instance that is thrown away.
    /// Takes milliseconds, or as long as it may describe itself: not for the packet path.
    ///
    /// # Errors
    /// Why it can not be a parser, in words for its author.
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        instance: usize,
        limits: &ParserLimits,
    ) -> Result<Self, ParserError> {
        check_world(engine, component)?;
        let world = |error: wasmtime::Error| ParserError::World { problem: format!("{error:#}") };
        let linker: Linker<State> = linker(engine).map_err(world)?;
        let pre = linker.instantiate_pre(component).map_err(world)?;
        let exports = ParserIndices::new(&pre).map_err(world)?;
        let widest = limits.widest();
        let maker = Maker { engine, component, pre: &pre, exports: &exports };
        let Described { description, initial, resumption, first } = maker.describe(widest)?;
        let description = Arc::new(description);
        let live_workers = limits.live_workers;
        let limits = limits.of(&description.name);
        if limits != widest {
            // What does not fit into its own limits is refused now, not flow by flow.
            maker.describe(limits)?;
        }
        let spares = Spares::of(initial.as_ref(), resumption.as_ref(), engine);
        let share = Share::new(limits.parser_cpu, live_workers);
        let label = format!("{}@{}", description.name, description.version);
        let (engine, limits) = (engine.clone(), Arc::new(limits));
        Ok(Self {
            pre,
            exports,
            initial,
            resumption,
            instance,
            first,
            engine,
            limits,
            share,
            spares,
            description,
            label,
        })
    }

    /// Bytes that an instance takes besides its memories and tables, roughly.
    pub(super) const fn instance_bytes(&self) -> usize {
        self.instance
    }

    /// What a cell will take that is to be made.
    #[must_use]
    pub const fn newborn(&self) -> Footprint {
        let bytes = (self.instance + self.first) as u64;
        Footprint { awake: false, bytes, full: bytes }
    }

    /// The memory of its cells at first, if they can be parked.
    pub(super) const fn initial(&self) -> Option<&Initial> {
        self.initial.as_ref()
    }

    /// How the instances of its cells can be freed and made again, if they can.
    pub(super) const fn resumption(&self) -> Option<&Resumption> {
        self.resumption.as_ref()
    }

    /// What it says of itself.
    #[must_use]
    pub fn description(&self) -> &Arc<Description> {
        &self.description
    }

    /// What its cells may use.
    #[must_use]
    pub fn limits(&self) -> &CellLimits {
        &self.limits
    }

    /// Its instructions are counted instead of its time.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        self.engine.is_deterministic()
    }

    /// It has taken more of the workers' time than it may, and gets no new flows for now.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.share.exceeded()
    }

    /// Instances that are as new and wait for a flow.
    #[must_use]
    pub fn spares(&self) -> usize {
        self.spares.count()
    }

    /// `name@version`, as it stands in records.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl std::fmt::Debug for Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parser").field("label", &self.label).finish_non_exhaustive()
    }
}

/// Refuses the imports that no parser gets, if there are any among `imports`.
pub(crate) fn refuse_foreign<'a>(
    imports: impl Iterator<Item = &'a str>,
) -> Result<(), ParserError> {
    let foreign: BTreeSet<&str> =
        imports.filter(|name| !name.starts_with("flowcell:parser/")).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let names = foreign.into_iter().collect::<Vec<_>>().join(", ");
    Err(ParserError::Imports { imports: clipped(&names, MAX_TEXT) })
}

/// Says in our own words what a component of another world wants or lacks; wasmtime's own check of
/// the types comes after.
fn check_world(engine: &Engine, component: &Component) -> Result<(), ParserError> {
    let ty = component.component_type();
    refuse_foreign(ty.imports(engine.inner()).map(|(name, _)| name))?;
    let exports: BTreeSet<String> = ty
        .exports(engine.inner())
        .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)))
        .map(|(name, _)| name.to_owned())
        .collect();
    let missing: Vec<&str> =
        ["describe", "open", "poll"].into_iter().filter(|name| !exports.contains(*name)).collect();
    if !missing.is_empty() {
        let problem = format!("it does not export {}", missing.join(", "));
        return Err(ParserError::World { problem });
    }
    Ok(())
}

/// What is learnt from an instance that is thrown away.
struct Described {
    description: Description,
    initial: Option<Initial>,
    resumption: Option<Resumption>,
    /// Bytes of its memories and tables before it was called.
    first: usize,
}

/// What it takes to make an instance that is thrown away.
struct Maker<'a> {
    engine: &'a Engine,
    component: &'a Component,
    pre: &'a InstancePre<State>,
    exports: &'a ParserIndices,
}

impl Maker<'_> {
    fn describe(&self, limits: CellLimits) -> Result<Described, ParserError> {
        let limits = CellLimits { call_time: DESCRIBE_TIME, flow_cpu: Duration::MAX, ..limits };
        let mut store = new_store(self.engine, State::new(Phase::Describe, Arc::new(limits), None));
        let made = instantiate_with(&mut store, self.pre, self.exports);
        let outcome = made.and_then(|(instance, exports)| {
            let resumption = Resumption::of(self.component, &mut store, &instance)?;
            let initial = memory_of(&mut store).map(|memory| Initial::of(memory));
            let first = store.data().bytes();
            let description = begin_call(&mut store, |store| exports.call_describe(store))?;
            Ok((description, initial, resumption, first))
        });
        match outcome {
            Ok((description, initial, resumption, first)) => {
                let description = Description::check(description)?;
                Ok(Described { description, initial, resumption, first })
            }
            Err(error) => {
                let last_words = store.data_mut().last_words.take();
                Err(ParserError::Describe(Fault::of(&error, last_words)))
            }
        }
    }
}

/// A store with every limit in force.
pub(super) fn new_store(engine: &Engine, state: State) -> Store<State> {
    let host_call_bytes = state.limits.host_call_bytes;
    let mut store = Store::new(engine.inner(), state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(host_call_bytes);
    store.set_max_component_handles(HANDLES);
    store.data_mut().budget.by_fuel = engine.is_deterministic();
    store.epoch_deadline_callback(|mut context| Ok(context.data_mut().look()?));
    store
}

/// Makes an instance of `parser` in `store`.
pub(super) fn instantiate(
    store: &mut Store<State>,
    parser: &Parser,
) -> wasmtime::Result<(Instance, bindings::Parser)> {
    instantiate_with(store, &parser.pre, &parser.exports)
}

fn instantiate_with(
    store: &mut Store<State>,
    pre: &InstancePre<State>,
    exports: &ParserIndices,
) -> wasmtime::Result<(Instance, bindings::Parser)> {
    watched(store, |store| {
        let instance = begin_call(store, |store| pre.instantiate(store))?;
        Ok((instance, exports.load(store, &instance)?))
    })
}

/// Makes one call into the guest, with its deadline set, and charges the flow for it.
pub(super) fn begin_call<T>(
    store: &mut Store<State>,
    call: impl FnOnce(&mut Store<State>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    let fuel = store.data_mut().begin_call();
    match fuel {
        Some(fuel) => store.set_fuel(fuel)?,
        None => store.set_epoch_deadline(1),
    }
    let outcome = call(store);
    let left = fuel.and_then(|_| store.get_fuel().ok());
    match (outcome, store.data_mut().end_call(left)) {
        (outcome, Ok(())) => outcome,
        (Ok(_), Err(over)) => Err(over.into()),
        // It ran out of what its flow had left, and not of what a call may take.
        (Err(error), Err(over)) if is_out_of_fuel(&error) => Err(error.context(over)),
        (Err(error), Err(_)) => Err(error),
    }
}

fn is_out_of_fuel(error: &wasmtime::Error) -> bool {
    matches!(error.downcast_ref(), Some(Trap::OutOfFuel))
}
