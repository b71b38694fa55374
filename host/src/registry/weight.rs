//! How much memory an instance of a file takes besides its memories and tables.

use wasmparser::{Parser, Payload};

/// What every cell takes: a store, the bookkeeping of a small component, measured.
const BASE: usize = 9 << 10;

/// What wasmtime keeps for each of these in an instance, at most.
const GLOBAL: usize = 16;
const FUNCTION: usize = 40;
const ELEMENT: usize = 16;
const ITEM: usize = 64;

/// Bytes of an instance, rather too many than too few. A component can instantiate each of its modules
/// several times.
pub(super) fn instance_bytes(file: &[u8]) -> usize {
    let (mut bytes, mut instances) = (0_usize, 0_usize);
    for payload in Parser::new(0).parse_all(file) {
        let Ok(payload) = payload else { break };
        let (count, each) = match &payload {
            Payload::GlobalSection(globals) => (globals.count(), GLOBAL),
            Payload::FunctionSection(functions) => (functions.count(), FUNCTION),
            Payload::ImportSection(imports) => (imports.count(), ITEM),
            Payload::ElementSection(elements) => (segments(elements), ELEMENT),
            Payload::InstanceSection(made) => {
                instances = instances.saturating_add(made.count() as usize);
                (made.count(), ITEM)
            }
            Payload::ComponentAliasSection(aliases) => (aliases.count(), ITEM),
            Payload::ComponentCanonicalSection(functions) => (functions.count(), ITEM),
            _ => continue,
        };
        bytes = bytes.saturating_add((count as usize).saturating_mul(each));
    }
    BASE.saturating_add(bytes.saturating_mul(instances.max(1)))
}

/// Functions in all element segments.
fn segments(elements: &wasmparser::ElementSectionReader<'_>) -> u32 {
    let items = |segment: wasmparser::Element<'_>| match segment.items {
        wasmparser::ElementItems::Functions(functions) => functions.count(),
        wasmparser::ElementItems::Expressions(_, expressions) => expressions.count(),
    };
    elements.clone().into_iter().map_while(Result::ok).map(items).fold(0, u32::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> usize {
        instance_bytes(&wat::parse_str(text).unwrap_or_else(|error| panic!("{error}")))
    }

    #[test]
    fn what_an_instance_has_counts() {
        assert_eq!(bytes("(module)"), BASE);
        let globals = "(global i64 (i64.const 1))".repeat(1000);
        assert_eq!(bytes(&format!("(module {globals})")), BASE + 16_000);
        let elements = format!("(func $f) (elem func {})", "$f ".repeat(500));
        assert_eq!(bytes(&format!("(module {elements})")), BASE + 40 + 8_000);
    }

    #[test]
    fn a_module_counts_as_often_as_it_may_be_instantiated() {
        let globals = "(global i64 (i64.const 1))".repeat(1000);
        let instances = "(core instance (instantiate $m))".repeat(3);
        let component = format!("(component (core module $m {globals}) {instances})");
        assert_eq!(bytes(&component), BASE + 3 * (16_000 + 3 * 64));
    }
}
