//! Messages that end with a line that is a single dot (RFC 5321 §4.5.2, RFC 1939 §3).

use memchr::memchr_iter;

/// Takes the dots out that the sender has put in front of lines that start with one, and finds the line
/// that is a single dot.
#[derive(Debug)]
pub struct Dots {
    /// The next byte starts a line.
    starts: bool,
    /// The line before ended in CR LF.
    after_crlf: bool,
}

/// A line that is a single dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dot {
    /// The line before it ended in CR LF.
    pub after_crlf: bool,
    /// The line itself does.
    pub crlf: bool,
}

impl Dots {
    /// Starts with a line; `after_crlf` tells whether the one before ended in CR LF.
    #[must_use]
    pub fn new(after_crlf: bool) -> Self {
        Self { starts: true, after_crlf }
    }

    /// What comes next starts a line.
    pub fn line_starts(&mut self) {
        self.starts = true;
    }

    /// Takes lines, or a piece of a line of which more follows, and hands on what they hold. Returns
    /// how many bytes were taken: all, or those up to the end of a line that is a single dot.
    pub fn feed(&mut self, lines: &[u8], mut content: impl FnMut(&[u8])) -> (usize, Option<Dot>) {
        let mut handed_on = 0;
        for at in memchr_iter(b'.', lines) {
            let before = lines.get(..at).unwrap_or_default();
            let starts = if at == 0 { self.starts } else { before.ends_with(b"\n") };
            if !starts {
                continue;
            }
            let line = lines.get(at..).unwrap_or_default();
            content(lines.get(handed_on..at).unwrap_or_default());
            handed_on = at + 1;
            if let [b'.', b'\n', ..] | [b'.', b'\r', b'\n', ..] = line {
                let after_crlf = if at == 0 { self.after_crlf } else { before.ends_with(b"\r\n") };
                let crlf = line.starts_with(b".\r");
                (self.starts, self.after_crlf) = (true, crlf);
                let length = if crlf { 3 } else { 2 };
                return (at + length, Some(Dot { after_crlf, crlf }));
            }
        }
        content(lines.get(handed_on..).unwrap_or_default());
        self.starts = lines.ends_with(b"\n");
        self.after_crlf = !lines.ends_with(b"\n") || lines.ends_with(b"\r\n");
        (lines.len(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::{Dot, Dots};

    fn fed(dots: &mut Dots, lines: &str) -> (String, usize, Option<Dot>) {
        let mut content = Vec::new();
        let (used, dot) = dots.feed(lines.as_bytes(), |piece| content.extend_from_slice(piece));
        (String::from_utf8(content).expect("UTF-8"), used, dot)
    }

    #[test]
    fn dots_in_front_of_lines_are_taken_out() {
        let mut dots = Dots::new(true);
        let lines = "..a.b\r\n.c\r\nd\r\n...\r\n";
        assert_eq!(fed(&mut dots, lines), (".a.b\r\nc\r\nd\r\n..\r\n".into(), 19, None));
    }

    #[test]
    fn a_single_dot_ends() {
        let end = |after_crlf, crlf| Some(Dot { after_crlf, crlf });
        assert_eq!(fed(&mut Dots::new(true), ".\r\nx"), (String::new(), 3, end(true, true)));
        assert_eq!(fed(&mut Dots::new(false), ".\nx"), (String::new(), 2, end(false, false)));
        assert_eq!(fed(&mut Dots::new(true), "a\r\n.\r\nx"), ("a\r\n".into(), 6, end(true, true)));
        assert_eq!(fed(&mut Dots::new(true), "a\n.\r\n"), ("a\n".into(), 5, end(false, true)));
    }

    #[test]
    fn a_long_line_in_pieces_has_one_start() {
        let mut dots = Dots::new(true);
        assert_eq!(fed(&mut dots, ".abc"), ("abc".into(), 4, None));
        assert_eq!(fed(&mut dots, ".\r\n"), (".\r\n".into(), 3, None));
        assert_eq!(fed(&mut dots, ".\r\n").2, Some(Dot { after_crlf: true, crlf: true }));
    }
}
