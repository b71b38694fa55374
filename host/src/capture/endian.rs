//! Byte order of a capture file, which is its writer's.

/// The order in which a file's integers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// Reads the 16-bit integer at `at`; 0 beyond the end, where callers never look.
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let value = array(bytes, at);
        match self {
            Self::Little => u16::from_le_bytes(value),
            Self::Big => u16::from_be_bytes(value),
        }
    }

    /// Reads the 32-bit integer at `at`; 0 beyond the end, where callers never look.
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let value = array(bytes, at);
        match self {
            Self::Little => u32::from_le_bytes(value),
            Self::Big => u32::from_be_bytes(value),
        }
    }

    /// Reads the signed 64-bit integer at `at`; 0 beyond the end, where callers never look.
    pub(super) fn i64(self, bytes: &[u8], at: usize) -> i64 {
        let value = array(bytes, at);
        match self {
            Self::Little => i64::from_le_bytes(value),
            Self::Big => i64::from_be_bytes(value),
        }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}
