//! The parsers inside the binary. They run in the same sandbox as any other.

use crate::registry::{Generation, LoadError, Loaded, load};
use crate::runtime::{Engine, ParserLimits};

/// Name and core module of each.
static BUNDLED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Loads the bundled parsers. `keep_files`: each with the file that it was made of.
///
/// # Errors
/// Never, unless the binary was built wrongly.
pub fn bundled(
    engine: &Engine,
    limits: &ParserLimits,
    keep_files: bool,
) -> Result<Generation, LoadError> {
    let load = |(name, bytes): &(&str, &[u8])| {
        let loaded = load(engine, format!("bundled {name}"), bytes, limits.clone())?;
        Ok(if keep_files { loaded.with_file(bytes) } else { loaded })
    };
    let parsers: Result<Vec<Loaded>, LoadError> = BUNDLED.iter().map(load).collect();
    Ok(Generation::new(0, parsers?))
}
