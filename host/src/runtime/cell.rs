//! One flow's parser instance.

use std::sync::Arc;

use wasmtime::Store;

use super::bindings::flowcell::parser::types::{Flow, Input, Progress, Transport};
use super::fault::Fault;
use super::guest::Guest;
use super::memory::{Image, discard, memory_of};
use super::parser::{Parser, begin_call};
use super::state::{Output, Phase, State};

/// What is left of a cell that did not survive its start.
#[derive(Debug)]
pub struct Stillborn {
    /// What ended it.
    pub fault: Fault,
    /// What the guest said before.
    pub output: Output,
}

/// What a cell takes of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// It can be called as it is.
    pub awake: bool,
    /// Bytes of the guest's memory, or of what is kept of it, and of the instance, roughly.
    pub bytes: u64,
    /// As many when it is awake.
    pub full: u64,
}

/// Bytes that are left of a cell without an instance besides its image.
const REMAINS: usize = 512;

/// One component instance in a store of its own, at work on one flow. Dropping it frees everything
/// that the guest had.
///
/// While its flow is quiet it can be [parked](Self::park): what differs from a new instance's memory is
/// kept compressed, and the rest is given back. The next delivery brings it back first. Of a guest that
/// keeps nothing of what it was given, nothing is kept: the flow has to be [opened](Self::reopen) again.
pub struct Cell {
    parser: Arc<Parser>,
    body: Body,
    /// Parking it has saved little: it stays awake.
    bulky: bool,
    /// It is given datagrams.
    datagrams: bool,
    /// It keeps nothing of what it was given.
    resting: bool,
}

enum Body {
    Awake(Box<Guest>),
    /// Parked. The instance stays, because not all of what it is lies in its memory.
    Bound(Box<Guest>, Image),
    /// Parked. There is no instance; the next one gets this memory and this value of its one global.
    Freed(Box<State>, Image, u32),
    /// Parked while it was resting. There is no instance; the next one is opened.
    Rested(Box<State>),
    /// It can not be called again. If nobody has been told why, the next delivery tells.
    Broken(Option<Fault>, Box<Output>),
}

impl Cell {
    /// Instantiates `parser` and opens the flow.
    ///
    /// # Errors
    /// The fault that ended it; the cell is gone.
    pub fn open(parser: &Arc<Parser>, flow: Flow<'_>) -> Result<Self, Box<Stillborn>> {
        let description = Some(Arc::clone(parser.description()));
        let mut state = State::new(Phase::Parse, Arc::clone(&parser.limits), description);
        state.budget.open(flow.at);
        let datagrams = flow.transport == Transport::Udp;
        let body = Body::Awake(begin(parser, state, flow)?);
        Ok(Self { parser: Arc::clone(parser), body, bulky: false, datagrams, resting: false })
    }

