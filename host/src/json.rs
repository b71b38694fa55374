//! How single values look in the output. A leaf: it knows of nothing else.
//!
//! What is here is done for every field of every record, so it writes behind what is there already.

use std::io::Write as _;
use std::time::{Duration, UNIX_EPOCH};

/// RFC 3339 in UTC; `nanos` since the Unix epoch, written with 6 or 9 `digits` behind the second.
#[must_use]
pub fn timestamp(nanos: u64, digits: usize) -> String {
    let mut out = Vec::new();
    push_timestamp(&mut out, nanos, digits);
    // It is of ASCII.
    String::from_utf8(out).unwrap_or_default()
}

/// Appends what [`timestamp`] returns.
pub fn push_timestamp(out: &mut Vec<u8>, nanos: u64, digits: usize) {
    // 2^64 ns end in the year 2554, which RFC 3339 can write.
    let time = UNIX_EPOCH + Duration::from_nanos(nanos);
    let text = if digits > 6 {
        humantime::format_rfc3339_nanos(time)
    } else {
        humantime::format_rfc3339_micros(time)
    };
    // Writing to memory can not fail.
    let _ = write!(out, "{text}");
}

/// A JSON string with its quotes (RFC 8259 §7).
pub fn string(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let (plain, other) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let Some((byte, behind)) = other.split_first() else { break };
        push_escape(out, *byte);
        rest = behind;
    }
    out.push(b'"');
}

/// How many bytes there are before the first that has to be escaped.
fn plain_length(bytes: &[u8]) -> usize {
    // All of a chunk are looked at, also behind one that is found: that makes vector instructions.
    let (chunks, _) = bytes.as_chunks::<16>();
    let plain = |chunk: &&[u8; 16]| !chunk.iter().fold(false, |any, byte| any | is_escaped(*byte));
    let start = 16 * chunks.iter().take_while(plain).count();
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| ESCAPED[usize::from(*byte)]).unwrap_or(rest.len())
}

/// [`is_escaped`] of every byte: for one alone it is quicker to look it up.
static ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    loop {
        table[byte as usize] = is_escaped(byte);
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

const fn is_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\') | (byte == 0x7f)
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        b'"' | b'\\' => byte,
        _ => {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&digits);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        string(&mut out, text);
        out
    }

    #[test]
    fn strings_read_back_as_they_were() {
        let all: String = (0..0x180).filter_map(char::from_u32).collect();
        let out = quoted(&all);
        assert!(out.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f), "control bytes are escaped");
        assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), all);
    }

    #[test]
    fn each_byte_has_its_form() {
        for (text, wanted) in [
            ("\"", r#""\"""#),
            ("\\", r#""\\""#),
            ("\n\r\t", r#""\n\r\t""#),
            ("\0\x08\x1f\x7f", r#""\u0000\u0008\u001f\u007f""#),
            (" !/~\u{80}\u{ff}\u{10ffff}", "\" !/~\u{80}\u{ff}\u{10ffff}\""),
        ] {
            assert_eq!(String::from_utf8_lossy(&quoted(text)), wanted);
        }
    }

    // What is around the chunks that are looked at as one.
    #[test]
    fn escapes_are_found_at_every_place_of_every_length() {
        for length in 0..70 {
            let plain = "a".repeat(length);
            assert_eq!(quoted(&plain), format!("\"{plain}\"").into_bytes());
            for at in 0..length {
                for next in at..length {
                    let mut text = plain.clone().into_bytes();
                    (text[at], text[next]) = (b'\n', b'"');
                    let text = String::from_utf8(text).expect("ASCII");
                    let wanted = text.replace('"', "\\\"").replace('\n', "\\n");
                    assert_eq!(quoted(&text), format!("\"{wanted}\"").into_bytes());
                }
            }
        }
    }

    #[test]
    fn times_have_the_digits_asked_for() {
        let nanos = 1_254_722_767_492_060_789;
        assert_eq!(timestamp(nanos, 6), "2009-10-05T06:06:07.492060Z");
        assert_eq!(timestamp(nanos, 9), "2009-10-05T06:06:07.492060789Z");
        assert_eq!(timestamp(0, 6), "1970-01-01T00:00:00.000000Z");
        assert_eq!(timestamp(u64::MAX, 9), "2554-07-21T23:34:33.709551615Z");
    }
}
