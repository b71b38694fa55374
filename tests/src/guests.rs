//! Parsers to load: those of `tests/guests`, the first-party ones, and what is made to hurt a compiler.

use std::fs;
use std::path::{Path, PathBuf};

use flowcell::runtime::{Address, Endpoint, Flow, FlowState, Side, Transport};
use wit_component::StringEncoding;
use wit_parser::Resolve;

include!(concat!(env!("OUT_DIR"), "/for_each_guest.rs"));

/// The names of all parsers in `parsers/`, in order.
pub const PARSERS: &[&str] = include!(concat!(env!("OUT_DIR"), "/parsers.rs"));

/// The `.wasm` file of a parser in `parsers/`, by the name of its library.
#[must_use]
pub fn parser(name: &str) -> PathBuf {
    Path::new(env!("PARSERS")).join(format!("{name}.wasm"))
}

/// The bytes of a parser in `tests/guests`, as its author would hand them over.
///
/// # Panics
/// When there is none of that name.
#[must_use]
pub fn guest(name: &str) -> Vec<u8> {
    let raw = folder().join("raw").join(format!("{name}.wat"));
    if let Ok(text) = fs::read_to_string(raw) {
        return with_contract(module(&text));
    }
    let built = Path::new(env!("GUESTS")).join(format!("{name}.wasm"));
    fs::read(&built).unwrap_or_else(|error| panic!("{}: {error}", built.display()))
}

/// A flow that the parsers in `tests/guests` want, for those who make cells of them by hand.
#[must_use]
pub fn flow() -> Flow<'static> {
    let endpoint = |address, port| Endpoint { address: Address::Ipv4(address), port };
    Flow {
        client: endpoint(0x0a00_0001, 4000),
        server: endpoint(0x0a00_0002, 9),
        transport: Transport::Tcp,
        at: 0,
        state: FlowState::empty(),
        originator: Side::Client,
        context: None,
    }
}

/// Assembles WebAssembly text: a module or a component.
///
/// # Panics
/// When it is not valid text.
#[must_use]
pub fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// Adds the custom section that says that a core module is of the parsers' world.
///
/// # Panics
/// When `wit/parser.wit` is broken.
#[must_use]
pub fn with_contract(module: Vec<u8>) -> Vec<u8> {
    with_world(module, "package test:guest; world guest { include flowcell:parser/parser@0.1.0; }")
}

/// The same for a world of that name in a package of that text, which may refer to the contract.
///
/// # Panics
/// When one of the two is broken.
#[must_use]
pub fn with_world(mut module: Vec<u8>, wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve
        .push_path(folder().join("../../wit"))
        .unwrap_or_else(|error| panic!("wit/parser.wit: {error:#}"));
    let package =
        resolve.push_str("test.wit", wit).unwrap_or_else(|error| panic!("{wit}: {error:#}"));
    let world = resolve
        .select_world(&[package], Some("guest"))
        .unwrap_or_else(|error| panic!("{wit}: {error:#}"));
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .unwrap_or_else(|error| panic!("{error:#}"));
    module
}

/// Makes a component of a module with a world.
///
/// # Panics
/// When the module does not fit.
#[must_use]
pub fn component(module: &[u8]) -> Vec<u8> {
    wit_component::ComponentEncoder::default()
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .unwrap_or_else(|error| panic!("{error:#}"))
}

/// A component of half a megabyte that takes the compiler more than ten seconds: blocks in blocks.
#[must_use]
pub fn compile_bomb() -> Vec<u8> {
    const DEPTH: usize = 150_000;
    let body = [&[2, 0x40].repeat(DEPTH)[..], &[0x0b].repeat(DEPTH)].concat();
    component_of(&[body])
}

/// Components in components, that many around an empty one.
#[must_use]
pub fn nested_components(depth: usize) -> Vec<u8> {
    let head = b"\0asm\x0d\0\x01\0";
    (0..depth).fold(head.to_vec(), |inner, _| [head, &section(4, &inner)[..]].concat())
}

/// A component of one core module that has these functions, of a parameter `i64` and no result: their
/// instructions, without the last `end`.
#[must_use]
pub fn component_of(bodies: &[Vec<u8>]) -> Vec<u8> {
    let function = |body: &Vec<u8>| [&leb(body.len() + 2)[..], &[0], body, &[0x0b]].concat();
    let codes: Vec<u8> = bodies.iter().flat_map(function).collect();
    let count = leb(bodies.len());
    let types = section(1, &[1, 0x60, 1, 0x7e, 0]);
    let functions = section(3, &[&count[..], &vec![0; bodies.len()]].concat());
    let code = section(10, &[&count[..], &codes].concat());
    let module = [b"\0asm\x01\0\0\0", &types[..], &functions, &code].concat();
    [b"\0asm\x0d\0\x01\0", &section(1, &module)[..]].concat()
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], &leb(content.len())[..], content].concat()
}

/// A number as WebAssembly writes it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
    bytes
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guests")
}
