//! From the bytes of a `.wasm` file to a parser.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::compiler::{CompileError, Compiler, panic_text};
use super::weight::instance_bytes;
use crate::runtime::{Engine, MAX_FILE, Parser, ParserError, ParserLimits};

/// A loaded parser and where it is from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Ready to be started on flows.
    pub parser: Arc<Parser>,
    /// A file, or `bundled NAME`.
    pub origin: String,
    /// SHA-256 of the file.
    pub hash: [u8; 32],
    /// The file itself, if it is wanted later: it may be another one by then.
    pub file: Option<Arc<ParserFile>>,
}

/// The file that a parser was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParserFile {
    /// Its SHA-256.
    pub hash: [u8; 32],
    /// Its content, at most [`MAX_FILE`] bytes.
    pub bytes: Box<[u8]>,
}

impl ParserFile {
    /// The hash in lower-case hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex(&self.hash)
    }
}

impl Loaded {
    /// Keeps the file that it was made of.
    #[must_use]
    pub(super) fn with_file(self, bytes: &[u8]) -> Self {
        let file = ParserFile { hash: self.hash, bytes: bytes.into() };
        Self { file: Some(Arc::new(file)), ..self }
    }

    /// The file's SHA-256, as people write it.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex(&self.hash)
    }
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why a file did not become a parser. Says file, reason and cure.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct LoadError {
    /// A file, or `bundled NAME`.
    pub origin: String,
    /// What is wrong with it.
    pub problem: LoadProblem,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadProblem {
    /// It can not be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Longer than [`MAX_FILE`].
    #[error("{0} bytes are more than the {MAX_FILE} that a parser may have")]
    TooLong(u64),
    /// Something else.
    #[error(
        "not a WebAssembly file: it starts with {0:02x?} instead of 00 61 73 6d; parsers are \
             built with --target wasm32-unknown-unknown"
    )]
    NotWasm(Vec<u8>),
    /// It was not compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A component that can not be a parser.
    #[error(transparent)]
    Parser(#[from] ParserError),
    /// It was taken back before.
    #[error("too many of its flows ended in a fault when it was in use; put another file there")]
    RolledBack,
    /// Linking it failed in a way that it must not. No fault of the run's.
    #[error("it can not be linked: {0}")]
    Link(String),
    /// Another file is the parser of that name.
    #[error("it calls itself `{name}`, and so does {other}: remove one of them")]
    NameTaken {
        /// The name.
        name: String,
        /// The other file.
        other: String,
    },
}

/// Makes a parser of a file within this process, with [`Compiler::in_process`].
///
/// # Errors
/// Why not, with `origin`.
pub fn load(
    engine: &Engine,
    origin: String,
    bytes: &[u8],
    limits: impl Into<ParserLimits>,
) -> Result<Loaded, LoadError> {
    Compiler::in_process().load(engine, origin, bytes, &limits.into())
}

impl Compiler {
    /// Makes a parser of a component, or of a core module that carries the contract. Takes
    /// milliseconds if it was compiled before, else up to as long as compiling may take.
    ///
    /// # Errors
    /// Why not, with `origin`.
    pub fn load(
        &self,
        engine: &Engine,
        origin: String,
        bytes: &[u8],
        limits: &ParserLimits,
    ) -> Result<Loaded, LoadError> {
        match self.parser(engine, bytes, limits) {
            Ok(parser) => {
                let hash = Sha256::digest(bytes).into();
                Ok(Loaded { parser: Arc::new(parser), origin, hash, file: None })
            }
            Err(problem) => Err(LoadError { origin, problem }),
        }
    }

    fn parser(
        &self,
        engine: &Engine,
        bytes: &[u8],
        limits: &ParserLimits,
    ) -> Result<Parser, LoadProblem> {
        if bytes.is_empty() {
            return Err(LoadProblem::Empty);
        }
        if bytes.len() > MAX_FILE {
            return Err(LoadProblem::TooLong(bytes.len() as u64));
        }
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadProblem::NotWasm(bytes[..bytes.len().min(4)].to_vec()));
        }
        let component = self.compile(engine, bytes)?;
        // The types are the file's, and so is what the instance does.
        catch_unwind(AssertUnwindSafe(|| {
            Parser::new(engine, &component, instance_bytes(bytes), limits)
        }))
        .map_err(|panic| LoadProblem::Link(panic_text(&*panic)))?
        .map_err(LoadProblem::from)
    }
}
