//! The header of a message (RFC 1035 §4.1.1).

/// Its length in bytes.
pub(crate) const HEADER: usize = 12;

/// The operation that changes a zone (RFC 2136 §1.3).
pub(crate) const UPDATE: u8 = 5;

/// The operation whose messages go on behind their records (RFC 8490 §5.4).
pub(crate) const STATEFUL: u8 = 6;

/// Identifier, flags, and how many questions and records follow.
///
/// ```text
///    0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
///   QR│  opcode   │AA│TC│RD│RA│ Z│AD│CD│   rcode
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Header {
    pub(crate) id: u16,
    flags: u16,
    /// Questions, answers, authority and additional records.
    pub(crate) counts: [u16; 4],
}

impl Header {
    /// Reads it. What is missing of it reads as 0.
    pub(crate) fn read(message: &[u8]) -> Self {
        let field = |index: usize| {
            let byte = |at: usize| message.get(at).copied().unwrap_or_default();
            u16::from_be_bytes([byte(2 * index), byte(2 * index + 1)])
        };
        Self { id: field(0), flags: field(1), counts: [field(2), field(3), field(4), field(5)] }
    }

    fn flag(self, bit: u16) -> bool {
        self.flags & bit != 0
    }

    /// QR: it answers.
    pub(crate) fn is_reply(self) -> bool {
        self.flag(0x8000)
    }

    pub(crate) fn opcode(self) -> u8 {
        let [upper, _] = self.flags.to_be_bytes();
        upper >> 3 & 15
    }

    /// The lower four bits of the response code.
    pub(crate) fn rcode(self) -> u16 {
        self.flags & 15
    }

    pub(crate) fn aa(self) -> bool {
        self.flag(0x0400)
    }

    pub(crate) fn tc(self) -> bool {
        self.flag(0x0200)
    }

    pub(crate) fn rd(self) -> bool {
        self.flag(0x0100)
    }

    pub(crate) fn ra(self) -> bool {
        self.flag(0x0080)
    }

    /// What RFC 1035 had as Z: a bit that must be 0, and then AD and CD (RFC 4035 §3.1.6, §3.2.2).
    pub(crate) fn z(self) -> u16 {
        self.flags >> 4 & 7
    }

    pub(crate) fn ad(self) -> bool {
        self.flag(0x0020)
    }

    pub(crate) fn cd(self) -> bool {
        self.flag(0x0010)
    }

    /// Whether this could be the header of a message: a known operation, the bit that must be 0, no
    /// response code in a query, and at most one question, or in mDNS, where several are usual, fewer
    /// than fit a packet.
    pub(crate) fn is_plausible(self, mdns: bool) -> bool {
        let [questions, ..] = self.counts;
        let most = if mdns { 256 } else { 1 };
        matches!(self.opcode(), 0 | 1 | 2 | 4 | UPDATE | STATEFUL)
            && self.z() < 4
            && (self.is_reply() || self.rcode() == 0)
            && questions <= most
    }

    /// Whether it is plausible on a stream before a message of so many bytes: there is room for all that it
    /// counts, and a query has no answers.
    pub(crate) fn fits(self, length: usize) -> bool {
        let [questions, answers, authority, additional] = self.counts.map(usize::from);
        let least = HEADER + 5 * questions + 11 * (answers + authority + additional);
        let answered_query = self.opcode() == 0 && !self.is_reply() && answers > 0;
        self.is_plausible(false) && least <= length && !answered_query
    }

    /// There is one question: with what else makes a header plausible, that is hardly by chance.
    pub(crate) fn has_question(self) -> bool {
        self.counts.starts_with(&[1])
    }
}
