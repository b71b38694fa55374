//! Numbers of the protocol.

/// Most bytes of a string: what the specification allows.
pub(crate) const MAX_STRING: u64 = 512 << 20;

/// Most elements of an array.
pub(crate) const MAX_ELEMENTS: u64 = u32::MAX as u64;

/// How long something is, behind its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Known(u64),
    /// `-1`: there is nothing, not even something empty.
    Null,
    /// `?`: it comes in pieces (RESP3).
    Streamed,
}

impl Length {
    /// Reads digits, at most to `max`.
    pub(crate) fn parse(digits: &[u8], max: u64) -> Option<Self> {
        match digits {
            b"-1" => return Some(Self::Null),
            b"?" => return Some(Self::Streamed),
            [] => return None,
            _ => {}
        }
        let mut number = 0u64;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        }
        (number <= max).then_some(Self::Known(number))
    }
}

#[cfg(test)]
mod tests {
    use super::Length;

    #[test]
    fn numbers_and_what_is_none() {
        assert_eq!(Length::parse(b"012", 12), Some(Length::Known(12)));
        assert_eq!(Length::parse(b"-1", 12), Some(Length::Null));
        assert_eq!(Length::parse(b"?", 12), Some(Length::Streamed));
        for bad in [&b"13"[..], b"", b"-2", b"+1", b"1 ", b"99999999999999999999999"] {
            assert_eq!(Length::parse(bad, 12), None, "{bad:?}");
        }
    }
}
