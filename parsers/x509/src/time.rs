//! Times of certificates (RFC 5280 §4.1.2.5).

use crate::der::{Element, GENERALIZED_TIME, UTC_TIME};

/// A time as RFC 3339 writes it, in UTC and whole seconds. As text, because certificates that never expire
/// say 9999-12-31 (RFC 5280 §4.1.2.5), which is beyond what nanoseconds in 64 bits can count.
pub(crate) fn read(element: Element<'_>) -> Option<String> {
    let text = element.content;
    let (century, rest) = match element.tag {
        UTC_TIME => {
            // The year 50 is 1950, and 49 is 2049.
            let century = if *text.first()? >= b'5' { b"19" } else { b"20" };
            (&century[..], text)
        }
        GENERALIZED_TIME => text.split_at_checked(2)?,
        _ => return None,
    };
    let (digits, zone) = rest.split_at_checked(10)?;
    let (seconds, zone) = match zone.split_first() {
        Some((first, _)) if first.is_ascii_digit() => zone.split_at_checked(2)?,
        // Seconds may be left out in certificates that are older than the rule.
        _ => (&b"00"[..], zone),
    };
    if zone != b"Z" {
        return None;
    }
    let all = [century, digits, seconds].concat();
    if !all.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |at: usize| Some((all.get(at)? - b'0') * 10 + (all.get(at + 1)? - b'0'));
    let in_range = matches!(number(4)?, 1..=12)
        && matches!(number(6)?, 1..=31)
        && number(8)? <= 23
        && number(10)? <= 59
        && number(12)? <= 60;
    if !in_range {
        return None;
    }
    let mut time = String::with_capacity(20);
    for (at, digit) in all.iter().enumerate() {
        match at {
            4 | 6 => time.push('-'),
            8 => time.push('T'),
            10 | 12 => time.push(':'),
            _ => {}
        }
        time.push(char::from(*digit));
    }
    time.push('Z');
    Some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tag: u8, content: &[u8]) -> Option<String> {
        read(Element { tag, content, whole: content })
    }

    #[test]
    fn both_forms() {
        assert_eq!(at(UTC_TIME, b"110504000000Z").as_deref(), Some("2011-05-04T00:00:00Z"));
        assert_eq!(at(UTC_TIME, b"500101000000Z").as_deref(), Some("1950-01-01T00:00:00Z"));
        assert_eq!(at(UTC_TIME, b"491231235959Z").as_deref(), Some("2049-12-31T23:59:59Z"));
        assert_eq!(at(UTC_TIME, b"9901010000Z").as_deref(), Some("1999-01-01T00:00:00Z"));
        let never = at(GENERALIZED_TIME, b"99991231235959Z");
        assert_eq!(never.as_deref(), Some("9999-12-31T23:59:59Z"));
    }

    #[test]
    fn what_is_no_time() {
        for bad in [
            &b""[..],
            b"1",
            b"110504000000",
            b"110504000000+0100",
            b"111304000000Z",
            b"110500000000Z",
            b"1105040000x0Z",
            b"11050400000Z",
            b"\xff\xff0504000000Z",
        ] {
            assert_eq!(at(UTC_TIME, bad), None, "{bad:x?}");
        }
        assert_eq!(at(0x13, b"110504000000Z"), None);
    }
}
