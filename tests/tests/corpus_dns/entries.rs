//! Resource records, in a form that both sides can be brought into.

use serde_json::Value;

/// Types by number and name, those that the captures have.
const TYPES: [(&str, &str); 18] = [
    ("1", "A"),
    ("2", "NS"),
    ("5", "CNAME"),
    ("6", "SOA"),
    ("12", "PTR"),
    ("15", "MX"),
    ("16", "TXT"),
    ("28", "AAAA"),
    ("33", "SRV"),
    ("35", "NAPTR"),
    ("38", "A6"),
    ("43", "DS"),
    ("46", "RRSIG"),
    ("47", "NSEC"),
    ("48", "DNSKEY"),
    ("50", "NSEC3"),
    ("250", "TSIG"),
    ("255", "ANY"),
];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A resource record, so far as it is compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) ttl: String,
    pub(crate) kind: String,
    /// The data's words.
    pub(crate) words: Vec<String>,
}

impl Entry {
    /// Reads `name TTL class type data`.
    pub(crate) fn of_line(line: &str) -> Self {
        let mut parts = line.splitn(5, ' ').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (name, ttl, _class, kind, data) = (next(), next(), next(), next(), next());
        Self { name: unescaped(&name), ttl, words: words(&kind, &data), kind }
    }

    /// An answer of ours.
    pub(crate) fn of_answer(name: &str, ttl: String, kind: &str, data: &str) -> Self {
        Self { name: unescaped(name), ttl, kind: kind.to_owned(), words: words(kind, data) }
    }

    /// A record as tshark tells it; it takes the name of a SRV record apart.
    pub(crate) fn of_tshark(theirs: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields: Vec<_> = theirs["rdata"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|field| (text(&field[0]), text(&field[1])))
            .collect();
        let kind = kind(theirs["type"].as_str().unwrap_or_default());
        let service: Vec<_> = ["dns.srv.service", "dns.srv.proto", "dns.srv.name"]
            .iter()
            .filter_map(|name| Some(fields.iter().find(|(field, _)| field == name)?.1.as_str()))
            .collect();
        let name = match theirs["name"].as_str() {
            Some(name) => self::name(name),
            None => service.join("."),
        };
        let shown = fields.iter().filter(|(field, _)| is_data(field));
        let words = shown.map(|(field, value)| word(field, value)).collect();
        Self { name, ttl: text(&theirs["ttl"]), kind, words }
    }

    /// Whether the data is the same, so far as the other tells it in words.
    pub(crate) fn has_data_of(&self, theirs: &Self) -> bool {
        match self.kind.as_str() {
            "A" | "AAAA" | "NS" | "CNAME" | "PTR" | "MX" | "SOA" | "TXT" | "SRV" | "NAPTR" => {
                self.words == theirs.words
            }
            // Keys, signatures and lists of types come last, and in other notations.
            _ => self.words.starts_with(&theirs.words),
        }
    }
}

/// A number of tshark's in hexadecimal.
pub(crate) fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// A type's name.
pub(crate) fn kind(number: &str) -> String {
    let found = TYPES.iter().find(|(of, _)| *of == number);
    found.map_or_else(|| format!("TYPE{number}"), |(_, name)| (*name).to_owned())
}

/// A name of tshark's, which has a sign for the root, and the escapes of C.
pub(crate) fn name(name: &str) -> String {
    if name == "<Root>" {
        return String::from(".");
    }
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let digits = behind.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let octal = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (first, octal, behind.first()) {
            (b'\\', Some(value), _) => {
                bytes.push(value);
                rest = &behind[3..];
            }
            (b'\\', None, Some(letter)) => {
                let letters = [
                    (b'a', 7),
                    (b'b', 8),
                    (b't', 9),
                    (b'n', 10),
                    (b'v', 11),
                    (b'f', 12),
                    (b'r', 13),
                ];
                let found = letters.iter().find(|(of, _)| of == letter);
                bytes.push(found.map_or(*letter, |(_, value)| *value));
                rest = &behind[1..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Our data's words; strings are without quotes and escapes.
fn words(kind: &str, data: &str) -> Vec<String> {
    if matches!(kind, "TXT" | "NAPTR") && data.contains('"') {
        let mut words = vec![String::new()];
        let (mut quoted, mut chars) = (false, data.chars());
        while let Some(next) = chars.next() {
            let last = words.last_mut();
            match (next, last) {
                ('"', _) => quoted = !quoted,
                (' ', _) if !quoted => words.push(String::new()),
                ('\\', Some(last)) => {
                    last.push(next);
                    last.extend(chars.next());
                }
                (_, Some(last)) => last.push(next),
                (_, None) => {}
            }
        }
        return words.iter().map(|word| unescaped(word)).collect();
    }
    data.split(' ').map(unescaped).collect()
}

/// A text without the escapes of RFC 1035 §5.1.
pub(crate) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let digits = behind.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (digits.and_then(|digits| digits.parse::<u8>().ok()), behind.split_first()) {
            (Some(value), _) => {
                bytes.push(value);
                rest = &behind[3..];
            }
            (None, Some((escaped, behind))) => {
                bytes.push(*escaped);
                rest = behind;
            }
            (None, None) => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a field of tshark's is one of the data's own, and not a part or a length of another.
fn is_data(field: &str) -> bool {
    const LEFT_OUT: [&str; 15] = [
        "dns.srv.service",
        "dns.srv.proto",
        "dns.srv.name",
        "dns.rrsig.signature",
        "dns.dnskey.key_id",
        "dns.dnskey.public_key",
        "dns.ds.digest",
        "dns.nsec3.flags.opt_out",
        "dns.nsec3.salt_length",
        "dns.nsec3.salt_value",
        "dns.nsec3.hash_length",
        "dns.nsec3.hash_value",
        "dns.rr.type",
        "dns.dnskey.flags.reserved",
        "dns.tsig.algorithm_name",
    ];
    !LEFT_OUT.contains(&field)
        && !field.ends_with("_length")
        && !field.starts_with("dns.tsig.")
        && !field.starts_with("dns.dnskey.flags.")
}

/// A field of tshark's as a word of ours.
fn word(field: &str, value: &str) -> String {
    match field {
        "dns.rrsig.type_covered" => kind(value),
        "dns.rrsig.signature_expiration" | "dns.rrsig.signature_inception" => {
            time(value).unwrap_or_else(|| value.to_owned())
        }
        "dns.dnskey.flags" | "dns.ds.key_id" => {
            number(value).map_or_else(|| value.into(), |value| value.to_string())
        }
        _ => name(value),
    }
}

/// Turns `Jun  4, 2016 17:35:40.000000000 UTC` into `20160604173540`.
fn time(text: &str) -> Option<String> {
    let mut parts = text.split_ascii_whitespace();
    let (month, day) = (parts.next()?, parts.next()?.trim_end_matches(','));
    let (year, clock) = (parts.next()?, parts.next()?.get(..8)?.replace(':', ""));
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Some(format!("{year}{month:02}{day:0>2}{clock}"))
}
