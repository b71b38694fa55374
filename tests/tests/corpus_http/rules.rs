//! Where we differ from the others, each with its reason.

use flowcell_tests::talk::Record;
use flowcell_tests::tally::Outcome;

/// Captures and fields that are wrong, and why.
pub(crate) const KNOWN: &[(&str, &str, &str)] = &[
    ("ah-ipcomp-http", "requests", IPCOMP),
    ("ah-ipcomp-http", "responses", IPCOMP),
    ("frag4-socks-http", "requests", SOCKS),
    ("frag4-socks-http", "responses", SOCKS),
];

const IPCOMP: &str = "packets that IPComp (RFC 3173) has compressed are not looked into";
const SOCKS: &str = "it is inside of SOCKS, which has no parser";

/// Compares targets: ours have no passwords.
pub(crate) fn target(ours: Option<&str>, theirs: Option<&str>) -> Outcome {
    let outcome = Outcome::of(&ours, &theirs);
    if ours.is_some_and(|ours| ours.contains("***")) {
        outcome.or("a password is shown as ***")
    } else {
        outcome
    }
}

/// A target without its percent-encoding.
pub(crate) fn unescaped(target: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = target.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match value {
            Some(value) if *first == b'%' => {
                bytes.push(value);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Compares versions: a request without one is of HTTP/0.9.
pub(crate) fn version(ours: Option<&str>, theirs: Option<&str>) -> Outcome {
    let outcome = Outcome::of(&ours, &theirs);
    if ours == Some("HTTP/0.9") && theirs == Some("") {
        outcome.or("tshark names no version where there is none")
    } else {
        outcome
    }
}

/// Whether a record has a response that is final.
pub(crate) fn has_response(told: &Record) -> bool {
    told.number("status_code").is_some()
}
