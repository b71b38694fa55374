//! Compiling untrusted files: in a process of its own, with a cache in front.
//!
//! A file meets the validator, wit-component and Cranelift before it meets the sandbox. In them it can
//! spend time and memory without end, or find a panic. So a worker does it: the same program, started
//! anew for one file, with limits on everything and nothing open but its pipes.
//!
//! ```text
//!  file ──► policy ──► componentize ──► precompile ──► machine code ──► linked and described
//!  └── in the worker ────────────────────────────────┘  └── in this process, in the sandbox
//! ```
//!
//! What the worker keeps away is exhaustion and crashes. It makes machine code that this process
//! runs, so a file that took the compiler over, rather than down, would be through.

mod cache;
mod confine;
mod limits;
mod mac;
mod policy;
mod process;
mod protocol;
mod translate;
mod worker;

use std::any::Any;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

pub use cache::{Cache, CacheError};
pub use limits::CompilerLimits;
pub use process::COMMAND;
pub use worker::{probe, work};

use crate::runtime::{Engine, MAX_TEXT, clipped};
use protocol::Subject;
use translate::{engine_hash, translate};

/// Why a file was not compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The file is not what it has to be.
    #[error("{0}")]
    Refused(String),
    /// Compiling it took more than it may.
    #[error(
        "compiling it takes more than {allowed}; make it smaller, or raise `{limit}` in section \
         [compiler] of --limits"
    )]
    TooMuch {
        /// How much of what, in words.
        allowed: String,
        /// The limit's name.
        limit: &'static str,
    },
    /// The compiler met its end at it. Its faults are not the run's.
    #[error("the compiler failed on it: {0}")]
    Failed(String),
    /// No fault of the file's.
    #[error("the compile worker can not be used: {0}")]
    Worker(String),
}

impl CompileError {
    fn memory(limits: &CompilerLimits) -> Self {
        let allowed = format!("{} bytes of memory", limits.memory);
        Self::TooMuch { allowed, limit: "memory" }
    }

    fn code(limits: &CompilerLimits) -> Self {
        let allowed = format!("{} bytes of machine code", limits.code_bytes);
        Self::TooMuch { allowed, limit: "code_bytes" }
    }

    fn cpu(limits: &CompilerLimits) -> Self {
        let allowed = format!("{} s of CPU time", limits.cpu_seconds());
        Self::TooMuch { allowed, limit: "cpu_time" }
    }

    fn wall(limits: &CompilerLimits) -> Self {
        let allowed = format!("{} ms", limits.wall_time);
        Self::TooMuch { allowed, limit: "wall_time" }
    }
}

/// Makes machine code of files, one at a time. Cheap to clone.
#[derive(Clone)]
pub struct Compiler(Arc<Inner>);

struct Inner {
    /// Of the worker; none: this process compiles itself.
    program: Option<PathBuf>,
    limits: CompilerLimits,
    cache: Option<Cache>,
    tell: Box<dyn Fn(&str) + Send + Sync>,
    told: AtomicBool,
    one_at_a_time: Mutex<()>,
}

/// Machine code that this program made for the engine at hand, and nobody else could have changed:
/// only this module makes one, of what its worker has answered, its cache vouches for, or it
/// has compiled itself.
struct Trusted(Vec<u8>);

impl Compiler {
    /// Compiles in this process, where a bad file can use up time and memory. For programs that are
    /// not `flowcell` and know their files.
    #[must_use]
    pub fn in_process() -> Self {
        Self::new(None, CompilerLimits::default())
    }

    /// Compiles in processes of `program`, which has to be this version of `flowcell`.
    #[must_use]
    pub fn subprocess(program: PathBuf, limits: CompilerLimits) -> Self {
        Self::new(Some(program), limits)
    }

    fn new(program: Option<PathBuf>, limits: CompilerLimits) -> Self {
        Self(Arc::new(Inner::new(program, limits)))
    }

    /// The same with a cache, and with somebody to tell what people should know.
    #[must_use]
    pub fn with(self, cache: Option<Cache>, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let inner = Inner::new(self.0.program.clone(), self.0.limits);
        Self(Arc::new(Inner { cache, tell: Box::new(tell), ..inner }))
    }

