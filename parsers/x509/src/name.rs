//! Distinguished names as text (RFC 4514), with OpenSSL's names of attributes and its escapes, as Zeek
//! shows them.

use crate::MAX_NAME;
use crate::der::{Element, Elements, OBJECT_IDENTIFIER, SET};
use crate::oid;

/// Most relative names in a name. Real ones have ten or so.
const MAX_PARTS: usize = 64;

const BMP_STRING: u8 = 0x1e;
const UNIVERSAL_STRING: u8 = 0x1c;
const UTF8_STRING: u8 = 0x0c;

/// The text of a name, and whether it was cut. The last relative name comes first (RFC 4514 §2.1).
pub(crate) fn read(name: Elements<'_>) -> Option<(String, bool)> {
    let mut parts: Vec<Element<'_>> = Vec::new();
    let mut left = name;
    let mut cut = false;
    while !left.is_empty() {
        let part = left.expect(SET)?;
        if parts.len() < MAX_PARTS {
            parts.push(part);
        } else {
            cut = true;
        }
    }
    let mut text = String::new();
    for part in parts.iter().rev() {
        if !text.is_empty() {
            text.push(',');
        }
        relative(part.elements(), &mut text)?;
        if text.len() > MAX_NAME {
            text.truncate(MAX_NAME); // all of it is ASCII
            return Some((text, true));
        }
    }
    Some((text, cut))
}

/// RFC 4514 §2.2: the attributes of a relative name are joined by `+`.
fn relative(mut attributes: Elements<'_>, text: &mut String) -> Option<()> {
    let mut first = true;
    while !attributes.is_empty() && text.len() <= MAX_NAME {
        let mut attribute = attributes.sequence()?;
        let kind = attribute.expect(OBJECT_IDENTIFIER)?.content;
        let value = attribute.next()?;
        if !std::mem::take(&mut first) {
            text.push('+');
        }
        match oid::attribute(kind) {
            Some(known) => {
                text.push_str(known);
                text.push('=');
                append(value, text);
            }
            None => {
                text.push_str(&oid::dotted(kind));
                text.push('=');
                append_hex(value, text);
            }
        }
    }
    Some(())
}

/// RFC 4514 §2.4: a value as a string, if it is one.
fn append(value: Element<'_>, text: &mut String) {
    let content = value.content;
    let Some(characters) = characters(value.tag, content) else {
        return append_hex(value, text);
    };
    let count = characters.clone().count();
    for (at, c) in characters.enumerate() {
        if text.len() > MAX_NAME {
            return;
        }
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => {
                text.push('\\');
                text.push(c);
            }
            '#' | ' ' if at == 0 => {
                text.push('\\');
                text.push(c);
            }
            ' ' if at + 1 == count => text.push_str("\\ "),
            ' '..='~' => text.push(c),
            _ => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    text.push('\\');
                    push_hex(byte, text);
                }
            }
        }
    }
}

/// The characters of a string type. `None` for what is no string.
fn characters(tag: u8, content: &[u8]) -> Option<Characters<'_>> {
    let width = match tag {
        UTF8_STRING => {
            return std::str::from_utf8(content).ok().map(|text| Characters::Utf8(text.chars()));
        }
        // Numeric, printable, teletex (taken for Latin-1, as everybody does), videotex, IA5, visible.
        0x12..=0x16 | 0x1a => 1,
        BMP_STRING => 2,
        UNIVERSAL_STRING => 4,
        _ => return None,
    };
    content.len().is_multiple_of(width).then_some(Characters::Fixed { content, width })
}

#[derive(Debug, Clone)]
enum Characters<'a> {
    Utf8(std::str::Chars<'a>),
    Fixed { content: &'a [u8], width: usize },
}

impl Iterator for Characters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::Utf8(chars) => chars.next(),
            Self::Fixed { content, width } => {
                let (bytes, rest) = content.split_at_checked(*width)?;
                if bytes.is_empty() {
                    return None;
                }
                *content = rest;
                let code = bytes.iter().fold(0, |code: u32, byte| code << 8 | u32::from(*byte));
                Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
        }
    }
}

