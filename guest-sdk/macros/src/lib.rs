//! The macros of `flowcell-sdk`. Their documentation is there.

mod attributes;
mod parser;
mod record;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, parse_macro_input};

/// Makes an `async fn(Flow) -> Result<()>` a parser.
///
/// | argument | meaning |
/// |---|---|
/// | `name = "…"` | the protocol: `[a-z][a-z0-9_-]*` of at most 32 bytes |
/// | `tcp = […]`, `udp = […]` | server ports that it is usually found at |
/// | `client = r"…"`, `server = r"…"` | how that side of a TCP flow begins, on any port; one or `[several]` |
/// | `udp_client = r"…"`, `udp_server = r"…"` | how a datagram of that side begins |
/// | `records = […]` | the types that it emits, in the order in which they are published |
/// | `expects = true` | it calls `Flow::expect` |
///
/// A pattern is a regular expression over bytes (`(?s-u)`), anchored at the first byte; `$` and `\b` are
/// refused. It has 512 bytes at most, and a parser 32 of them. The host tries a parser when one of its patterns matches, or for want of that by port; the
/// parser then says what it finds with `confirm` or `Error::decline`. The function's doc comment becomes
/// the parser's description, the crate's version its version.
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
/// on the struct or a field gives another name; a name is `[a-z][a-z0-9_]*`, of at most 64 bytes. What has
/// no doc comment is refused.
#[proc_macro_derive(Record, attributes(record))]
pub fn record(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    record::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
