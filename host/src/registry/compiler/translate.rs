//! From a file's bytes to machine code: what the worker does, and what a process without one does
//! itself.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::io;

use sha2::{Digest, Sha256};
use wasmparser::Payload;

use super::policy::{self, Objection};
use super::{CompileError, CompilerLimits};
use crate::registry::resumable;
use crate::runtime::{
    CodeFor, MAX_TEXT, RESTORE, SAVE, WORLD, clipped, compile_config, refuse_foreign,
    refuse_long_names,
};

/// The compiler alone: engines that run nothing, for each kind of code.
pub(super) fn engines() -> Result<[wasmtime::Engine; 2], CompileError> {
    let unable = |error: wasmtime::Error| CompileError::Worker(format!("{error:#}"));
    let engine = |code_for| wasmtime::Engine::new(&compile_config(code_for)).map_err(unable);
    Ok([engine(CodeFor::Time)?, engine(CodeFor::Fuel)?])
}

/// What has to be the same where code is made and where it runs: wasmtime's version, its settings and
/// the processor's abilities.
pub(super) fn engine_hash(engine: &wasmtime::Engine) -> [u8; 32] {
    let mut digest = Digested(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut digest);
    digest.0.finalize().into()
}

/// Feeds what is hashed to a digest that is the same in each process.
struct Digested(Sha256);

impl Hasher for Digested {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Nobody asks: the digest is taken instead.
        0
    }
}

/// Makes machine code of a component, or of a core module that carries the contract.
///
/// # Errors
/// Why not, in words for the file's author.
pub(super) fn translate(
    engine: &wasmtime::Engine,
    bytes: &[u8],
    limits: &CompilerLimits,
) -> Result<Vec<u8>, CompileError> {
    let is_module = wasmparser::Parser::is_core_wasm(bytes);
    policy::check(bytes, limits).map_err(|objection| match objection {
        Objection::Broken(error) if is_module => not_a_module(&error),
        Objection::Broken(error) => not_a_component(&error.to_string()),
        Objection::TooMuch(text) => CompileError::Refused(text),
    })?;
    refuse_long_names(bytes).map_err(|error| CompileError::Refused(error.to_string()))?;
    let component = if is_module { Cow::Owned(componentize(bytes)?) } else { Cow::Borrowed(bytes) };
    refuse_reserved(bytes)?;
    let code = engine.precompile_component(&component).map_err(|error| {
        let no_memory = |cause: &(dyn std::error::Error + 'static)| {
            let io = cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
            let errno = cause.downcast_ref::<rustix::io::Errno>();
            io == Some(libc::ENOMEM) || errno == Some(&rustix::io::Errno::NOMEM)
        };
        if error.chain().any(no_memory) {
            return CompileError::memory(limits);
        }
        not_a_component(&format!("{error:#}"))
    })?;
    if code.len() as u64 > limits.code_bytes {
        return Err(CompileError::code(limits));
    }
    Ok(code)
}

/// `cargo build --target wasm32-unknown-unknown` makes core modules; the contract's types are in a
/// custom section of theirs.
fn componentize(module: &[u8]) -> Result<Vec<u8>, CompileError> {
    let mut has_types = false;
    let mut imported = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        match payload.map_err(|error| not_a_module(&error))? {
            Payload::CustomSection(section) => {
                has_types |= section.name().starts_with("component-type");
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported.push(import.map_err(|error| not_a_module(&error))?.module);
                }
            }
            _ => {}
        }
    }
    if !has_types {
        return Err(CompileError::Refused(format!(
            "a core module without a `component-type` section of {WORLD}: build it with \
             flowcell-sdk, or with wit-bindgen for that world"
        )));
    }
    refuse_foreign(imported.into_iter())
        .map_err(|error| CompileError::Refused(error.to_string()))?;
    let resumable = resumable::exposed(module);
    let module = resumable.as_deref().unwrap_or(module);
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| not_a_module(&format!("{error:#}")))
}

/// The host adds these functions itself, where it has made sure that they do what they are for.
fn refuse_reserved(bytes: &[u8]) -> Result<(), CompileError> {
    let reserved = |name: &str| {
        if [SAVE, RESTORE].contains(&name) {
            let text = format!("it exports `{name}`, a name that is the host's; rename it");
            return Err(CompileError::Refused(text));
        }
        Ok(())
    };
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::ExportSection(exports)) => {
                exports.into_iter().map_while(Result::ok).try_for_each(|it| reserved(it.name))?;
            }
            Ok(Payload::ComponentExportSection(exports)) => {
                exports
                    .into_iter()
                    .map_while(Result::ok)
                    .try_for_each(|it| reserved(it.name.name))?;
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    Ok(())
}

fn not_a_module(why: &dyn ToString) -> CompileError {
    let why = clipped(&why.to_string(), MAX_TEXT);
    let cure = cure(&why);
    CompileError::Refused(format!("a core module that can not be made a component: {why}{cure}"))
}

fn not_a_component(why: &str) -> CompileError {
    let cure = cure(why);
    CompileError::Refused(format!("not a valid component: {}{cure}", clipped(why, MAX_TEXT)))
}

/// What is said of a file that ends too early.
fn cure(why: &str) -> &'static str {
    if why.contains("unexpected end") {
        "; the file is cut short: copy it to another name, and move it here when it is whole"
    } else {
        ""
    }
}