/// RFC 4514 §2.4: `#` and the DER of the value.
fn append_hex(value: Element<'_>, text: &mut String) {
    text.push('#');
    for byte in value.whole {
        if text.len() > MAX_NAME {
            return;
        }
        push_hex(*byte, text);
    }
}

pub(crate) fn push_hex(byte: u8, text: &mut String) {
    for value in [byte >> 4, byte & 15] {
        text.push(char::from(value + if value < 10 { b'0' } else { b'A' - 10 }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("short");
        [&[tag, 0x81, length], content].concat()
    }

    fn attribute(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        element(0x30, &[element(6, kind), element(tag, value)].concat())
    }

    fn shown(parts: &[Vec<u8>]) -> Option<(String, bool)> {
        let der: Vec<u8> = parts.iter().flat_map(|part| element(SET, part)).collect();
        read(Elements::new(&der))
    }

    const CN: &[u8] = b"\x55\x04\x03";
    const O: &[u8] = b"\x55\x04\x0a";

    #[test]
    fn the_last_part_comes_first() {
        let parts = [attribute(O, 0x13, b"Example"), attribute(CN, 0x0c, b"example.org")];
        assert_eq!(shown(&parts), Some(("CN=example.org,O=Example".into(), false)));
        let joined = [attribute(O, 0x13, b"a"), attribute(CN, 0x13, b"b")].concat();
        assert_eq!(shown(&[joined]), Some(("O=a+CN=b".into(), false)));
        assert_eq!(shown(&[]), Some((String::new(), false)));
    }

    #[test]
    fn escapes() {
        let text = |tag, value: &[u8]| shown(&[attribute(CN, tag, value)]).expect("name").0;
        assert_eq!(text(0x0c, b"a,b+c\"d\\e<f>g;h"), "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h");
        assert_eq!(text(0x13, b" #x # "), "CN=\\ #x #\\ ");
        assert_eq!(text(0x13, b"#x"), "CN=\\#x");
        assert_eq!(text(0x13, b" "), "CN=\\ ");
        assert_eq!(text(0x0c, "M\u{fc}n\n\0".as_bytes()), "CN=M\\C3\\BCn\\0A\\00");
        assert_eq!(text(0x14, b"M\xfcn"), "CN=M\\C3\\BCn");
        assert_eq!(text(BMP_STRING, b"\0M\0\xfc\x26\x3a"), "CN=M\\C3\\BC\\E2\\98\\BA");
        assert_eq!(text(UNIVERSAL_STRING, b"\0\x01\xf6\x00"), "CN=\\F0\\9F\\98\\80");
        assert_eq!(text(BMP_STRING, b"\xd8\x00"), "CN=\\EF\\BF\\BD");
    }

    #[test]
    fn what_is_no_string_is_shown_as_der() {
        let name = |tag, value: &[u8]| shown(&[attribute(CN, tag, value)]).expect("name").0;
        assert_eq!(name(0x02, b"\x05"), "CN=#02810105");
        assert_eq!(name(0x0c, b"\xff"), "CN=#0C8101FF");
        assert_eq!(name(BMP_STRING, b"abc"), "CN=#1E8103616263");
        let unknown = shown(&[attribute(b"\x2a\x03", 0x13, b"x")]);
        assert_eq!(unknown, Some(("1.2.3=#13810178".into(), false)));
    }

    #[test]
    fn too_much_is_cut() {
        let parts: Vec<Vec<u8>> = (0..60).map(|_| attribute(CN, 0x0c, &[b'x'; 100])).collect();
        let (text, cut) = shown(&parts).expect("name");
        assert_eq!((text.len(), cut), (MAX_NAME, true));
        let parts: Vec<Vec<u8>> = (0..100).map(|_| attribute(CN, 0x0c, b"x")).collect();
        let (text, cut) = shown(&parts).expect("name");
        assert_eq!((text.matches("CN=x").count(), cut), (MAX_PARTS, true));
    }

    #[test]
    fn what_is_no_name() {
        assert_eq!(read(Elements::new(b"\x30\x00")), None);
        assert_eq!(read(Elements::new(b"\x31\x02\x30\x00")), None);
        assert_eq!(read(Elements::new(b"\x31\x05\x30\x00")), None);
    }
}
