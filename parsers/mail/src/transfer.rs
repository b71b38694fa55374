//! Content transfer encodings (RFC 2045 §6), undone piece by piece.

use memchr::memchr3;

use super::text::owned;

/// Longest run of white space that is held back in quoted-printable, in bytes: an encoded line has
/// at most 76 characters (RFC 2045 §6.7 rule 5).
const SPACES_MAX: usize = 128;

/// The value of each base64 digit (RFC 2045 §6.8); 0xff is no digit.
static SEXTETS: [u8; 256] = {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [0xff; 256];
    let mut value = 0u8;
    while value < 64 {
        values[digits[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Undoes one encoding.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// 7bit, 8bit, binary, and what is not known: the content is as it stands.
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl Decoder {
    /// The decoder for the value of a Content-Transfer-Encoding field, in lower case.
    pub(crate) fn named(encoding: &[u8]) -> Self {
        match encoding {
            b"base64" => Self::Base64(Base64::default()),
            b"quoted-printable" => Self::QuotedPrintable(QuotedPrintable::default()),
            _ => Self::Identity,
        }
    }

    /// Decodes the next piece. Pieces may be cut anywhere.
    pub(crate) fn feed<'a>(&'a mut self, piece: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Identity => piece,
            Self::Base64(base64) => base64.feed(piece),
            Self::QuotedPrintable(quoted) => quoted.feed(piece),
        }
    }

    /// Hands on what waited for a next piece.
    pub(crate) fn finish(&mut self) -> &[u8] {
        match self {
            Self::Identity => &[],
            Self::Base64(base64) => base64.finish(),
            Self::QuotedPrintable(quoted) => quoted.finish(),
        }
    }
}

/// Decodes a short base64 text at once.
#[must_use]
pub fn base64(text: &[u8]) -> Vec<u8> {
    let mut decoder = Base64::default();
    let mut decoded = owned(decoder.feed(text));
    decoded.extend_from_slice(decoder.finish());
    decoded
}

/// Four digits become three bytes.
#[derive(Debug, Default)]
pub(crate) struct Base64 {
    /// `6 · digits` bits of a group that is not whole.
    bits: u32,
    /// Less than 4.
    digits: u8,
    /// Starts with what the last piece was decoded to.
    decoded: Vec<u8>,
}

impl Base64 {
    fn feed(&mut self, piece: &[u8]) -> &[u8] {
        let mut decoded = std::mem::take(&mut self.decoded);
        // Each character makes less than a byte, but the first may end a group.
        if decoded.len() < piece.len() + 3 {
            decoded.resize(piece.len() + 3, 0);
        }
        let mut filled = 0;
        let mut rest = piece;
        while !rest.is_empty() {
            if self.digits == 0 {
                let groups = whole_groups(rest, &mut decoded[filled..]);
                filled += 3 * groups;
                rest = &rest[4 * groups..];
            }
            // A line end between groups, as there is one behind each of most lines.
            if self.digits == 0
                && let [b'\r', b'\n', behind @ ..] = rest
            {
                rest = behind;
                continue;
            }
            if let Some((&character, behind)) = rest.split_first() {
                filled += self.digit(character, &mut decoded[filled..]);
                rest = behind;
            }
        }
        self.decoded = decoded;
        &self.decoded[..filled]
    }

    /// Takes one character; writes up to three bytes and returns how many.
    fn digit(&mut self, character: u8, decoded: &mut [u8]) -> usize {
        let value = SEXTETS[usize::from(character)];
        if value < 64 {
            self.bits = self.bits << 6 | u32::from(value);
            self.digits += 1;
            if self.digits < 4 {
                return 0;
            }
        } else if character != b'=' {
            return 0; // RFC 2045 §6.8: characters outside the alphabet are to be ignored
        }
        // A pad ends the group; what follows it is decoded as further text, as mail readers do.
        let bytes = (self.bits << (24 - 6 * u32::from(self.digits))).to_be_bytes();
        let count = usize::from(self.digits) * 6 / 8;
        decoded[..count].copy_from_slice(&bytes[1..=count]);
        self.bits = 0;
        self.digits = 0;
        count
    }

    fn finish(&mut self) -> &[u8] {
        self.feed(b"=")
    }
}

/// Decodes groups up to one that holds anything but digits, and returns how many.
fn whole_groups(text: &[u8], decoded: &mut [u8]) -> usize {
    let mut count = 0;
    for (group, bytes) in text.as_chunks::<4>().0.iter().zip(decoded.as_chunks_mut::<3>().0) {
        let value = |at: usize| SEXTETS[usize::from(group[at])];
        let (a, b, c, d) = (value(0), value(1), value(2), value(3));
        if (a | b | c | d) >= 64 {
            break;
        }
        *bytes = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        count += 1;
    }
    count
}

/// `=XX` becomes a byte, `=` at the end of a line joins it with the next.
#[derive(Debug, Default)]
pub(crate) struct QuotedPrintable {
    escape: Escape,
    /// White space that is dropped if the line ends behind it.
    spaces: Vec<u8>,
    /// What the last piece was decoded to.
    decoded: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    /// After `=`, perhaps with white space behind it.
    Equals,
    /// After `=` and CR.
    EqualsCr,
    /// After `=` and this digit.
    Digit(u8),
    /// After CR.
    Cr,
}

impl QuotedPrintable {
    fn feed(&mut self, piece: &[u8]) -> &[u8] {
        self.decoded.clear();
        let mut rest = piece;
        while !rest.is_empty() {
            // Most text stands for itself: up to an escape or a line end, but for white space there.
            if matches!(self.escape, Escape::None) {
                let run = memchr3(b'=', b'\r', b'\n', rest).unwrap_or(rest.len());
                let (text, behind) = rest.split_at(run);
                let (plain, spaces) = text.split_at(text.trim_ascii_end().len());
                if !plain.is_empty() {
                    self.decoded.append(&mut self.spaces);
                    self.push(plain);
                }
                for space in spaces {
                    self.literal(*space);
                }
                rest = behind;
            }
            if let Some((&byte, behind)) = rest.split_first() {
                self.byte(byte);
                rest = behind;
            }
        }
        &self.decoded
    }

    fn finish(&mut self) -> &[u8] {
        self.decoded.clear();
        // RFC 2045 §6.7 rule 3: white space at the end is not content; a last `=` is a soft line break.
        match std::mem::take(&mut self.escape) {
            Escape::Digit(digit) => self.push(&[b'=', digit]),
            Escape::Cr => self.push(b"\r"),
            Escape::None | Escape::Equals | Escape::EqualsCr => {}
        }
        self.spaces.clear();
        &self.decoded
    }

    fn push(&mut self, decoded: &[u8]) {
        self.decoded.extend_from_slice(decoded);
    }

    fn byte(&mut self, byte: u8) {
        match (std::mem::take(&mut self.escape), byte) {
            // RFC 2045 §6.7 rule 5: a soft line break; rule 3: white space before it is padding.
            (Escape::Equals | Escape::EqualsCr, b'\n') => self.spaces.clear(),
            (Escape::Equals, b'\r') => self.escape = Escape::EqualsCr,
            (Escape::Equals, b' ' | b'\t') if self.spaces.len() < SPACES_MAX => {
                self.spaces.push(byte);
                self.escape = Escape::Equals;
            }
            (Escape::Equals, _) if self.spaces.is_empty() && byte.is_ascii_hexdigit() => {
                self.escape = Escape::Digit(byte);
            }
            // Rule 1: two hexadecimal digits.
            (Escape::Digit(high), _) if byte.is_ascii_hexdigit() => {
                self.push(&[hex(high) << 4 | hex(byte)]);
            }
            // A robust decoder leaves a wrong escape as it stands (rule 1, note 2).
            (Escape::Equals, _) => {
                self.push(b"=");
                self.literal(byte);
            }
            (Escape::EqualsCr, _) => {
                self.push(b"=\r");
                self.literal(byte);
            }
            (Escape::Digit(digit), _) => {
                self.push(&[b'=', digit]);
                self.literal(byte);
            }
            // Rule 3: white space at the end of a line was added on the way.
            (Escape::Cr, b'\n') => {
                self.spaces.clear();
                self.push(b"\r\n");
            }
            (Escape::Cr, _) => {
                self.decoded.append(&mut self.spaces);
                self.push(b"\r");
                self.literal(byte);
            }
            (Escape::None, _) => self.literal(byte),
        }
    }

    fn literal(&mut self, byte: u8) {
        match byte {
            b' ' | b'\t' if self.spaces.len() < SPACES_MAX => self.spaces.push(byte),
            b'\r' => self.escape = Escape::Cr,
            b'\n' => {
                self.spaces.clear();
                self.push(b"\n");
            }
            _ => {
                self.decoded.append(&mut self.spaces);
                match byte {
                    b'=' => self.escape = Escape::Equals,
                    _ => self.push(&[byte]),
                }
            }
        }
    }
}

/// The value of a hexadecimal digit, of either case.
pub(crate) fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Decoder;

    #[test]
    fn white_space_without_end() {
        let spaces = b" \t".repeat(2_000_000);
        let mut decoder = Decoder::named(b"quoted-printable");
        assert!(decoder.feed(&spaces).len() <= spaces.len());
        assert_eq!(decoder.feed(b"x").last(), Some(&b'x'));
    }

    /// Decodes `text` whole and cut in two at every place, and demands the same of all.
    fn decoded(encoding: &str, text: &[u8]) -> Vec<u8> {
        let cut_at = |at: usize| {
            let mut decoder = Decoder::named(encoding.as_bytes());
            let mut decoded = Vec::new();
            decoded.extend_from_slice(decoder.feed(&text[..at]));
            decoded.extend_from_slice(decoder.feed(&text[at..]));
            decoded.extend_from_slice(decoder.finish());
            decoded
        };
        let whole = cut_at(0);
        for at in 1..text.len() {
            assert_eq!(cut_at(at), whole, "cut at {at}");
        }
        whole
    }

    #[test]
    fn base64_decodes_at_every_split() {
        assert_eq!(decoded("base64", b"aGVsbG8gd29ybGQ="), b"hello world");
        assert_eq!(decoded("base64", b"aGVs\r\nbG8g\r\nd29ybGQ=\r\n"), b"hello world");
        assert_eq!(decoded("base64", b"aGVsbG8gd29ybGQ"), b"hello world", "no pad");
        assert_eq!(decoded("base64", b"aGk=aGk="), b"hihi", "joined texts");
        assert_eq!(decoded("base64", b"a!G\xffk="), b"hi", "characters outside the alphabet");
        assert_eq!(decoded("base64", b"===="), b"");
        assert_eq!(decoded("base64", b"/+8A"), b"\xff\xef\x00");
    }

    #[test]
    fn base64_of_long_lines_with_something_foreign_in_them() {
        let line = b"TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcms+/TWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcms";
        let whole = decoded("base64", line);
        for at in 0..line.len() {
            for foreign in [&b"\r\n"[..], b"!"] {
                let mut text = line.to_vec();
                text.splice(at..at, foreign.iter().copied());
                assert_eq!(decoded("base64", &text), whole, "at {at}");
            }
        }
    }

    #[test]
    fn base64_of_many_groups() {
        assert_eq!(decoded("base64", &b"QUJD".repeat(300)), b"ABC".repeat(300));
    }

    #[test]
    fn quoted_printable_decodes_at_every_split() {
        assert_eq!(decoded("quoted-printable", b"a=3Db=\r\nc=\nd"), b"a=bcd");
        assert_eq!(decoded("quoted-printable", b"a \t\r\n b  \n"), b"a\r\n b\n");
        assert_eq!(
            decoded("quoted-printable", b"a= \t\r\nb"),
            b"ab",
            "padding behind a soft break"
        );
        assert_eq!(decoded("quoted-printable", b"=e4=E4"), b"\xe4\xe4");
        assert_eq!(decoded("quoted-printable", b"1=2, =3 =x =4y"), b"1=2, =3 =x =4y");
        assert_eq!(decoded("quoted-printable", b"a\rb = c"), b"a\rb = c");
        assert_eq!(decoded("quoted-printable", b"a="), b"a");
        assert_eq!(decoded("quoted-printable", b"a=4"), b"a=4");
        assert_eq!(decoded("quoted-printable", b"a =\r\n b"), b"a  b");
    }

    #[test]
    fn long_runs_of_white_space_are_not_held() {
        let mut text = vec![b' '; 1_000];
        text.push(b'x');
        assert_eq!(decoded("quoted-printable", &text), text);
    }
}
