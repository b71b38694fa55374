//! Makes modules whose whole state is their memory and one global give the host access to the latter.
//!
//! Such an instance can be freed while its flow is quiet, and made anew. Modules of other kinds work as
//! well; their quiet instances only take more memory.

use wasm_encoder::{
    CodeSection, Encode, Function, Instruction, Module, RawSection, SectionId, ValType,
};
use wasmparser::{ExternalKind, Operator, Parser, Payload, TypeRef};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::runtime::{HOST_INTERFACE, RESTORE, SAVE};

/// What there is of a module's state besides its memory, and where things are to be added.
#[derive(Debug, Default)]
struct Found {
    types: u32,
    /// Functions, imported ones included.
    functions: u32,
    /// Global variables, imported ones included.
    globals: u32,
    /// The one that can change.
    variable: Option<u32>,
    memories: u32,
}

/// Returns the module with [`SAVE`] and [`RESTORE`] in it; `None` if it has state that these do not reach,
/// or is not a valid module, which others tell.
pub(super) fn exposed(module: &[u8]) -> Option<Vec<u8>> {
    let found = look(module)?;
    let mut exposed = rewrite(module, &found)?;
    describe(&mut exposed)?;
    Some(exposed)
}

/// Looks for state. What is not understood is taken for state.
fn look(module: &[u8]) -> Option<Found> {
    let mut found = Found::default();
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::TypeSection(types) => {
                for group in types {
                    found.types += u32::try_from(group.ok()?.types().len()).ok()?;
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.ok()?;
                    // Functions of other modules may be ways to keep something: handles, for instance.
                    let ours = import.module == HOST_INTERFACE && !import.name.starts_with('[');
                    match import.ty {
                        TypeRef::Func(_) if ours => found.functions += 1,
                        TypeRef::Global(global) if !global.mutable => found.globals += 1,
                        _ => return None,
                    }
                }
            }
            Payload::FunctionSection(functions) => found.functions += functions.count(),
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let memory = memory.ok()?;
                    if memory.memory64 || memory.shared || memory.page_size_log2.is_some() {
                        return None;
                    }
                    found.memories += 1;
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    let ty = global.ok()?.ty;
                    if ty.mutable {
                        let alone = found.variable.replace(found.globals).is_none();
                        if !alone || ty.content_type != wasmparser::ValType::I32 {
                            return None;
                        }
                    }
                    found.globals += 1;
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.ok()?;
                    let known = match export.kind {
                        ExternalKind::Func => is_known(export.name),
                        ExternalKind::Memory | ExternalKind::Global => true,
                        _ => false,
                    };
                    if !known {
                        return None;
                    }
                }
            }
            Payload::StartSection { .. } | Payload::TagSection(_) => return None,
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader().ok()? {
                    if changes_hidden_state(&operator.ok()?) {
                        return None;
                    }
                }
            }
            _ => {}
        }
    }
    (found.memories == 1).then_some(found)
}

/// Functions that are only called for what the contract has. Some other names are hooks: what has them would
/// run when an instance is made, or around the two functions that are added.
fn is_known(function: &str) -> bool {
    let name = function.strip_prefix("cabi_post_").unwrap_or(function);
    ["describe", "open", "poll"].contains(&name)
        || function == "cabi_realloc"
        || function.starts_with("cabi_realloc_wit_bindgen_")
}

/// Tables and segments change too, and the host can not see them.
const fn changes_hidden_state(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::DataDrop { .. }
    )
}

/// Adds two functions. Everything else stays, byte for byte.
fn rewrite(module: &[u8], found: &Found) -> Option<Vec<u8>> {
    let mut rewritten = Module::new();
    let mut changed = 0;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.ok()?;
        let Some((id, range)) = payload.as_section() else { continue };
        let data = module.get(range)?;
        let added = match id {
            id if id == SectionId::Type as u8 => Some(types()),
            id if id == SectionId::Function as u8 => {
                Some((2, leb(&[found.types, found.types.checked_add(1)?])))
            }
            id if id == SectionId::Export as u8 => Some(exports(found.functions)?),
            id if id == SectionId::Code as u8 => Some(code(found.variable)?),
            _ => None,
        };
        match added {
            Some((count, bytes)) => {
                changed += 1;
                let data = longer(data, count, &bytes)?;
                rewritten.section(&RawSection { id, data: &data });
            }
            None => {
                rewritten.section(&RawSection { id, data });
            }
        }
    }
    (changed == 4).then(|| rewritten.finish())
}

/// A section of `count` more items.
fn longer(section: &[u8], count: u32, items: &[u8]) -> Option<Vec<u8>> {
    let mut reader = wasmparser::BinaryReader::new(section, 0);
    let before = reader.read_var_u32().ok()?;
    let mut longer = leb(&[before.checked_add(count)?]);
    longer.extend_from_slice(section.get(reader.original_position()..)?);
    longer.extend_from_slice(items);
    Some(longer)
}

fn leb(numbers: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    numbers.iter().for_each(|number| number.encode(&mut bytes));
    bytes
}

