//! Telnet commands within a line (RFC 854): a client interrupts a transfer with them before ABOR.

use std::borrow::Cow;

const IAC: u8 = 255;
const SUBNEGOTIATION: u8 = 250;
const SUBNEGOTIATION_END: u8 = 240;

/// The line without its Telnet commands. A name that has the byte 255 should have it twice (RFC 959 §3.1.1.5.1);
/// where what follows is no Telnet command, one is taken for the byte as well.
pub(crate) fn without_commands(line: &[u8]) -> Cow<'_, [u8]> {
    if !line.contains(&IAC) {
        return Cow::Borrowed(line);
    }
    let mut kept = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != IAC {
            kept.push(*first);
            continue;
        }
        let length = match behind {
            [IAC, ..] => {
                kept.push(IAC);
                1
            }
            [SUBNEGOTIATION, inside @ ..] => {
                let end = inside.windows(2).position(|pair| pair == [IAC, SUBNEGOTIATION_END]);
                end.map_or(behind.len(), |end| end + 3)
            }
            // WILL, WON'T, DO, DON'T and the option.
            [251..=254, ..] => 2,
            [240..=249, ..] => 1,
            [] => 0,
            _ => {
                kept.push(IAC);
                0
            }
        };
        rest = behind.get(length..).unwrap_or_default();
    }
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::without_commands;

    #[test]
    fn commands_are_left_out() {
        let cases: [(&[u8], &[u8]); 8] = [
            (b"ABOR", b"ABOR"),
            (b"\xff\xf4\xff\xf2ABOR", b"ABOR"),
            (b"\xff\xfd\x06NO\xff\xfb\x01OP", b"NOOP"),
            (b"\xff\xfa\x18\x01x\xff\xf0QUIT", b"QUIT"),
            (b"RETR a\xff\xffb", b"RETR a\xffb"),
            (b"RETR a\xffb", b"RETR a\xffb"),
            (b"QUIT\xff", b"QUIT"),
            (b"\xff\xfaQUIT", b""),
        ];
        for (line, wanted) in cases {
            assert_eq!(&*without_commands(line), wanted, "{line:?}");
        }
    }
}
