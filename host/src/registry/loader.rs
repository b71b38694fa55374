//! From the bytes of a `.wasm` file to a parser.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmparser::Payload;

use super::resumable;
use crate::runtime::{
    Engine, MAX_FILE, MAX_TEXT, Parser, ParserError, ParserLimits, WORLD, clipped, refuse_foreign,
};

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
    #[error("not a WebAssembly file: it starts with {0:02x?} instead of 00 61 73 6d")]
    NotWasm(Vec<u8>),
    /// A core module without the contract.
    #[error(
        "a core module without a `component-type` section of {WORLD}: build it with flowcell-sdk, \
         or with wit-bindgen for that world"
    )]
    NoComponentType,
    /// Invalid wasm, or what wit-component can not turn into a component.
    #[error("a core module that can not be made a component: {0}")]
    Module(String),
    /// A component that can not be a parser.
    #[error(transparent)]
    Parser(#[from] ParserError),
    /// The compiler gave up. Its faults are not the run's.
    #[error("the compiler failed on it: {0}")]
    Compiler(String),
    /// It was taken back before.
    #[error("too many of its flows ended in a fault when it was in use; put another file there")]
    RolledBack,
    /// Another file is the parser of that name.
    #[error("it calls itself `{name}`, and so does {other}: remove one of them")]
    NameTaken {
        /// The name.
        name: String,
        /// The other file.
        other: String,
    },
}

/// Makes a parser of a component, or of a core module that carries the contract. Takes tens to
/// hundreds of milliseconds.
///
/// # Errors
/// Why not, with `origin`.
pub fn load(
    engine: &Engine,
    origin: String,
    bytes: &[u8],
    limits: impl Into<ParserLimits>,
) -> Result<Loaded, LoadError> {
    let limits = limits.into();
    // The file is untrusted and the compiler is large: a panic in it refuses the file.
    let attempt = catch_unwind(AssertUnwindSafe(|| compile(engine, bytes, limits)));
    let outcome = attempt.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(LoadProblem::Compiler(text.unwrap_or_else(|| "it panicked".into())))
    });
    match outcome {
        Ok(parser) => {
            let hash = Sha256::digest(bytes).into();
            Ok(Loaded { parser: Arc::new(parser), origin, hash, file: None })
        }
        Err(problem) => Err(LoadError { origin, problem }),
    }
}

fn compile(engine: &Engine, bytes: &[u8], limits: ParserLimits) -> Result<Parser, LoadProblem> {
    if bytes.is_empty() {
        return Err(LoadProblem::Empty);
    }
    if bytes.len() > MAX_FILE {
        return Err(LoadProblem::TooLong(bytes.len() as u64));
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(LoadProblem::NotWasm(bytes[..bytes.len().min(4)].to_vec()));
    }
    let component = if wasmparser::Parser::is_core_wasm(bytes) {
        Cow::Owned(componentize(bytes)?)
    } else {
        Cow::Borrowed(bytes)
    };
    Ok(Parser::new(engine, &component, limits)?)
}

/// `cargo build --target wasm32-unknown-unknown` makes core modules; the contract's types are in a
/// custom section of theirs.
fn componentize(module: &[u8]) -> Result<Vec<u8>, LoadProblem> {
    let invalid = |error: wasmparser::BinaryReaderError| LoadProblem::Module(error.to_string());
    let mut has_types = false;
    let mut imported = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        match payload.map_err(invalid)? {
            Payload::CustomSection(section) => {
                has_types |= section.name().starts_with("component-type");
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported.push(import.map_err(invalid)?.module);
                }
            }
            _ => {}
        }
    }
    if !has_types {
        return Err(LoadProblem::NoComponentType);
    }
    refuse_foreign(imported.into_iter())?;
    let resumable = resumable::exposed(module);
    let module = resumable.as_deref().unwrap_or(module);
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| LoadProblem::Module(clipped(&format!("{error:#}"), MAX_TEXT)))
}
