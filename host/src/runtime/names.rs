//! The names of a guest's functions, which stand in backtraces.

use wasmparser::{KnownCustom, Name, Payload};

use super::parser::ParserError;

/// Longest name that a function may have, in bytes. A fault copies those of twenty frames.
pub(super) const MAX_NAME: usize = 64 << 10;

/// Refuses a component in which some function's name would make every fault expensive.
///
/// # Errors
/// [`ParserError::Name`]. What is not valid is left to the validation.
pub(crate) fn refuse_long_names(component: &[u8]) -> Result<(), ParserError> {
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        let Ok(payload) = payload else { return Ok(()) };
        let Payload::CustomSection(section) = payload else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for name in names {
            let Ok(Name::Function(functions)) = name else { continue };
            let lengths = functions.into_iter().map_while(Result::ok).map(|name| name.name.len());
            if let Some(length) = lengths.max().filter(|length| *length > MAX_NAME) {
                return Err(ParserError::Name(length));
            }
        }
    }
    Ok(())
}
