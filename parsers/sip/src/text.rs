//! Small things done with text from the wire.

use std::borrow::Cow;

use flowcell_sdk::{MASK, Secrets};

/// Without spaces, tabs and line ends around.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

pub(crate) fn shortened(text: &[u8], limit: usize) -> Vec<u8> {
    text.get(..limit).unwrap_or(text).to_vec()
}

/// A number in decimal digits only.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(*digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Splits behind the first word.
pub(crate) fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, trim(rest))
}

/// Where the first of `wanted` stands outside of quotation marks and angle brackets.
pub(crate) fn find_bare(text: &[u8], wanted: u8) -> Option<usize> {
    let (mut quoted, mut escaped, mut enclosed) = (false, false, false);
    text.iter().position(|byte| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match byte {
            b'\\' if quoted => escaped = true,
            b'"' if !enclosed => quoted = !quoted,
            b'<' if !quoted => enclosed = true,
            b'>' if !quoted => enclosed = false,
            byte => return *byte == wanted && !quoted && !enclosed,
        }
        false
    })
}

/// The text before the parameter of that name (RFC 3261 §25.1: `;name=value`).
pub(crate) fn before_parameter<'a>(text: &'a [u8], name: &[u8]) -> &'a [u8] {
    let mut at = 0;
    while let Some(rest) = text.get(at..)
        && let Some(found) = find_bare(rest, b';')
    {
        let semicolon = at + found;
        let parameter = trim(text.get(semicolon + 1..).unwrap_or_default());
        let (start, behind) = parameter.split_at(parameter.len().min(name.len()));
        let ends = behind.first().is_none_or(|byte| !crate::start::is_token(*byte));
        if start.eq_ignore_ascii_case(name) && ends {
            return trim(text.get(..semicolon).unwrap_or_default());
        }
        at = semicolon + 1;
    }
    text
}

/// The text with the password of each SIP URI replaced (RFC 3261 §19.1.1: `sip:user:password@host`), unless
/// secrets are shown.
pub(crate) fn shown(text: &[u8], secrets: Secrets) -> Cow<'_, [u8]> {
    if secrets.are_shown() {
        return Cow::Borrowed(text);
    }
    let mut shown: Option<Vec<u8>> = None;
    let mut rest = text;
    while let Some(colon) = rest.iter().position(|byte| *byte == b':') {
        let (before, behind) = rest.split_at(colon);
        let behind = behind.get(1..).unwrap_or_default();
        let is_sip = [&b"sip"[..], b"sips"].iter().any(|scheme| {
            let start = before.len().checked_sub(scheme.len());
            start
                .and_then(|start| before.get(start..))
                .is_some_and(|s| s.eq_ignore_ascii_case(scheme))
        });
        let end = behind.iter().position(|byte| b"@<> \t\",".contains(byte));
        let user =
            end.filter(|end| behind.get(*end) == Some(&b'@')).and_then(|end| behind.get(..end));
        let password = user.filter(|_| is_sip).and_then(|user| {
            let colon = user.iter().position(|byte| *byte == b':')?;
            Some((colon + 1, user.len()))
        });
        let (kept, gone) = password.unwrap_or((0, 0));
        if gone > 0 || shown.is_some() {
            let shown = shown.get_or_insert_with(|| {
                let done = text.len() - rest.len();
                text.get(..done).unwrap_or_default().to_vec()
            });
            shown.extend_from_slice(before);
            shown.push(b':');
            shown.extend_from_slice(behind.get(..kept).unwrap_or_default());
            if gone > 0 {
                shown.extend_from_slice(MASK.as_bytes());
            }
        }
        rest = behind.get(gone..).unwrap_or_default();
    }
    match shown {
        None => Cow::Borrowed(text),
        Some(mut shown) => {
            shown.extend_from_slice(rest);
            Cow::Owned(shown)
        }
    }
}

#[cfg(test)]
mod tests {
    use flowcell_sdk::Secrets;

    use super::{before_parameter, decimal, find_bare, shown};

    #[test]
    fn passwords_are_masked_or_shown() {
        let cases: [(&str, &str); 7] = [
            ("sip:alice:secret@h:5060", "sip:alice:***@h:5060"),
            ("<sips:a:b:c@h>;x=\"sip:d:e@f\"", "<sips:a:***@h>;x=\"sip:d:***@f\""),
            ("sip:10.0.0.1:5060", "sip:10.0.0.1:5060"),
            ("sip:alice@h:5060", "sip:alice@h:5060"),
            ("tel:+1:2@3", "tel:+1:2@3"),
            ("sip:a:@h", "sip:a:***@h"),
            (":", ":"),
        ];
        for (text, wanted) in cases {
            let masked = shown(text.as_bytes(), Secrets::Masked);
            assert_eq!(String::from_utf8_lossy(&masked), wanted, "{text}");
            assert_eq!(&*shown(text.as_bytes(), Secrets::Shown), text.as_bytes());
        }
    }

    #[test]
    fn parameters_are_found_outside_of_quotes_and_brackets() {
        let cut = |text: &'static str| {
            String::from_utf8_lossy(before_parameter(text.as_bytes(), b"tag")).into_owned()
        };
        assert_eq!(cut("<sip:a@b>;tag=1"), "<sip:a@b>");
        assert_eq!(
            cut("\";tag=x\" <sip:a;tag=y@b>;q=1; TAG = 1"),
            "\";tag=x\" <sip:a;tag=y@b>;q=1"
        );
        assert_eq!(cut("<sip:a@b>;tagged=1"), "<sip:a@b>;tagged=1");
        assert_eq!(cut("<sip:a@b>;"), "<sip:a@b>;");
        assert_eq!(cut(";tag"), "");
        assert_eq!(find_bare(b"\"a\\\",\",b", b','), Some(6));
    }

    #[test]
    fn numbers() {
        assert_eq!(decimal(b"229"), Some(229));
        for text in [&b""[..], b"+1", b"1 ", b"18446744073709551616"] {
            assert_eq!(decimal(text), None);
        }
    }
}
