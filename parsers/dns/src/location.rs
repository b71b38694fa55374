//! LOC records (RFC 1876).

use crate::rdata::Rdata;
use crate::text;

/// The equator, the prime meridian: 2^31 thousandths of a second of arc.
const MIDDLE: u32 = 1 << 31;

/// Altitude 0 in centimetres: the data counts from 100,000 m below.
const SEA_LEVEL: u32 = 10_000_000;

/// Appends latitude, longitude, altitude, size and precisions (§3).
pub(crate) fn show(rdata: &mut Rdata<'_>, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let [version, sizes @ ..]: [u8; 4] = rdata.array()?;
    let [latitude, longitude, altitude] =
        [rdata.array()?, rdata.array()?, rdata.array()?].map(u32::from_be_bytes);
    if version != 0 {
        return Err("the version of a location is not 0");
    }
    angle(out, latitude, b'N', b'S');
    angle(out, longitude, b'E', b'W');
    if altitude < SEA_LEVEL {
        out.push(b'-');
    }
    metres(out, u64::from(altitude.abs_diff(SEA_LEVEL)));
    for size in sizes {
        // §2: a decimal digit and a power of ten, in centimetres.
        let (base, exponent) = (size >> 4, size & 15);
        if base > 9 || exponent > 9 {
            return Err("a size of a location is out of range");
        }
        out.push(b' ');
        metres(out, u64::from(base) * 10u64.pow(exponent.into()));
    }
    Ok(())
}

/// Degrees, minutes, seconds and their thousandths, and the hemisphere.
fn angle(out: &mut Vec<u8>, angle: u32, positive: u8, negative: u8) {
    let size = u64::from(angle.abs_diff(MIDDLE));
    text::decimal(out, size / 3_600_000);
    out.push(b' ');
    text::decimal(out, size / 60_000 % 60);
    out.push(b' ');
    text::decimal(out, size / 1_000 % 60);
    out.push(b'.');
    text::padded(out, size % 1_000, 3);
    out.extend_from_slice(&[b' ', if angle < MIDDLE { negative } else { positive }, b' ']);
}

fn metres(out: &mut Vec<u8>, centimetres: u64) {
    text::decimal(out, centimetres / 100);
    out.push(b'.');
    text::padded(out, centimetres % 100, 2);
    out.push(b'm');
}
