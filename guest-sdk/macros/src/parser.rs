//! `#[parser]`.

use flowcell_contract::{MAX_PATTERNS, PARSER_NAME, check_pattern};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, ItemFn, LitBool, LitInt, LitStr, Result, Token, Type, bracketed};

use crate::attributes::doc;

pub(crate) struct Arguments {
    name: LitStr,
    tcp: Vec<LitInt>,
    udp: Vec<LitInt>,
    records: Vec<Type>,
    patterns: Vec<Pattern>,
    expects: bool,
}

/// One byte pattern: for which transport and side.
struct Pattern {
    transport: TokenStream,
    side: TokenStream,
    regex: LitStr,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut name = None;
        let (mut tcp, mut udp, mut records) = (Vec::new(), Vec::new(), Vec::new());
        let (mut patterns, mut expects) = (Vec::new(), false);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "name" => name = Some(input.parse::<LitStr>()?),
                "tcp" => tcp = ports(input)?,
                "udp" => udp = ports(input)?,
                "records" => records = list(input)?,
                "client" => patterns.extend(of_side(input, &key, quote!(Tcp), quote!(Client))?),
                "server" => patterns.extend(of_side(input, &key, quote!(Tcp), quote!(Server))?),
                "udp_client" => patterns.extend(of_side(input, &key, quote!(Udp), quote!(Client))?),
                "udp_server" => patterns.extend(of_side(input, &key, quote!(Udp), quote!(Server))?),
                "expects" => expects = input.parse::<LitBool>()?.value,
                _ => {
                    let known = "known: name, tcp, udp, client, server, udp_client, udp_server, \
                                 records, expects";
                    return Err(Error::new(key.span(), known));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let name = name.ok_or_else(|| input.error("a parser has a name: name = \"...\""))?;
        if !PARSER_NAME.fits(&name.value()) {
            return Err(Error::new(name.span(), format!("a name is {PARSER_NAME}")));
        }
        if let Some(Pattern { regex, .. }) = patterns.get(MAX_PATTERNS) {
            let error = format!("a parser has {MAX_PATTERNS} patterns at most");
            return Err(Error::new(regex.span(), error));
        }
        Ok(Self { name, tcp, udp, records, patterns, expects })
    }
}

fn list<T: Parse>(input: ParseStream<'_>) -> Result<Vec<T>> {
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// One pattern, or several in brackets.
fn of_side(
    input: ParseStream<'_>,
    key: &Ident,
    transport: TokenStream,
    side: TokenStream,
) -> Result<impl Iterator<Item = Pattern> + use<>> {
    let regexes: Vec<LitStr> = if input.peek(LitStr) { vec![input.parse()?] } else { list(input)? };
    for regex in &regexes {
        let text = regex.value();
        check_pattern(&text).map_err(|why| {
            Error::new(regex.span(), format!("pattern `{text}` of `{key}` {why}"))
        })?;
    }
    Ok(regexes.into_iter().map(move |regex| Pattern {
        transport: transport.clone(),
        side: side.clone(),
        regex,
    }))
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
    let Arguments { name, tcp, udp, records, patterns, expects } = arguments;
    let patterns = patterns.iter().map(|Pattern { transport, side, regex }| {
        quote! {
            ::flowcell_sdk::Pattern {
                transport: ::flowcell_sdk::Transport::#transport,
                side: ::flowcell_sdk::Side::#side,
                regex: #regex,
            }
        }
    });
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
            patterns: &[#(#patterns),*],
            expects: #expects,
            records: &[#(<#records as ::flowcell_sdk::Record>::SCHEMA),*],
            start: |flow| ::flowcell_sdk::running(#start(flow)),
        };

        #[cfg(target_arch = "wasm32")]
        ::flowcell_sdk::wasm::export_parser!(PARSER);
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::Arguments;

    fn refused(arguments: &str) -> String {
        parse_str::<Arguments>(arguments).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_pattern_that_is_none_is_named_with_its_argument() {
        assert_eq!(
            refused(r##"name = "a", client = ["^a", r"(zzz"]"##),
            "pattern `(zzz` of `client` is no regular expression: unclosed group"
        );
        assert!(
            refused(r##"name = "a", udp_server = "^a$""##).contains("`^a$` of `udp_server` asks")
        );
        assert_eq!(refused(r##"name = "a", client = ["^a", r"\x00b"], server = "^220""##), "");
    }

    #[test]
    fn a_parser_has_32_patterns_at_most() {
        let patterns = |count| vec!["\"^a\""; count].join(", ");
        let arguments =
            |count| format!("name = \"a\", client = [{}], server = \"b\"", patterns(count));
        assert_eq!(refused(&arguments(31)), "");
        assert_eq!(refused(&arguments(32)), "a parser has 32 patterns at most");
    }
}
