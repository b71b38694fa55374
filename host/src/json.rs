//! How single values look in the output. A leaf: it knows of nothing else.

use std::time::{Duration, UNIX_EPOCH};

/// RFC 3339 in UTC; `nanos` since the Unix epoch, written with 6 or 9 `digits` behind the second.
#[must_use]
pub fn timestamp(nanos: u64, digits: usize) -> String {
    // 2^64 ns end in the year 2554, which RFC 3339 can write.
    let time = UNIX_EPOCH + Duration::from_nanos(nanos);
    if digits > 6 {
        humantime::format_rfc3339_nanos(time).to_string()
    } else {
        humantime::format_rfc3339_micros(time).to_string()
    }
}

/// A JSON string with its quotes (RFC 8259 §7).
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f | 0x7f => b"\\u00",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        out.extend_from_slice(escape);
        if escape.len() == 4 {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
        plain = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_read_back_as_they_were() {
        let all: String = (0..0x180).filter_map(char::from_u32).collect();
        let mut out = Vec::new();
        string(&mut out, &all);
        assert!(out.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f), "control bytes are escaped");
        assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), all);
    }

    #[test]
    fn times_have_the_digits_asked_for() {
        let nanos = 1_254_722_767_492_060_789;
        assert_eq!(timestamp(nanos, 6), "2009-10-05T06:06:07.492060Z");
        assert_eq!(timestamp(nanos, 9), "2009-10-05T06:06:07.492060789Z");
        assert_eq!(timestamp(0, 6), "1970-01-01T00:00:00.000000Z");
        assert!(timestamp(u64::MAX, 9).starts_with("2554-"));
    }
}
