//! Transfer codings (RFC 9112 §6.1), taken as they arrive: they decide where a message ends, so none is
//! left out, however many there are.

use crate::text::{same, trim};

/// Transfer codings that are registered beside chunked (RFC 9112 §7.2).
static CODINGS: &[&str] = &["gzip", "x-gzip", "deflate", "compress", "x-compress", "identity"];

/// Longest name that is looked at, in bytes.
const NAME_MAX: usize = 32;

/// What the fields Transfer-Encoding of a message say.
#[derive(Debug, Default)]
pub(crate) struct Codings {
    /// The name that is being read.
    name: Vec<u8>,
    /// It is too long to be known.
    long: bool,
    /// Its parameters are being read.
    behind_name: bool,
    /// There is a transfer coding other than identity.
    pub(crate) coded: bool,
    /// How often chunked is there.
    pub(crate) chunked: u32,
    /// Chunked is the last.
    pub(crate) last: bool,
    /// One is not registered.
    pub(crate) unknown: bool,
}

impl Codings {
    /// Takes a part of a list.
    pub(crate) fn feed(&mut self, list: &[u8]) {
        for byte in list {
            match byte {
                b',' => self.end(),
                b';' => self.behind_name = true,
                _ if self.behind_name => {}
                b' ' | b'\t' if self.name.is_empty() => {}
                _ if self.name.len() < NAME_MAX => self.name.push(*byte),
                _ => self.long |= !matches!(byte, b' ' | b'\t'),
            }
        }
    }

    /// A coding ends: at a comma, and where the field does.
    pub(crate) fn end(&mut self) {
        let name = trim(&self.name);
        if !name.is_empty() {
            self.last = same(name, "chunked") && !self.long;
            self.chunked = self.chunked.saturating_add(u32::from(self.last));
            self.coded |= !same(name, "identity");
            let known = self.last || CODINGS.iter().any(|known| same(name, known));
            self.unknown |= !known || self.long;
        }
        self.name.clear();
        (self.long, self.behind_name) = (false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::Codings;

    #[test]
    fn codings_in_parts() {
        let of = |parts: &[&str]| {
            let mut codings = Codings::default();
            parts.iter().for_each(|part| codings.feed(part.as_bytes()));
            codings.end();
            (codings.coded, codings.chunked, codings.last, codings.unknown)
        };
        assert_eq!(of(&["gzip;a=b, chu", "nked "]), (true, 1, true, false));
        assert_eq!(of(&["chunked, chunked,", " identity"]), (true, 2, false, false));
        assert_eq!(of(&["chunked", &" ".repeat(40), "x"]), (true, 0, false, true));
        assert_eq!(of(&[",", " ; ,"]), (false, 0, false, false));
        assert_eq!(of(&[&",".repeat(9_000), "Chunked"]), (true, 1, true, false));
    }
}
