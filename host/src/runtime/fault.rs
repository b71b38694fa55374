//! What ended a guest.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;

use wasmtime::{Trap, WasmBacktrace};

use super::memory::NO_MEMORY;

flowcell_core::named! {
    /// The kinds of fault. Their names stand in `fault` records and are stable.
    FaultClass {
        /// The guest trapped: a panic, an access out of bounds, a division by zero.
        Trap = "trap",
        /// One call took longer than it may.
        Deadline = "deadline",
        /// Its calls took more of the processor than a flow may.
        Cpu = "cpu",
        /// It asked for more memory or table than it may have.
        Memory = "memory",
        /// Its calls nested too deeply.
        Stack = "stack",
        /// A record that does not match its schema, is too long, or of an unknown kind.
        BadRecord = "bad_record",
        /// Too many records, or too much output, in one call or in a second.
        RecordFlood = "record_flood",
        /// A host function was called with what it can not take, or when it may not be called.
        HostCall = "host_call",
        /// The host had no room for the instance. Not the parser's fault.
        Capacity = "capacity",
    }
}

/// The end of one cell. Nothing but its flow is affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub class: FaultClass,
    /// What the guest said last if it panicked, else what happened, for people.
    pub message: String,
    /// Names of the guest's functions, innermost first, as far as it has a name section.
    pub backtrace: Vec<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.name(), self.message)
    }
}

/// A rule that a guest broke in a host function; travels through wasmtime as an error.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Violation {
    pub(crate) class: FaultClass,
    pub(crate) message: String,
}

impl Violation {
    pub(crate) fn new(class: FaultClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}

/// Most frames that are worth showing.
const MAX_FRAMES: usize = 24;

/// Bytes of a function's name or of a message that are kept: a guest chooses both.
pub(crate) const MAX_TEXT: usize = 1024;

/// The start of `text`, at most `limit` bytes.
pub(crate) fn clipped(text: &str, limit: usize) -> String {
    text[..text.floor_char_boundary(limit)].to_owned()
}

/// A text that takes [`MAX_TEXT`] bytes and no more.
#[derive(Default)]
struct Clipped(String);

impl fmt::Write for Clipped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_TEXT - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

impl Fault {
    /// A cell was parked and could not be brought back, or was used after its end.
    pub(crate) fn lost() -> Self {
        Self::capacity("the parser's state is gone")
    }

    /// The host has no room, for this reason.
    pub(crate) fn capacity(reason: &str) -> Self {
        Self { class: FaultClass::Capacity, message: reason.into(), backtrace: Vec::new() }
    }

    /// The parser has too much memory, for this reason.
    pub(crate) fn memory(reason: &str) -> Self {
        Self { class: FaultClass::Memory, message: reason.into(), backtrace: Vec::new() }
    }

    /// Classifies what wasmtime returned. `last_words` is what the guest logged as an error in the
    /// same call: its panic message.
    pub(crate) fn of(error: &wasmtime::Error, last_words: Option<String>) -> Self {
        let backtrace = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
        let (class, message) = if let Some(violation) = error.downcast_ref::<Violation>() {
            (violation.class, violation.message.clone())
        } else if let Some(trap) = error.downcast_ref::<Trap>() {
            match trap {
                Trap::Interrupt | Trap::OutOfFuel => {
                    (FaultClass::Deadline, "the call took too long (`call_time`)".into())
                }
                Trap::StackOverflow => (FaultClass::Stack, "call stack exhausted".into()),
                other => (FaultClass::Trap, other.to_string()),
            }
        } else {
            let text = clipped(&error.root_cause().to_string(), MAX_TEXT);
            // wasmtime keeps the type of this one to itself.
            let fuel = text.contains("fuel allocated for hostcalls");
            // The system had no memory for an instance.
            let refused = |cause: &(dyn Error + 'static)| {
                cause.is::<io::Error>() || cause.is::<rustix::io::Errno>()
            };
            let class = match () {
                () if fuel => FaultClass::HostCall,
                () if error.chain().any(refused) || text.starts_with(NO_MEMORY) => {
                    FaultClass::Capacity
                }
                () => FaultClass::Trap,
            };
            (class, text)
        };
        let message = match (class, last_words) {
            (FaultClass::Trap, Some(words)) => words,
            _ => message,
        };
        Self { class, message, backtrace }
    }
}

fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => {
            let name = clipped(name, MAX_TEXT);
            let mut shown = Clipped::default();
            // It fails when it is full: a short name may stand for a very long one.
            let _ = write!(shown, "{:#}", rustc_demangle::demangle(&name));
            shown.0
        }
        None => format!("function {}", frame.func_index()),
    };
    let frames = backtrace.frames().iter().map(name);
    // How the SDK was called says how packets were delivered, which no record does.
    let delivery = |name: &String| {
        name.contains("flowcell_sdk::task::Task>::") || name.contains("flowcell_sdk::wasm::")
    };
    frames.filter(|name| !delivery(name)).take(MAX_FRAMES).collect()
}
