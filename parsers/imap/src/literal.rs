//! Literals (RFC 9051 §4.3): a size in braces at the end of a line, and so many bytes behind it.

use flowcell_mail::{Message, decimal};
use flowcell_sdk::{ByteStream, ReadError};

/// What stands at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) size: u64,
    /// The sender waits for the other side's consent.
    pub(crate) waits: bool,
}

/// How far a literal was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    Whole,
    /// A gap reaches beyond its end.
    Torn,
    /// The side ended within it.
    Cut,
    /// The other side does not take it, and it is broken off.
    Refused,
}

impl Literal {
    /// Reads `{n}`, `{n+}` (RFC 7888), `{n-}` or `~{n}` (RFC 3516).
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let inner = text.strip_prefix(b"~").unwrap_or(text);
        let inner = inner.strip_prefix(b"{")?.strip_suffix(b"}")?;
        let digits = inner.strip_suffix(b"+").or_else(|| inner.strip_suffix(b"-"));
        Some(Self { size: decimal(digits.unwrap_or(inner))?, waits: digits.is_none() })
    }

    /// The literal that a line announces at its end, and what stands in front of it.
    pub(crate) fn at_end(line: &[u8]) -> Option<(Self, &[u8])> {
        if !line.ends_with(b"}") {
            return None;
        }
        let start = line.iter().rposition(|byte| *byte == b'{')?;
        let (before, text) = line.split_at(start);
        let before = before.strip_suffix(b"~").unwrap_or(before);
        Some((Self::parse(text)?, before))
    }

    /// Reads its bytes and drops them, or lets a message have them.
    pub(crate) async fn pass(
        self,
        stream: &mut ByteStream,
        message: Option<&mut Message>,
    ) -> Passed {
        let mut left = self.size;
        let Some(message) = message else {
            stream.skip(left);
            return Passed::Whole;
        };
        while left > 0 {
            match stream.read_some(left).await {
                Ok(bytes) => {
                    message.feed(bytes);
                    left = left.saturating_sub(bytes.len() as u64);
                }
                Err(ReadError::Gap(gap)) => {
                    message.gap(gap.length.min(left));
                    if gap.length > left {
                        return Passed::Torn;
                    }
                    left -= gap.length;
                }
                Err(_) => {
                    message.incomplete = true;
                    return Passed::Cut;
                }
            }
        }
        Passed::Whole
    }
}

#[cfg(test)]
mod tests {
    use super::Literal;

    #[test]
    fn literals_of_all_kinds() {
        let end = |line: &str| {
            let (literal, before) = Literal::at_end(line.as_bytes())?;
            Some((literal.size, literal.waits, before.len()))
        };
        assert_eq!(end("a {12}"), Some((12, true, 2)));
        assert_eq!(end("a {12+}"), Some((12, false, 2)));
        assert_eq!(end("a ~{0-}"), Some((0, false, 2)));
        assert_eq!(end("{99999999999999999999}"), Some((u64::MAX, true, 0)));
        for line in ["a {12", "a {}", "a {+}", "a {1 }", "a 12}", "a {-1}", "}", ""] {
            assert_eq!(end(line), None, "{line}");
        }
    }
}
