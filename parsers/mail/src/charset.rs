//! Text in a named character set, made UTF-8.

use super::charsets::{TABLES, Table};

/// Longest name of a character set that is looked up, in bytes; the longest known has 11.
const NAME_MAX: usize = 32;

/// What a name of a character set stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Charset {
    /// UTF-8 and its subset US-ASCII: the bytes are left as they are, whether valid or not.
    Utf8,
    /// The code points are the bytes.
    Latin1,
    /// The code points of the bytes from 0x80.
    Table(&'static Table),
}

/// The names of those that need no table.
static PLAIN: [(&str, Charset); 5] = [
    ("utf8", Charset::Utf8),
    ("usascii", Charset::Utf8),
    ("ascii", Charset::Utf8),
    ("iso88591", Charset::Latin1),
    ("latin1", Charset::Latin1),
];

impl Charset {
    /// Looks up a name, in any case and with or without its punctuation.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        let mut plain = [0; NAME_MAX];
        let mut length = 0;
        for byte in name.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
            *plain.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        let name = &plain[..length];
        if let Some((_, charset)) = PLAIN.iter().find(|(known, _)| known.as_bytes() == name) {
            return Some(*charset);
        }
        // "cp1252", "windows-1252" and "iso-8859-8-i" (RFC 1556: the order of display differs).
        let (prefix, rest): (&[u8], &[u8]) = match name.strip_prefix(b"cp") {
            Some(number) => (b"windows", number),
            None => (b"", name.strip_suffix(b"i").unwrap_or(name)),
        };
        let is_named = |known: &str| known.as_bytes().strip_prefix(prefix) == Some(rest);
        TABLES.iter().find(|table| is_named(table.name)).map(|table| Self::Table(table))
    }

    /// Appends `bytes` as UTF-8.
    pub(crate) fn decode(self, bytes: &[u8], out: &mut Vec<u8>) {
        if matches!(self, Self::Utf8) {
            out.extend_from_slice(bytes);
            return;
        }
        for &byte in bytes {
            let point = match self {
                Self::Table(table) if byte >= 0x80 => table.point(byte),
                _ => u16::from(byte),
            };
            let character = char::from_u32(u32::from(point)).unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Charset;

    fn decoded(name: &str, bytes: &[u8]) -> Option<String> {
        let mut out = Vec::new();
        Charset::named(name.as_bytes())?.decode(bytes, &mut out);
        Some(String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn known_names_decode() {
        assert_eq!(decoded("ISO-8859-1", b"f\xfcr").as_deref(), Some("für"));
        assert_eq!(decoded("iso_8859-15", b"\xa4").as_deref(), Some("€"));
        assert_eq!(decoded("Windows-1252", b"\x80\x81").as_deref(), Some("€\u{fffd}"));
        assert_eq!(decoded("cp1251", b"\xcf\xf0").as_deref(), Some("Пр"));
        assert_eq!(decoded("KOI8-R", b"\xf0\xd2").as_deref(), Some("Пр"));
        assert_eq!(decoded("iso-8859-8-i", b"\xf9").as_deref(), Some("ש"));
        assert_eq!(decoded("us-ascii", b"abc").as_deref(), Some("abc"));
    }

    #[test]
    fn unknown_names_do_not() {
        assert!(decoded("gb2312", b"\xd6\xd0").is_none());
        assert!(decoded("", b"a").is_none());
        assert!(decoded("cp", b"a").is_none());
        assert!(decoded("a-name-that-is-longer-than-any-that-is-known", b"a").is_none());
    }
}
