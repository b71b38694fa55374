//! What both macros read from attributes.

use flowcell_contract::NAME;
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
            if !NAME.fits(&literal.value()) {
                return Err(syn::Error::new(literal.span(), format!("a name is {NAME}")));
            }
            name = Some(literal.value());
            Ok(())
        })?;
    }
    Ok(name)
}
