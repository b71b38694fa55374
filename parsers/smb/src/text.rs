//! Text of the wire as the records show it.

/// Longest path that is kept, in bytes of UTF-8: the longest of Windows is 260 characters, in any
/// script at most 780 bytes.
pub(crate) const PATH_MAX: usize = 1_024;

/// Longest name of a user, a host or the like that is kept, in bytes.
pub(crate) const NAME_MAX: usize = 256;

/// A text of the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: Vec<u8>,
    /// It was longer.
    pub(crate) cut: bool,
}

impl Name {
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Without NULs at its end.
    fn new(mut text: Vec<u8>, cut: bool) -> Self {
        while text.last() == Some(&0) {
            text.pop();
        }
        Self { text, cut }
    }
}

/// UTF-16 of the wire as UTF-8, at most `max` bytes, cut between characters. What is no character, half
/// of a surrogate pair, becomes the three bytes that UTF-8 would have for it: the record then shows it
/// escaped, and nothing is lost. An odd last byte is left out.
pub(crate) fn utf16(bytes: &[u8], max: usize) -> Name {
    let mut text = Vec::with_capacity(max.min(bytes.len()) / 2);
    let mut cut = false;
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    for unit in char::decode_utf16(units) {
        let start = text.len();
        match unit {
            Ok(character) => push_char(&mut text, character),
            Err(stray) => {
                let unit = stray.unpaired_surrogate();
                text.extend_from_slice(&[0xed, bits(unit >> 6), bits(unit)]);
            }
        }
        if text.len() > max {
            text.truncate(start);
            cut = true;
            break;
        }
    }
    Name::new(text, cut)
}

/// The lowest six bits as a byte that continues a character.
fn bits(unit: u16) -> u8 {
    let [_, low] = unit.to_be_bytes();
    0x80 | (low & 0x3f)
}

fn push_char(text: &mut Vec<u8>, character: char) {
    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Text in a code page that nobody names: as it is, at most `max` bytes.
pub(crate) fn oem(bytes: &[u8], max: usize) -> Name {
    Name::new(bytes.get(..max).unwrap_or(bytes).to_vec(), bytes.len() > max)
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends two hexadecimal digits.
fn push_hex(text: &mut Vec<u8>, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        text.extend(DIGITS.get(usize::from(digit)));
    }
}

/// `0x` and all hexadecimal digits of a big-endian number.
pub(crate) fn hex_number(bytes: &[u8]) -> Vec<u8> {
    let mut text = b"0x".to_vec();
    for byte in bytes {
        push_hex(&mut text, *byte);
    }
    text
}

/// A GUID (MS-DTYP §2.3.4.2): the first three fields are little-endian.
pub(crate) fn guid(bytes: &[u8; 16]) -> Vec<u8> {
    const ORDER: [u8; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = Vec::with_capacity(36);
    for (place, from) in ORDER.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push(b'-');
        }
        push_hex(&mut text, bytes.get(usize::from(*from)).copied().unwrap_or(0));
    }
    text
}

/// Appends a number in decimal digits.
pub(crate) fn push_number(text: &mut Vec<u8>, number: u32) {
    let mut digits = [0; 10];
    let (mut left, mut count) = (number, 0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        count += 1;
        if left == 0 {
            break;
        }
    }
    text.extend(digits.iter().skip(digits.len() - count));
}

/// The bytes that a text takes in the host's output, or more.
pub(crate) fn weight(text: &[u8]) -> usize {
    let stray = std::str::from_utf8(text).is_err();
    let weights = text.iter().map(|byte| match byte {
        ..=0x1f | 0x7f => 6,  // \u0001
        b'"' | b'\\' => 4,    // \\\\ where others are escaped
        0x80.. if stray => 5, // \\xed
        _ => 1,
    });
    weights.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(units: &[u16]) -> Vec<u8> {
        units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
    }

    #[test]
    fn characters_of_all_lengths() {
        let text = "aö☃😀";
        let units: Vec<u16> = text.encode_utf16().collect();
        assert_eq!(utf16(&wide(&units), 99).text, text.as_bytes());
        assert_eq!(utf16(&wide(&[0x61, 0, 0]), 99).text, b"a");
        assert_eq!(utf16(b"a\0b", 99).text, b"a");
    }

    #[test]
    fn halves_of_pairs_are_kept_as_bytes() {
        assert_eq!(utf16(&wide(&[0xd83d, 0x61]), 99).text, b"\xed\xa0\xbda");
        assert_eq!(utf16(&wide(&[0x61, 0xde00]), 99).text, b"a\xed\xb8\x80");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let name = utf16(&wide(&[0x2603; 400]), PATH_MAX);
        assert_eq!((name.text.len(), name.cut), (1_023, true));
        let name = utf16(&wide(&[0x61; 256]), NAME_MAX);
        assert_eq!((name.text.len(), name.cut), (256, false));
        assert_eq!(oem(b"abc", 2), Name { text: b"ab".into(), cut: true });
    }

    #[test]
    fn numbers_and_guids() {
        assert_eq!(hex_number(&[0x01, 0xaf]), b"0x01af");
        let mut text = Vec::new();
        push_number(&mut text, 4_294_967_295);
        push_number(&mut text, 0);
        assert_eq!(text, b"42949672950");
        let bytes = *b"\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
        assert_eq!(guid(&bytes), b"00112233-4455-6677-8899-aabbccddeeff");
    }

    #[test]
    fn no_output_is_longer_than_its_weight() {
        for text in [&b"a\\\"\x01\x7f"[..], "ö\\".as_bytes(), b"\xed\xa0\x80\\a"] {
            let shown: usize = match std::str::from_utf8(text) {
                Ok(text) => serde_json::to_string(text).map_or(0, |json| json.len() - 2),
                Err(_) => {
                    let escaped = text.iter().map(|byte| match byte {
                        b'\\' => 4,
                        0x80.. => 5,
                        _ => 1,
                    });
                    escaped.sum()
                }
            };
            assert!(shown <= weight(text), "{shown} of {text:?}");
        }
    }
}
