//! The distinguished encoding rules (ITU-T X.690 §8 and §10), read one element after the other.

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The tag `[number]` of an element that is not constructed.
pub(crate) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag `[number]` of an element that holds others.
pub(crate) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Elements that stand one behind the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements<'a>(&'a [u8]);

/// One element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// The element with its tag and its length.
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements within this one.
    pub(crate) fn elements(self) -> Elements<'a> {
        Elements(self.content)
    }
}

impl<'a> Elements<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever it is. `None` at the end, and where the bytes are none.
    pub(crate) fn next(&mut self) -> Option<Element<'a>> {
        let whole = self.0;
        let (tag, length, rest) = header(whole)?;
        let (content, behind) = rest.split_at_checked(length)?;
        self.0 = behind;
        let whole = whole.get(..whole.len() - behind.len())?;
        Some(Element { tag, content, whole })
    }

    /// What the next element, a sequence, holds, as far as it is there.
    pub(crate) fn sequence_here(&mut self) -> Option<Self> {
        let (tag, length, rest) = header(self.0)?;
        let (content, behind) = rest.split_at(length.min(rest.len()));
        self.0 = behind;
        (tag == SEQUENCE).then_some(Self(content))
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// The next element if it has this tag; else nothing is read.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        if *self.0.first()? == tag { self.next() } else { None }
    }

    /// What the next element, a sequence, holds.
    pub(crate) fn sequence(&mut self) -> Option<Self> {
        self.expect(SEQUENCE).map(Element::elements)
    }
}

/// The tag of the element that begins here, the length of its content, and the bytes behind both.
fn header(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    if tag & 0x1f == 0x1f {
        return None; // a tag of several bytes: there are none in a certificate
    }
    let (&first, mut rest) = rest.split_first()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        // The indefinite form is not DER, and 4 bytes are more than any certificate needs.
        0x81..=0x84 => {
            let (bytes, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = behind;
            bytes.iter().try_fold(0usize, |length, byte| {
                Some(length.checked_mul(256)? | usize::from(*byte))
            })?
        }
        _ => return None,
    };
    Some((tag, length, rest))
}

/// An integer that is not negative, if it fits.
pub(crate) fn unsigned(content: &[u8]) -> Option<u64> {
    let magnitude = magnitude(content)?;
    if magnitude.len() > 8 {
        return None;
    }
    Some(magnitude.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// The bytes of an integer that is not negative, without leading zeros.
pub(crate) fn magnitude(content: &[u8]) -> Option<&[u8]> {
    let first = *content.first()?;
    if first & 0x80 != 0 {
        return None;
    }
    let zeros = content.iter().take_while(|byte| **byte == 0).count();
    content.get(zeros..)
}

/// How many bits an integer that is not negative has.
pub(crate) fn bits(content: &[u8]) -> Option<u64> {
    let magnitude = magnitude(content)?;
    let spare = magnitude.first().map_or(0, |first| first.leading_zeros());
    Some((magnitude.len() as u64) * 8 - u64::from(spare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_all_forms() {
        let mut elements = Elements::new(b"\x04\x01a\x04\x81\x02bc\x04\x82\x00\x01d\x05\x00");
        let contents: Vec<&[u8]> =
            std::iter::from_fn(|| elements.next().map(|element| element.content)).collect();
        assert_eq!(contents, [&b"a"[..], b"bc", b"d", b""]);
        assert!(elements.is_empty());
    }

    #[test]
    fn what_is_no_element() {
        for bytes in [
            &b""[..],
            b"\x04",
            b"\x04\x02a",
            b"\x04\x80a\x00\x00",
            b"\x1f\x81\x01\x00",
            b"\x04\x85\x00\x00\x00\x00\x01a",
            b"\x04\x84\xff\xff\xff\xffa",
        ] {
            assert!(Elements::new(bytes).next().is_none(), "{bytes:x?}");
        }
    }

    #[test]
    fn integers() {
        assert_eq!(unsigned(b"\x00\x80"), Some(128));
        assert_eq!(unsigned(b"\x80"), None);
        assert_eq!(unsigned(b"\x01\x00\x00\x00\x00\x00\x00\x00\x00"), None);
        assert_eq!(bits(b"\x00\x80\x01"), Some(16));
        assert_eq!(bits(b"\x01"), Some(1));
        assert_eq!(bits(b"\x00"), Some(0));
        assert_eq!(bits(b""), None);
    }
}
