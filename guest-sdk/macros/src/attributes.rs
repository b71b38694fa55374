//! What both macros read from attributes.

use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta};

/// The doc comment, its lines joined.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The value of `#[record(name = "...")]`.
pub(crate) fn given_name(attributes: &[Attribute]) -> syn::Result<Option<String>> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("record")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("only `name = \"...\"` is known here"));
            }
            let literal: LitStr = meta.value()?.parse()?;
            if !is_name(&literal.value()) {
                return Err(syn::Error::new(literal.span(), "a name is [a-z][a-z0-9_]*"));
            }
            name = Some(literal.value());
            Ok(())
        })?;
    }
    Ok(name)
}

/// `[a-z][a-z0-9_]*`, as the contract demands of records and fields.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
