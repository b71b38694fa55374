//! Encoded words (RFC 2047), for oracles that give header fields as they were sent.

/// Decodes the words of UTF-8, ASCII and ISO-8859-1; nothing if there is one of another charset.
#[must_use]
pub fn decode(field: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut rest = field;
    // Space between two encoded words is no part of the text.
    let mut behind_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, word) = rest.split_at(start);
        let Some((text, length)) = self::word(word)? else {
            decoded.push_str(before);
            decoded.push_str("=?");
            rest = &word[2..];
            behind_word = false;
            continue;
        };
        if !(behind_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        decoded.push_str(&text);
        rest = &word[length..];
        behind_word = true;
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// The text of the encoded word that `field` starts with, and the word's length; the inner nothing
/// if it is not a word, the outer one if its charset is not known here.
fn word(field: &str) -> Option<Option<(String, usize)>> {
    let mut parts = field[2..].splitn(4, '?');
    let (Some(charset), Some(encoding), Some(text), Some(end)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Some(None);
    };
    if !end.starts_with('=') || text.contains(' ') {
        return Some(None);
    }
    let bytes = match encoding {
        "B" | "b" => base64(text),
        "Q" | "q" => quoted(text),
        _ => return Some(None),
    };
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + text.len() + 2;
    let text = match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "us-ascii" => String::from_utf8(bytes).ok()?,
        "iso-8859-1" => bytes.into_iter().map(char::from).collect(),
        _ => return None,
    };
    Some(Some((text, length)))
}

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 & 0xffff | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff).to_le_bytes()[0]);
        }
    }
    bytes
}

fn quoted(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'_' => bytes.push(b' '),
            b'=' if behind.len() >= 2 => {
                let digits = String::from_utf8_lossy(&behind[..2]);
                bytes.extend(u8::from_str_radix(&digits, 16));
                rest = &behind[2..];
            }
            other => bytes.push(*other),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_several_kinds_are_decoded() {
        assert_eq!(decode("a  =?iso-8859-1?Q?=FC_?= b").as_deref(), Some("a  ü  b"));
        assert_eq!(decode("=?utf-8?B?w7w=?= \t =?UTF-8?q?=C3=BC?=").as_deref(), Some("üü"));
        assert_eq!(decode("1 =? 2").as_deref(), Some("1 =? 2"));
        assert_eq!(decode("=?gb2312?B?wO4=?="), None);
    }
}