    /// Makes code of a file that is for `engine`. Takes milliseconds from the cache, else tens of them
    /// to seconds.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8]) -> Result<Component, CompileError> {
        let inner = &*self.0;
        let _one = inner.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let subject = Subject::new(engine_hash(engine.inner()), bytes);
        let key = inner.key(&subject);
        let cache = key.and_then(|key| Some((inner.cache.as_ref()?, key)));
        if let Some((cache, key)) = &cache
            && let Some(code) = cache.get(key)
            && let Ok(component) = Trusted(code).load(engine)
        {
            return Ok(component);
        }
        let code = inner.make(engine, &subject, bytes)?;
        if let Some((cache, key)) = &cache {
            // Next time it is made again.
            let _ = cache.put(key, &code.0);
        }
        code.load(engine)
    }
}

impl Inner {
    fn new(program: Option<PathBuf>, limits: CompilerLimits) -> Self {
        Self {
            program,
            limits,
            cache: None,
            tell: Box::new(|_| ()),
            told: AtomicBool::new(false),
            one_at_a_time: Mutex::new(()),
        }
    }

    fn make(
        &self,
        engine: &Engine,
        subject: &Subject,
        bytes: &[u8],
    ) -> Result<Trusted, CompileError> {
        let Some(program) = &self.program else {
            return catch_unwind(AssertUnwindSafe(|| {
                translate(engine.inner(), bytes, &self.limits)
            }))
            .unwrap_or_else(|panic| Err(CompileError::Failed(panic_text(&*panic))))
            .map(Trusted);
        };
        let answer = process::ask(program, &self.limits, subject, bytes)?;
        if !answer.confined && !self.told.swap(true, Ordering::Relaxed) {
            (self.tell)(
                "this system does not restrict the compile worker's system calls (seccomp); its \
                 limits on memory and time hold",
            );
        }
        answer.outcome.map(Trusted)
    }

    /// What an entry of the cache is for: everything that the code depends on. Not only the versions:
    /// two builds of one version are not the same compiler. None: it is not known who compiles.
    fn key(&self, subject: &Subject) -> Option<[u8; 32]> {
        let program = fs::metadata(self.program.as_deref()?).ok()?;
        let mut digest = Sha256::new();
        digest.update(subject.file);
        digest.update(subject.engine);
        digest.update(env!("CARGO_PKG_VERSION"));
        for number in [program.size(), program.ino(), program.dev()] {
            digest.update(number.to_le_bytes());
        }
        for number in [program.mtime(), program.mtime_nsec()] {
            digest.update(number.to_le_bytes());
        }
        // A file that they refuse has no entry.
        self.limits.settings().for_each(|setting| digest.update(setting));
        Some(digest.finalize().into())
    }
}

impl Trusted {
    #[expect(
        unsafe_code,
        reason = "machine code can not be checked. A `Trusted` is made in this module only: of what \
                  Cranelift returned in this process, of a worker's answer that names this file and \
                  this engine and has the right digest, or of a cache entry that was made so and has \
                  an authentication code with a key that only this user can read. wasmtime itself \
                  compares its version and the engine's settings"
    )]
    fn load(&self, engine: &Engine) -> Result<Component, CompileError> {
        // SAFETY: as above: these are bytes that `Engine::precompile_component` returned.
        let component = unsafe { Component::deserialize(engine.inner(), &self.0) };
        component.map_err(|error| CompileError::Worker(format!("{error:#}")))
    }
}

/// What somebody said who panicked.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    clipped(text.unwrap_or("it panicked"), MAX_TEXT)
}

/// The running program, for [`Compiler::subprocess`]. Its file may have been replaced since it was
/// started; where the system can, this still names the one that runs.
#[must_use]
pub fn this_program() -> Option<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Some(running.to_owned()) } else { std::env::current_exe().ok() }
}

impl std::fmt::Debug for Compiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Inner { program, limits, cache, .. } = &*self.0;
        f.debug_struct("Compiler")
            .field("program", program)
            .field("limits", limits)
            .field("cache", cache)
            .finish_non_exhaustive()
    }
}
