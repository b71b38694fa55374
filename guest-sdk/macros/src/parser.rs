//! `#[parser]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, ItemFn, LitInt, LitStr, Result, Token, Type, bracketed};

use crate::attributes::doc;

pub(crate) struct Arguments {
    name: LitStr,
    tcp: Vec<LitInt>,
    udp: Vec<LitInt>,
    records: Vec<Type>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut name = None;
        let (mut tcp, mut udp, mut records) = (Vec::new(), Vec::new(), Vec::new());
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "name" => name = Some(input.parse::<LitStr>()?),
                "tcp" => tcp = ports(input)?,
                "udp" => udp = ports(input)?,
                "records" => records = list(input)?,
                _ => return Err(Error::new(key.span(), "known: name, tcp, udp, records")),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let name = name.ok_or_else(|| input.error("a parser has a name: name = \"...\""))?;
        let text = name.value();
        let is_name = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c))
            && text.len() <= 32;
        if !is_name {
            return Err(Error::new(name.span(), "a name is [a-z][a-z0-9_-]*, at most 32 bytes"));
        }
        Ok(Self { name, tcp, udp, records })
    }
}

fn list<T: Parse>(input: ParseStream<'_>) -> Result<Vec<T>> {
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

fn ports(input: ParseStream<'_>) -> Result<Vec<LitInt>> {
    let ports: Vec<LitInt> = list(input)?;
    for port in &ports {
        if port.base10_parse::<u16>()? == 0 {
            return Err(Error::new(port.span(), "a port is 1 to 65535"));
        }
    }
    Ok(ports)
}

pub(crate) fn expand(arguments: &Arguments, function: &ItemFn) -> Result<TokenStream> {
    let signature = &function.sig;
    if signature.asyncness.is_none() || signature.inputs.len() != 1 {
        let wanted = "a parser is `async fn NAME(flow: Flow) -> Result<()>`";
        return Err(Error::new_spanned(signature, wanted));
    }
    let Arguments { name, tcp, udp, records } = arguments;
    let start = &signature.ident;
    let doc_text = doc(&function.attrs);
    let parser_doc = format!("What `#[parser]` made of [`{start}`].");
    Ok(quote! {
        #function

        #[doc = #parser_doc]
        #[allow(elided_lifetimes_in_paths, reason = "records are listed by name alone")]
        pub static PARSER: ::flowcell_sdk::ParserDef = ::flowcell_sdk::ParserDef {
            name: #name,
            version: ::core::env!("CARGO_PKG_VERSION"),
            doc: #doc_text,
            tcp_ports: &[#(#tcp),*],
            udp_ports: &[#(#udp),*],
            records: &[#(<#records as ::flowcell_sdk::Record>::SCHEMA),*],
            start: |flow| ::flowcell_sdk::running(#start(flow)),
        };

        #[cfg(target_arch = "wasm32")]
        ::flowcell_sdk::wasm::export_parser!(PARSER);
    })
}
