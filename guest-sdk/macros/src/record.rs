//! `#[derive(Record)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, Result};

use crate::attributes::{doc, name_of};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "a record is a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(&input.ident, "a record has named fields"));
    };
    let ident = &input.ident;
    let name = name_of(&input.attrs, ident, snake_case(&ident.unraw().to_string()))?;
    let mut undocumented = Undocumented(None);
    let doc_text = undocumented.doc(&input.attrs, ident, "record", &name);
    let count = fields.named.len();
    let mut described = Vec::new();
    let mut encoded = Vec::new();
    for field in &fields.named {
        let Some(field_ident) = &field.ident else {
            continue; // named fields have names
        };
        let name = name_of(&field.attrs, field_ident, field_ident.unraw().to_string())?;
        let doc_text = undocumented.doc(&field.attrs, field_ident, "field", &name);
        let ty = &field.ty;
        described.push(quote! {
            ::flowcell_sdk::Field {
                name: #name,
                doc: #doc_text,
                ty: <#ty as ::flowcell_sdk::Value>::TYPE,
            }
        });
        encoded.push(quote! { ::flowcell_sdk::Value::encode(&self.#field_ident, out); });
    }
    // It is a record all the same: nothing else is wrong wherever it is used.
    let errors = undocumented.0.map(Error::into_compile_error);
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #errors

        impl #impl_generics ::flowcell_sdk::Record for #ident #type_generics #where_clause {
            const SCHEMA: &'static ::flowcell_sdk::Schema = &::flowcell_sdk::Schema {
                name: #name,
                doc: #doc_text,
                fields: &[#(#described),*],
            };

            fn encode_fields(&self, out: &mut ::flowcell_sdk::Encoder<'_>) {
                out.array(#count);
                #(#encoded)*
            }
        }

        impl #impl_generics ::flowcell_sdk::Value for #ident #type_generics #where_clause {
            const TYPE: ::flowcell_sdk::FieldType =
                ::flowcell_sdk::object(<Self as ::flowcell_sdk::Record>::SCHEMA);

            fn encode(&self, out: &mut ::flowcell_sdk::Encoder<'_>) {
                ::flowcell_sdk::Record::encode_fields(self, out);
            }
        }

        impl #impl_generics ::flowcell_sdk::Element for #ident #type_generics #where_clause {}
    })
}

/// All that has no doc comment, as one error.
struct Undocumented(Option<Error>);

impl Undocumented {
    /// The doc comment of a record or field.
    fn doc(&mut self, attributes: &[Attribute], ident: &Ident, what: &str, name: &str) -> String {
        let text = doc(attributes);
        if text.is_empty() {
            let message =
                format!("{what} `{name}` has no doc comment: it is the published meaning");
            let error = Error::new(ident.span(), message);
            match &mut self.0 {
                Some(errors) => errors.combine(error),
                None => self.0 = Some(error),
            }
        }
        text
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    #[test]
    fn what_has_no_doc_comment_is_refused() {
        let expanded = |input| super::expand(&input).map(|tokens| tokens.to_string());
        let refused = expanded(parse_quote! {
            struct Login<'a> {
                user: Text<'a>,
                /// The other one.
                host: Text<'a>,
                #[doc = " "]
                #[record(name = "type")]
                kind: u8,
            }
        })
        .unwrap_or_default();
        for what in ["record `login`", "field `user`", "field `type`"] {
            let error = format!("{what} has no doc comment: it is the published meaning");
            assert!(refused.contains(&error), "{what}: {refused}");
        }
        assert_eq!(refused.matches("compile_error").count(), 3);
        let documented = expanded(parse_quote! {
            /// A login.
            struct Login {
                /// Who.
                user: String,
            }
        });
        assert!(documented.is_ok_and(|tokens| !tokens.contains("compile_error")));
    }

    #[test]
    fn what_the_host_would_not_call_a_name_is_refused() {
        let refused = |input| super::expand(&input).err().map(|error| error.to_string());
        for (input, name) in [
            (
                parse_quote!(
                    struct Früh {}
                ),
                "früh",
            ),
            (
                parse_quote!(
                    #[record(name = "log-in")]
                    struct Login {}
                ),
                "log-in",
            ),
            (
                parse_quote!(
                    struct Login {
                        _user: String,
                    }
                ),
                "_user",
            ),
        ] {
            let error =
                format!("`{name}` is no name, which is [a-z][a-z0-9_]* of at most 64 bytes");
            assert_eq!(refused(input), Some(error));
        }
        let renamed = parse_quote! {
            struct Login { #[record(name = "user")] _user: String, r#type: String }
        };
        assert_eq!(refused(renamed), None);
    }

    #[test]
    fn type_names_become_snake_case() {
        assert_eq!(super::snake_case("MailPart"), "mail_part");
        assert_eq!(super::snake_case("Mail"), "mail");
    }
}