/// `() -> i32` and `(i32, i32) -> ()`.
fn types() -> (u32, Vec<u8>) {
    const FUNCTION: u8 = 0x60;
    const I32: u8 = 0x7f;
    (2, vec![FUNCTION, 0, 1, I32, FUNCTION, 2, I32, I32, 0])
}

fn exports(functions: u32) -> Option<(u32, Vec<u8>)> {
    let mut bytes = Vec::new();
    for (name, index) in [(SAVE, functions), (RESTORE, functions.checked_add(1)?)] {
        name.encode(&mut bytes);
        wasm_encoder::ExportKind::Func.encode(&mut bytes);
        index.encode(&mut bytes);
    }
    Some((2, bytes))
}

fn code(variable: Option<u32>) -> Option<(u32, Vec<u8>)> {
    let mut save = Function::new([]);
    match variable {
        Some(global) => save.instruction(&Instruction::GlobalGet(global)),
        None => save.instruction(&Instruction::I32Const(0)),
    };
    save.instruction(&Instruction::End);
    let mut restore = Function::new([] as [(u32, ValType); 0]);
    if let Some(global) = variable {
        restore.instruction(&Instruction::LocalGet(0)).instruction(&Instruction::GlobalSet(global));
    }
    restore
        .instruction(&Instruction::LocalGet(1))
        .instruction(&Instruction::MemorySize(0))
        .instruction(&Instruction::I32Sub)
        .instruction(&Instruction::MemoryGrow(0))
        .instruction(&Instruction::I32Const(0))
        .instruction(&Instruction::I32LtS)
        .instruction(&Instruction::If(wasm_encoder::BlockType::Empty))
        .instruction(&Instruction::Unreachable)
        .instruction(&Instruction::End)
        .instruction(&Instruction::End);
    let mut both = CodeSection::new();
    both.function(&save).function(&restore);
    let mut bytes = Vec::new();
    both.encode(&mut bytes);
    // Without the section's length and count.
    let mut reader = wasmparser::BinaryReader::new(&bytes, 0);
    reader.read_var_u32().ok()?;
    let count = reader.read_var_u32().ok()?;
    Some((count, bytes.get(reader.original_position()..)?.to_vec()))
}

/// Adds what makes the two functions functions of the component.
fn describe(module: &mut Vec<u8>) -> Option<()> {
    let text = format!(
        "package flowcell:internal@0.1.0;
         world resumable {{
             export {SAVE}: func() -> u32;
             export {RESTORE}: func(global: u32, pages: u32);
         }}"
    );
    let mut resolve = Resolve::default();
    let package = resolve.push_str("resumable.wit", &text).ok()?;
    let world = resolve.select_world(&[package], Some("resumable")).ok()?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(fields: &str) -> Vec<u8> {
        let text = format!(r#"(module {fields} (func (export "poll")))"#);
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    const STACK: &str = "(global (mut i32) (i32.const 7))";

    #[test]
    fn a_memory_and_one_global_are_made_accessible() {
        for globals in ["", STACK, "(global i64 (i64.const 1)) (global (mut i32) (i32.const 7))"] {
            let exposed = exposed(&module(&format!("(memory 1) {globals}"))).expect(globals);
            wasmparser::Validator::new().validate_all(&exposed).expect("still valid");
            let mut names = Vec::new();
            for payload in Parser::new(0).parse_all(&exposed) {
                if let Payload::ExportSection(exports) = payload.expect("valid") {
                    names.extend(exports.into_iter().map(|export| export.expect("valid").name));
                }
            }
            assert_eq!(names, ["poll", SAVE, RESTORE]);
        }
    }

    #[test]
    fn modules_with_other_state_are_left_alone() {
        for state in [
            STACK,
            r#"(import "m" "m" (memory 1))"#,
            "(memory 1) (global (mut i64) (i64.const 1))",
            "(memory 1) (global (mut i32) (i32.const 1)) (global (mut i32) (i32.const 1))",
            "(memory 1) (func $first) (start $first)",
            r#"(memory 1) (func (export "_initialize"))"#,
            "(memory 1) (table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))",
            r#"(memory 1) (data $d "x") (func (data.drop $d))"#,
            r#"(memory 1) (func (export "flowcell-save"))"#,
            r#"(memory 1) (func (export "cabi_post_flowcell-restore"))"#,
            r#"(memory 1) (func (export "__wasm_init_task"))"#,
            r#"(memory 1) (func (export "cm32p2_initialize"))"#,
            r#"(import "flowcell:parser/host@0.1.0" "[resource-drop]x" (func)) (memory 1)"#,
            r#"(import "[export]x" "[resource-new]x" (func)) (memory 1)"#,
            "(memory 1) (table 1 funcref) (func (drop (table.grow (ref.null func) (i32.const 1))))",
            "(memory 1) (table 1 funcref) (elem func) (func (elem.drop 0))",
            r#"(import "m" "g" (global (mut i32))) (memory 1)"#,
        ] {
            assert!(exposed(&module(state)).is_none(), "{state}");
        }
    }

    #[test]
    fn no_damage_is_a_panic() {
        let whole = module(&format!("(memory 1) {STACK}"));
        for at in 0..whole.len() {
            let _ = exposed(&whole[..at]);
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                let _ = exposed(&damaged);
            }
        }
    }
}
