//! The data of resource records, shown as in master files.
//!
//! What a type's data consists of is said by a form: a letter for each item, in order.
//!
//! | letter | on the wire | shown |
//! |---|---|---|
//! | `1` `2` `4` `6` | unsigned integer of so many bytes | decimal |
//! | `a` `A` | IPv4, IPv6 address | as usual |
//! | `n` | name | with escapes, without the last dot |
//! | `s` | character-string | in quotes |
//! | `S` | character-strings to the end, at least one | each in quotes |
//! | `k` | character-string | without quotes |
//! | `q` | bytes to the end | in quotes |
//! | `x` `b` | bytes to the end | hexadecimal, base 64 |
//! | `h` `H` | bytes with a length of one byte | hexadecimal, base 32; `-` if none |
//! | `z` | bytes with a length of two bytes | the length, and base 64 |
//! | `e` | bytes to the end | hexadecimal pairs with hyphens |
//! | `g` | eight bytes | four hexadecimal groups with colons |
//! | `t` | seconds since the epoch, 4 bytes | `YYYYMMDDHHmmSS` |
//! | `T` | type, 2 bytes | its name |
//! | `m` | type bitmaps to the end (RFC 4034 §4.1.2) | the types' names |
//! | `v` | service parameters to the end (RFC 9460 §2.2) | see [`service`](crate::service) |
//! | `L` | a whole LOC record (RFC 1876) | see [`location`](crate::location) |

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{location, name, service, text, types};

/// What a failed item says.
pub(crate) const SHORT: &str = "the data is too short for its type";

/// The rest of a record's data, within its message: names may lead out of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rdata<'a> {
    pub(crate) message: &'a [u8],
    pub(crate) at: usize,
    /// At most the message's length.
    pub(crate) end: usize,
}

impl<'a> Rdata<'a> {
    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = self.message.get(self.at..self.end).unwrap_or_default();
        self.at = self.end;
        rest
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let end = self.at.saturating_add(count);
        let taken = self.message.get(self.at..end).filter(|_| end <= self.end).ok_or(SHORT)?;
        self.at = end;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.take(N)?.try_into().map_err(|_| SHORT)
    }

    /// An unsigned integer of at most 8 bytes.
    pub(crate) fn integer(&mut self, size: usize) -> Result<u64, &'static str> {
        Ok(self.take(size)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, &'static str> {
        self.array().map(u16::from_be_bytes)
    }

    /// Bytes with their length before them, in one byte (RFC 1035 §3.3, character-string).
    pub(crate) fn string(&mut self) -> Result<&'a [u8], &'static str> {
        let [length] = self.array()?;
        self.take(usize::from(length))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    fn name(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let behind = name::read(self.message, self.at, out)?;
        self.at = behind;
        if behind > self.end { Err(SHORT) } else { Ok(()) }
    }
}

/// Appends data of a type, if it has a form that the data follows; else as RFC 3597 §5 has it.
///
/// # Errors
/// What is wrong with data that does not follow its type's form.
pub(crate) fn show(rdata: Rdata<'_>, rtype: u16, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let form = types::form(rtype);
    let start = out.len();
    let outcome = (!form.is_empty()).then(|| items(rdata, form, out));
    if outcome == Some(Ok(())) {
        return Ok(());
    }
    out.truncate(start);
    out.extend_from_slice(b"\\# ");
    let bytes = { rdata }.rest();
    text::decimal(out, bytes.len() as u64);
    if !bytes.is_empty() {
        out.push(b' ');
        text::hex(out, bytes);
    }
    outcome.unwrap_or(Ok(()))
}

/// Appends the items of a form, with spaces between them.
fn items(mut rdata: Rdata<'_>, form: &str, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let start = out.len();
    for letter in form.bytes() {
        if out.len() > start {
            out.push(b' ');
        }
        let before = out.len();
        item(&mut rdata, letter, out)?;
        if out.len() == before && before > start {
            out.pop(); // an empty list takes no space
        }
    }
    if rdata.is_empty() { Ok(()) } else { Err("the data is too long for its type") }
}

fn item(rdata: &mut Rdata<'_>, letter: u8, out: &mut Vec<u8>) -> Result<(), &'static str> {
    match letter {
        b'a' => text::address(out, Ipv4Addr::from(rdata.array::<4>()?).into()),
        b'A' => text::address(out, Ipv6Addr::from(rdata.array::<16>()?).into()),
        b'n' => rdata.name(out)?,
        b's' => text::quoted(out, rdata.string()?),
        b'S' => {
            text::quoted(out, rdata.string()?);
            while !rdata.is_empty() {
                out.push(b' ');
                text::quoted(out, rdata.string()?);
            }
        }
        b'k' => text::escaped(out, rdata.string()?, b"\"\\"),
        b'q' => text::quoted(out, rdata.rest()),
        b'x' => text::hex(out, rdata.rest()),
        b'b' => text::base64(out, rdata.rest()),
        b'h' => or_hyphen(out, rdata.string()?, text::hex),
        b'H' => or_hyphen(out, rdata.string()?, text::base32),
        b'z' => {
            let length = rdata.u16()?;
            let bytes = rdata.take(usize::from(length))?;
            text::decimal(out, u64::from(length));
            if length > 0 {
                out.push(b' ');
                text::base64(out, bytes);
            }
        }
        b'e' => separated(out, rdata.rest(), 1, b'-'),
        b'g' => separated(out, rdata.take(8)?, 2, b':'),
        b't' => text::time(out, rdata.array().map(u32::from_be_bytes)?),
        b'T' => types::push_type(out, rdata.u16()?),
        b'm' => bitmaps(rdata, out)?,
        b'v' => service::parameters(rdata, out)?,
        b'L' => location::show(rdata, out)?,
        digit => text::decimal(out, rdata.integer(usize::from(digit.wrapping_sub(b'0')))?),
    }
    Ok(())
}

fn or_hyphen(out: &mut Vec<u8>, bytes: &[u8], show: fn(&mut Vec<u8>, &[u8])) {
    if bytes.is_empty() {
        out.push(b'-');
    }
    show(out, bytes);
}

/// Appends groups of `size` bytes.
fn separated(out: &mut Vec<u8>, bytes: &[u8], size: usize, separator: u8) {
    for (index, group) in bytes.chunks(size).enumerate() {
        if index > 0 {
            out.push(separator);
        }
        text::hex(out, group);
    }
}

/// Appends the names of the types in the bitmaps of RFC 4034 §4.1.2.
fn bitmaps(rdata: &mut Rdata<'_>, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut first = true;
    while !rdata.is_empty() {
        let [window] = rdata.array()?;
        let bitmap = rdata.string()?;
        if bitmap.is_empty() || bitmap.len() > 32 {
            return Err("a type bitmap is not of 1 to 32 bytes");
        }
        for (octet, bits) in (0u8..).zip(bitmap) {
            for bit in (0..8).filter(|bit| bits << bit & 0x80 != 0) {
                if !std::mem::take(&mut first) {
                    out.push(b' ');
                }
                types::push_type(out, u16::from_be_bytes([window, octet << 3 | bit]));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
