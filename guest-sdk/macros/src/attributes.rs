//! What both macros read from attributes.

use flowcell_contract::NAME;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta};

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

/// The name of a record or field: that of `#[record(name = "...")]`, or else its `own`.
pub(crate) fn name_of(attributes: &[Attribute], ident: &Ident, own: String) -> syn::Result<String> {
    let (mut name, mut span) = (own, ident.span());
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("record")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("only `name = \"...\"` is known here"));
            }
            let literal: LitStr = meta.value()?.parse()?;
            (name, span) = (literal.value(), literal.span());
            Ok(())
        })?;
    }
    if !NAME.fits(&name) {
        return Err(syn::Error::new(span, format!("`{name}` is no name, which is {NAME}")));
    }
    Ok(name)
}
