//! The parsers inside the binary. They run in the same sandbox as any other.

use crate::registry::{Compiler, Generation, LoadError, Loaded};
use crate::runtime::{Engine, ParserLimits};

/// Name and core module of each.
static BUNDLED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Loads the bundled parsers. `keep_files`: each with the file that it was made of.
///
/// # Errors
/// When the compiler can not be used, or has limits that they do not fit into.
pub fn bundled(
    engine: &Engine,
    compiler: &Compiler,
    limits: &ParserLimits,
    keep_files: bool,
) -> Result<Generation, LoadError> {
    let load = |(name, bytes): &(&str, &[u8])| {
        let loaded = compiler.load(engine, format!("bundled {name}"), bytes, limits)?;
        Ok(if keep_files { loaded.with_file(bytes) } else { loaded })
    };
    let parsers: Result<Vec<Loaded>, LoadError> = BUNDLED.iter().map(load).collect();
    Ok(Generation::new(0, parsers?))
}
