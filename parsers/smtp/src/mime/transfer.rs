//! Content transfer encodings (RFC 2045 §6), undone piece by piece.

use memchr::memchr3;

/// Decoded bytes handed on at a time: a multiple of 3, small enough for a sandbox's stack.
const BLOCK: usize = 768;

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
    pub(crate) fn feed(&mut self, piece: &[u8], out: &mut impl FnMut(&[u8])) {
        match self {
            Self::Identity => out(piece),
            Self::Base64(base64) => base64.feed(piece, out),
            Self::QuotedPrintable(quoted) => quoted.feed(piece, out),
        }
    }

    /// Hands on what waited for a next piece.
    pub(crate) fn finish(&mut self, out: &mut impl FnMut(&[u8])) {
        match self {
            Self::Identity => {}
            Self::Base64(base64) => base64.finish(out),
            Self::QuotedPrintable(quoted) => quoted.finish(out),
        }
    }
}

/// Decodes a short base64 text at once.
pub(crate) fn base64(text: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::Base64(Base64::default());
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut out = |bytes: &[u8]| decoded.extend_from_slice(bytes);
    decoder.feed(text, &mut out);
    decoder.finish(&mut out);
    decoded
}

/// Four digits become three bytes.
#[derive(Debug, Default)]
pub(crate) struct Base64 {
    /// `6 · digits` bits of a group that is not whole.
    bits: u32,
    /// Less than 4.
    digits: u8,
}

impl Base64 {
    fn feed(&mut self, piece: &[u8], out: &mut impl FnMut(&[u8])) {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        let mut rest = piece;
        while !rest.is_empty() {
            if filled + 3 > BLOCK {
                out(&block[..filled]);
                filled = 0;
            }
            if self.digits == 0
                && let Some((group, behind)) = rest.split_first_chunk::<4>()
                && let Some(bytes) = whole_group(*group)
            {
                block[filled..filled + 3].copy_from_slice(&bytes);
                filled += 3;
                rest = behind;
                continue;
            }
            filled += self.digit(rest[0], &mut block[filled..]);
            rest = &rest[1..];
        }
        if filled > 0 {
            out(&block[..filled]);
        }
    }

    /// Takes one character; writes up to three bytes and returns how many.
    fn digit(&mut self, character: u8, block: &mut [u8]) -> usize {
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
        block[..count].copy_from_slice(&bytes[1..=count]);
        *self = Self::default();
        count
    }

    fn finish(&mut self, out: &mut impl FnMut(&[u8])) {
        let mut block = [0; 3];
        let count = self.digit(b'=', &mut block);
        if count > 0 {
            out(&block[..count]);
        }
    }
}

fn whole_group(group: [u8; 4]) -> Option<[u8; 3]> {
    let [a, b, c, d] = group.map(|character| SEXTETS[usize::from(character)]);
    (a | b | c | d < 64).then_some([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d])
}

/// `=XX` becomes a byte, `=` at the end of a line joins it with the next.
#[derive(Debug, Default)]
pub(crate) struct QuotedPrintable {
    escape: Escape,
    /// White space that is dropped if the line ends behind it.
    spaces: Vec<u8>,
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

/// Collects decoded bytes into blocks.
struct Blocks<'a, F: FnMut(&[u8])> {
    block: [u8; BLOCK],
    filled: usize,
    out: &'a mut F,
}

impl<F: FnMut(&[u8])> Blocks<'_, F> {
    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == BLOCK {
                self.flush();
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            self.block[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
        }
    }

    fn flush(&mut self) {
        if self.filled > 0 {
            (self.out)(&self.block[..self.filled]);
            self.filled = 0;
        }
    }
}

impl QuotedPrintable {
    fn feed(&mut self, piece: &[u8], out: &mut impl FnMut(&[u8])) {
        let mut blocks = Blocks { block: [0; BLOCK], filled: 0, out };
        let mut rest = piece;
        while !rest.is_empty() {
            // Most text stands for itself: up to an escape or a line end, but for white space there.
            if matches!(self.escape, Escape::None) {
                let run = memchr3(b'=', b'\r', b'\n', rest).unwrap_or(rest.len());
                let plain = rest[..run].trim_ascii_end().len();
                if plain > 0 {
                    blocks.push(&self.spaces);
                    self.spaces.clear();
                    blocks.push(&rest[..plain]);
                    rest = &rest[plain..];
                    continue;
                }
            }
            self.byte(rest[0], &mut blocks);
            rest = &rest[1..];
        }
        blocks.flush();
    }

    fn finish(&mut self, out: &mut impl FnMut(&[u8])) {
        let mut blocks = Blocks { block: [0; BLOCK], filled: 0, out };
        // RFC 2045 §6.7 rule 3: white space at the end is not content; a last `=` is a soft line break.
        match std::mem::take(&mut self.escape) {
            Escape::Digit(digit) => blocks.push(&[b'=', digit]),
            Escape::Cr => blocks.push(b"\r"),
            Escape::None | Escape::Equals | Escape::EqualsCr => {}
        }
        self.spaces.clear();
        blocks.flush();
    }

    fn byte<F: FnMut(&[u8])>(&mut self, byte: u8, out: &mut Blocks<'_, F>) {
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
                out.push(&[hex(high) << 4 | hex(byte)]);
            }
            // A robust decoder leaves a wrong escape as it stands (rule 1, note 2).
            (Escape::Equals, _) => {
                out.push(b"=");
                self.literal(byte, out);
            }
            (Escape::EqualsCr, _) => {
                out.push(b"=\r");
                self.literal(byte, out);
            }
            (Escape::Digit(digit), _) => {
                out.push(&[b'=', digit]);
                self.literal(byte, out);
            }
            // Rule 3: white space at the end of a line was added on the way.
            (Escape::Cr, b'\n') => {
                self.spaces.clear();
                out.push(b"\r\n");
            }
            (Escape::Cr, _) => {
                out.push(&std::mem::take(&mut self.spaces));
                out.push(b"\r");
                self.literal(byte, out);
            }
            (Escape::None, _) => self.literal(byte, out),
        }
    }

    fn literal<F: FnMut(&[u8])>(&mut self, byte: u8, out: &mut Blocks<'_, F>) {
        match byte {
            b' ' | b'\t' if self.spaces.len() < SPACES_MAX => self.spaces.push(byte),
            b'\r' => self.escape = Escape::Cr,
            b'\n' => {
                self.spaces.clear();
                out.push(b"\n");
            }
            _ => {
                out.push(&self.spaces);
                self.spaces.clear();
                match byte {
                    b'=' => self.escape = Escape::Equals,
                    _ => out.push(&[byte]),
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

    /// Decodes `text` whole and cut in two at every place, and demands the same of all.
    fn decoded(encoding: &str, text: &[u8]) -> Vec<u8> {
        let cut_at = |at: usize| {
            let mut decoder = Decoder::named(encoding.as_bytes());
            let mut decoded = Vec::new();
            let mut out = |bytes: &[u8]| decoded.extend_from_slice(bytes);
            decoder.feed(&text[..at], &mut out);
            decoder.feed(&text[at..], &mut out);
            decoder.finish(&mut out);
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
    fn base64_longer_than_a_block() {
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
