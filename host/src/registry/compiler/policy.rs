//! What is refused before the compiler sees it.
//!
//! The validator allows a million functions and a thousand nested modules. No parser of a protocol
//! is like that, and the compiler's time and memory grow with all of them.

use wasmparser::{BinaryReaderError, ElementItems, FunctionBody, Payload};

use super::CompilerLimits;

/// Why a file is refused.
#[derive(Debug)]
pub(super) enum Objection {
    /// It is not what it should be.
    Broken(BinaryReaderError),
    /// It is too much of something, in words.
    TooMuch(String),
}

impl From<BinaryReaderError> for Objection {
    fn from(error: BinaryReaderError) -> Self {
        Self::Broken(error)
    }
}

/// What there is of a limited thing so far.
struct Count {
    limit: &'static str,
    things: &'static str,
    allowed: u64,
    found: u64,
}

impl Count {
    fn add(&mut self, more: impl Into<u64>) -> Result<(), Objection> {
        self.found = self.found.saturating_add(more.into());
        if self.found > self.allowed {
            return Err(too_much(self.limit, self.things, self.found, self.allowed));
        }
        Ok(())
    }
}

fn too_much(limit: &str, things: &str, found: u64, allowed: u64) -> Objection {
    Objection::TooMuch(format!(
        "{things}: {found} or more, {allowed} allowed; make it smaller, or raise `{limit}` in section \
         [compiler] of --limits"
    ))
}

macro_rules! counts {
    ($($field:ident: $limit:ident, $things:literal;)+) => {
        struct Counts { $($field: Count,)+ longest_name: u64, nesting: u64 }

        impl Counts {
            fn new(limits: &CompilerLimits) -> Self {
                Self {
                    $($field: Count {
                        limit: stringify!($limit), things: $things, allowed: limits.$limit, found: 0,
                    },)+
                    longest_name: limits.name_bytes,
                    nesting: limits.nesting,
                }
            }
        }
    };
}

counts! {
    functions: functions, "too many functions";
    types: types, "too many types";
    names: names, "too many imports and exports";
    memories: memories, "too many memories";
    tables: tables, "too many tables";
    globals: globals, "too many global variables";
    elements: elements, "too many elements of tables";
    data: data_segments, "too many data segments";
    modules: modules, "too many modules";
    components: components, "too many components";
    items: component_items, "too many parts of components";
}

impl Counts {
    /// A name of `length` bytes in a list of imports or exports.
    fn name(&mut self, length: usize) -> Result<(), Objection> {
        self.names.add(1u32)?;
        self.length(length)
    }

    fn length(&self, length: usize) -> Result<(), Objection> {
        let (length, allowed) = (length as u64, self.longest_name);
        if length > allowed {
            return Err(too_much("name_bytes", "a name of too many bytes", length, allowed));
        }
        Ok(())
    }
}

/// Looks at the whole of a module or component, without validating it.
///
/// # Errors
/// The first thing that is too much, or where it can not be read.
pub(super) fn check(bytes: &[u8], limits: &CompilerLimits) -> Result<(), Objection> {
    let mut counts = Counts::new(limits);
    let mut depth = 0u64;
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                let (count, one) = match payload {
                    Payload::ModuleSection { .. } => (&mut counts.modules, 1u32),
                    _ => (&mut counts.components, 1),
                };
                count.add(one)?;
                depth += 1;
                if depth > counts.nesting {
                    let things = "components too deep in each other";
                    return Err(too_much("nesting", things, depth, counts.nesting));
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CodeSectionEntry(body) => function(&body, limits)?,
            Payload::CustomSection(section) => counts.length(section.name().len())?,
            other => section(other, &mut counts)?,
        }
    }
    Ok(())
}

fn function(body: &FunctionBody<'_>, limits: &CompilerLimits) -> Result<(), Objection> {
    let bytes = body.range().len() as u64;
    if bytes > limits.function_bytes {
        let things = "a function of too many bytes of code";
        return Err(too_much("function_bytes", things, bytes, limits.function_bytes));
    }
    let mut locals = 0u64;
    for group in body.get_locals_reader()? {
        locals = locals.saturating_add(group?.0.into());
    }
    if locals > limits.locals {
        let things = "a function of too many variables";
        return Err(too_much("locals", things, locals, limits.locals));
    }
    Ok(())
}

fn section(payload: Payload<'_>, counts: &mut Counts) -> Result<(), Objection> {
    match payload {
        Payload::TypeSection(types) => counts.types.add(types.count())?,
        Payload::CoreTypeSection(types) => counts.types.add(types.count())?,
        Payload::ComponentTypeSection(types) => counts.types.add(types.count())?,
        Payload::FunctionSection(functions) => counts.functions.add(functions.count())?,
        Payload::TableSection(tables) => counts.tables.add(tables.count())?,
        Payload::MemorySection(memories) => counts.memories.add(memories.count())?,
        Payload::GlobalSection(globals) => counts.globals.add(globals.count())?,
        Payload::DataSection(data) => counts.data.add(data.count())?,
        Payload::ElementSection(segments) => {
            counts.elements.add(segments.count())?;
            for segment in segments {
                match segment?.items {
                    ElementItems::Functions(items) => counts.elements.add(items.count())?,
                    ElementItems::Expressions(_, items) => counts.elements.add(items.count())?,
                }
            }
        }
        Payload::ImportSection(imports) => {
            for import in imports.into_imports() {
                let import = import?;
                counts.name(import.module.len().max(import.name.len()))?;
                if matches!(import.ty, wasmparser::TypeRef::Func(_)) {
                    counts.functions.add(1u32)?;
                }
            }
        }
        Payload::ExportSection(exports) => {
            for export in exports {
                counts.name(export?.name.len())?;
            }
        }
        Payload::ComponentImportSection(imports) => {
            for import in imports {
                counts.name(import?.name.name.len())?;
            }
        }
        Payload::ComponentExportSection(exports) => {
            for export in exports {
                counts.name(export?.name.name.len())?;
            }
        }
        Payload::InstanceSection(items) => counts.items.add(items.count())?,
        Payload::ComponentInstanceSection(items) => counts.items.add(items.count())?,
        Payload::ComponentAliasSection(items) => counts.items.add(items.count())?,
        Payload::ComponentCanonicalSection(items) => counts.items.add(items.count())?,
        _ => {}
    }
    Ok(())
}