    /// It was parked while it was [resting](Self::is_resting), and has to be [opened](Self::reopen) before
    /// it is called.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.body, Body::Rested(_))
    }

    /// Opens the flow once more, if that is [needed](Self::is_closed).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn reopen(&mut self, flow: Flow<'_>) -> Result<(), Fault> {
        let body = match self.take() {
            Body::Rested(mut state) => {
                // What it emits now is not of the second in which it rested.
                state.budget.arrive(flow.at, 0);
                begin(&self.parser, *state, flow).map(Body::Awake)
            }
            other => Ok(other),
        };
        match body {
            Ok(body) => self.body = body,
            Err(stillborn) => {
                let Stillborn { fault, output } = *stillborn;
                self.body = Body::Broken(None, Box::new(output));
                return Err(fault);
            }
        }
        Ok(())
    }

    /// It keeps nothing of the datagrams that it was given: it needs to know of nothing but the next one.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.resting
    }

    /// Delivers `input`. What the guest said is in [`output`](Self::output), also after a fault.
    ///
    /// # Errors
    /// The fault that ended the guest: it must not be called again.
    pub fn poll(&mut self, input: Input<'_>) -> Result<Progress, Fault> {
        let segments = match &input {
            Input::Data(chunk) => chunk.segments.unwrap_or_default(),
            Input::Gap(_) | Input::End(_) => &[],
        };
        self.wake()?;
        let Body::Awake(guest) = &mut self.body else { return Err(Fault::lost()) };
        let Guest { store, exports, .. } = &mut **guest;
        store.data_mut().deliver(&input);
        let poll = |store: &mut Store<State>| {
            store.data_mut().set_segments(segments);
            exports.call_poll(store, input)
        };
        let outcome = begin_call(store, poll);
        self.parser.share.charge(store.data_mut().budget.unshared());
        let progress = match outcome {
            Ok(progress) => progress,
            Err(error) => {
                let (fault, output) = last_of(store, &error);
                self.body = Body::Broken(None, Box::new(output));
                return Err(fault);
            }
        };
        self.resting = self.datagrams && progress == Progress::Resting;
        Ok(progress)
    }

    /// What the guest said since the last look. The caller takes out what it has dealt with.
    pub fn output(&mut self) -> &mut Output {
        match &mut self.body {
            Body::Awake(guest) | Body::Bound(guest, _) => &mut guest.store.data_mut().output,
            Body::Freed(state, ..) | Body::Rested(state) => &mut state.output,
            Body::Broken(_, output) => output,
        }
    }

    /// The parser that it is an instance of.
    #[must_use]
    pub fn parser(&self) -> &Arc<Parser> {
        &self.parser
    }

    /// Puts the guest away until the next delivery. Returns how many bytes are kept of it; `None` if it
    /// is parked already, or can not be: it has several memories, or more of it than is worth it.
    pub fn park(&mut self) -> Option<usize> {
        if self.resting {
            return self.rest();
        }
        let Body::Awake(guest) = &mut self.body else { return None };
        let initial = self.parser.initial().filter(|_| !self.bulky)?;
        let saved = match self.parser.resumption() {
            Some(resumption) => match resumption.save(guest) {
                Ok(global) => Some(global),
                Err(error) => {
                    let (fault, output) = last_of(&mut guest.store, &error);
                    self.body = Body::Broken(Some(fault), Box::new(output));
                    return None;
                }
            },
            None => None,
        };
        let Body::Awake(guest) = &mut self.body else { return None };
        let image = Image::of(memory_of(&mut guest.store)?, initial)?;
        let stored = image.stored();
        if stored > image.len() as usize / 2 {
            self.bulky = true;
            return None;
        }
        let Body::Awake(mut guest) = self.take() else { return None };
        self.body = match saved {
            Some(global) => {
                let mut state = guest.retire(&self.parser);
                state.rest();
                Body::Freed(Box::new(state), image, global)
            }
            None => {
                discard(&mut guest.store);
                Body::Bound(guest, image)
            }
        };
        Some(stored)
    }

    fn rest(&mut self) -> Option<usize> {
        if !matches!(self.body, Body::Awake(_)) {
            return None;
        }
        if let Body::Awake(guest) = self.take() {
            let mut state = guest.retire(&self.parser);
            state.begin_anew();
            self.body = Body::Rested(Box::new(state));
        }
        Some(0)
    }

    /// What it takes of the machine.
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        let instance = self.parser.instance_bytes();
        let (awake, bytes, full) = match &self.body {
            Body::Awake(guest) => {
                let full = guest.store.data().bytes() + instance;
                (true, full, full)
            }
            Body::Bound(guest, image) => {
                (false, image.stored() + instance, guest.store.data().bytes() + instance)
            }
            Body::Freed(state, image, _) => {
                (false, image.stored() + REMAINS, state.bytes() + instance)
            }
            Body::Rested(_) => {
                return Footprint { bytes: REMAINS as u64, ..self.parser.newborn() };
            }
            Body::Broken(..) => (false, REMAINS, REMAINS),
        };
        Footprint { awake, bytes: bytes as u64, full: full as u64 }
    }

    /// Brings the guest back if it is parked.
    fn wake(&mut self) -> Result<(), Fault> {
        if !matches!(self.body, Body::Awake(_)) {
            let parked = self.take();
            self.body = Body::Awake(self.resume(parked)?);
        }
        Ok(())
    }

    fn resume(&mut self, parked: Body) -> Result<Box<Guest>, Fault> {
        let (mut guest, image) = match parked {
            Body::Awake(guest) => return Ok(guest),
            Body::Broken(fault, output) => {
                self.body = Body::Broken(None, output);
                return Err(fault.unwrap_or_else(Fault::lost));
            }
            Body::Rested(_) => return Err(Fault::lost()), // who calls it has to open it
            Body::Bound(mut guest, image) => {
                if let (Some(memory), Some(initial)) =
                    (memory_of(&mut guest.store), self.parser.initial())
                {
                    initial.put_into(memory);
                }
                (guest, image)
            }
            Body::Freed(mut state, image, global) => {
                state.begin_instance();
                let made = Guest::new(&self.parser, *state);
                let mut guest = made.map_err(|(error, mut store)| last_of(&mut store, &error).0)?;
                if let Some(resumption) = self.parser.resumption() {
                    let restored = resumption.restore(&mut guest, global, image.len());
                    restored.map_err(|error| last_of(&mut guest.store, &error).0)?;
                }
                (guest, image)
            }
        };
        let memory = memory_of(&mut guest.store).unwrap_or_default();
        image.put_into(memory).map_err(|_| Fault::lost())?;
        Ok(guest)
    }

    fn take(&mut self) -> Body {
        std::mem::replace(&mut self.body, Body::Broken(None, Box::default()))
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        if let Body::Awake(guest) = self.take() {
            guest.retire(&self.parser);
        }
    }
}

impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cell").field("parser", &self.parser.label()).finish_non_exhaustive()
    }
}

/// Makes an instance, and opens the flow.
fn begin(parser: &Arc<Parser>, state: State, flow: Flow<'_>) -> Result<Box<Guest>, Box<Stillborn>> {
    let opened = Guest::new(parser, state).and_then(|mut guest| {
        let Guest { store, exports, .. } = &mut *guest;
        match begin_call(store, |store| exports.call_open(store, flow)) {
            Ok(()) => Ok(guest),
            Err(error) => Err((error, guest.store)),
        }
    });
    let (spent, opened) = match opened {
        Ok(mut guest) => (guest.store.data_mut().budget.unshared(), Ok(guest)),
        Err((error, mut store)) => {
            let (fault, output) = last_of(&mut store, &error);
            (store.data_mut().budget.unshared(), Err(Box::new(Stillborn { fault, output })))
        }
    };
    parser.share.charge(spent);
    opened
}

/// What is left of a guest that can not be called again because of `error`.
fn last_of(store: &mut Store<State>, error: &wasmtime::Error) -> (Fault, Output) {
    let state = store.data_mut();
    let last_words = state.last_words.take();
    (Fault::of(error, last_words), std::mem::take(&mut state.output))
}
