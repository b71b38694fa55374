//! Character sets of one byte a character: what the bytes 0x80 to 0xFF stand for.
//!
//! Generated with Python 3.11's codecs, `bytes([byte]).decode(codec)`; U+FFFD stands for a byte that
//! the character set does not define. Each is told by its differences from one that it resembles:
//! written out, they would be a third of the parser's data.

mod iso_8859;
mod koi8;
mod windows;

/// A character set.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name without punctuation, in lower case.
    pub(super) name: &'static str,
    /// What it is like; ISO-8859-1 if nothing is said.
    base: Option<&'static Self>,
    /// Where it differs: the first byte, how many, and the code point of the first; those of the
    /// others follow on it. U+FFFD is that of all.
    runs: &'static [(u8, u8, u16)],
}

impl Table {
    /// The code point of a byte.
    pub(super) fn point(&self, byte: u8) -> u16 {
        let mut table = self;
        loop {
            for &(first, count, point) in table.runs {
                let index = byte.wrapping_sub(first);
                if index < count {
                    return if point == 0xfffd { point } else { point + u16::from(index) };
                }
            }
            match table.base {
                Some(base) => table = base,
                None => return u16::from(byte),
            }
        }
    }
}

pub(super) static TABLES: [&Table; 26] = [
    &iso_8859::ISO_8859_2,
    &iso_8859::ISO_8859_3,
    &iso_8859::ISO_8859_4,
    &iso_8859::ISO_8859_5,
    &iso_8859::ISO_8859_6,
    &iso_8859::ISO_8859_7,
    &iso_8859::ISO_8859_8,
    &iso_8859::ISO_8859_9,
    &iso_8859::ISO_8859_10,
    &iso_8859::ISO_8859_11,
    &iso_8859::ISO_8859_13,
    &iso_8859::ISO_8859_14,
    &iso_8859::ISO_8859_15,
    &iso_8859::ISO_8859_16,
    &windows::WINDOWS_1250,
    &windows::WINDOWS_1251,
    &windows::WINDOWS_1252,
    &windows::WINDOWS_1253,
    &windows::WINDOWS_1254,
    &windows::WINDOWS_1255,
    &windows::WINDOWS_1256,
    &windows::WINDOWS_1257,
    &windows::WINDOWS_1258,
    &windows::WINDOWS_874,
    &koi8::KOI8_R,
    &koi8::KOI8_U,
];

#[cfg(test)]
mod tests {
    use super::TABLES;

    /// Polynomial hashes of the 128 code points, computed where the tables were.
    #[test]
    fn tables_hold_what_was_generated() {
        let expected: [(&str, u32); 26] = [
            ("iso88592", 0xec9276e5),
            ("iso88593", 0x7adafbd1),
            ("iso88594", 0xdb4e770c),
            ("iso88595", 0x55865484),
            ("iso88596", 0x4268288e),
            ("iso88597", 0x3ccb0a4c),
            ("iso88598", 0x46ddaf09),
            ("iso88599", 0x0b919829),
            ("iso885910", 0x6f976329),
            ("iso885911", 0x30590120),
            ("iso885913", 0x221e6633),
            ("iso885914", 0x29099c37),
            ("iso885915", 0xde2a643c),
            ("iso885916", 0x47d4e938),
            ("windows1250", 0x8ff2bf85),
            ("windows1251", 0xcf51f3b7),
            ("windows1252", 0xa41bb9f7),
            ("windows1253", 0x2aae53ad),
            ("windows1254", 0x002128c1),
            ("windows1255", 0xc4803cf0),
            ("windows1256", 0x1531e525),
            ("windows1257", 0x63d7932c),
            ("windows1258", 0x1eb449b6),
            ("windows874", 0xdbb16ace),
            ("koi8r", 0xa157c75c),
            ("koi8u", 0x1dd27a13),
        ];
        for (table, (name, hash)) in TABLES.iter().zip(expected) {
            let append =
                |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(u32::from(table.point(byte)));
            assert_eq!((table.name, (0x80..=0xff).fold(0, append)), (name, hash));
        }
    }
}
