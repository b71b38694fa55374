//! Domain names: labels and compression (RFC 1035 §3.1, §4.1.4), shown as in master files (§5.1).

use crate::text;

/// A name is at most so long on the wire, its length octets included (RFC 1035 §2.3.4).
const MAX_NAME: usize = 255;

/// Most pointers on the way of one name: no more labels than these fit a name.
const MAX_POINTERS: usize = 127;

/// Length of a message's header: names come behind it.
const HEADER: usize = 12;

/// What has a meaning of its own in a master file, and so gets a backslash.
const SPECIAL: &[u8] = b"\"$().;@\\";

/// The message ends within what is read.
pub(crate) const CUT: &str = "the message ends";

/// Appends the name at `start` of `message` to `out`, without the last dot, the root as a dot.
/// Returns the place behind it.
///
/// Pointers lead to an earlier place than the labels before them, so that there are no loops.
///
/// # Errors
/// What is wrong with it. `out` may have got some labels by then.
pub(crate) fn read(message: &[u8], start: usize, out: &mut Vec<u8>) -> Result<usize, &'static str> {
    let mut at = start;
    let mut earlier_than = start;
    let mut behind = None;
    let mut length = 1; // of the root
    let mut pointers = 0;
    loop {
        let first = *message.get(at).ok_or(CUT)?;
        match first >> 6 {
            0 if first == 0 => {
                if length == 1 {
                    out.push(b'.');
                }
                return Ok(behind.unwrap_or(at + 1));
            }
            0 => {
                let end = at + 1 + usize::from(first);
                let label = message.get(at + 1..end).ok_or(CUT)?;
                if length > 1 {
                    out.push(b'.');
                }
                length += 1 + label.len();
                if length > MAX_NAME {
                    return Err("a name is longer than 255 bytes");
                }
                text::escaped(out, label, SPECIAL);
                at = end;
            }
            3 => {
                let second = *message.get(at + 1).ok_or(CUT)?;
                let target = usize::from(first & 0x3f) << 8 | usize::from(second);
                if target >= earlier_than {
                    return Err("a compression pointer does not lead backwards");
                }
                if target < HEADER {
                    return Err("a compression pointer leads into the header");
                }
                pointers += 1;
                if pointers > MAX_POINTERS {
                    return Err("a name has too many compression pointers");
                }
                behind = behind.or(Some(at + 2));
                earlier_than = target;
                at = target;
            }
            // RFC 6891 §5: extended label types are not used.
            _ => return Err("a label is of unknown type"),
        }
    }
}

#[cfg(test)]
mod tests;
