//! The macros of `flowcell-sdk`. Their documentation is there.

mod attributes;
mod parser;
mod record;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, parse_macro_input};

/// Makes an `async fn(Flow) -> Result<()>` a parser.
///
/// `name` is the protocol (`[a-z][a-z0-9_-]*`), `tcp` and `udp` are the server ports whose flows it
/// wants, `records` lists the types that it emits, in the order in which they are published. The
/// function's doc comment becomes the parser's description, the crate's version its version.
///
/// Defines `PARSER`, and the component's exports when built for wasm.
#[proc_macro_attribute]
pub fn parser(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as parser::Arguments);
    let function = parse_macro_input!(item as ItemFn);
    parser::expand(&arguments, &function).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a struct with named fields a record, or an object in one.
///
/// The type's name in `snake_case` and the doc comments become the schema; `#[record(name = "...")]`
/// on the struct or a field gives another name.
#[proc_macro_derive(Record, attributes(record))]
pub fn record(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    record::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
