//! What happened in a flow, in Zeek's letters.
//!
//! Lower case is the responder's, upper case the originator's; [`HistoryText::LETTERS`] says what each means.
//!
//! The letters are those of Zeek's `conn.log`, and tell what was seen, believed or not. Two things
//! differ. A gap's letter stands where the gap was declared, which may be a moment after the
//! acknowledgment that revealed it. And a history ends after [`LETTERS`] letters, so that its size
//! is fixed.

use core::fmt;

use crate::Side;

/// How many letters a history holds.
pub(crate) const LETTERS: usize = 18;

/// How many letters of five bits go into a word.
const PER_WORD: usize = 6;

/// A letter of a history, without its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Letter {
    Syn,
    SynAck,
    Ack,
    Data,
    Fin,
    Rst,
    FinRst,
    MultiFlag,
    Flip,
    /// A wrong checksum, of TCP or UDP.
    Checksum,
    Gap,
    Retransmit,
    ZeroWindow,
}

/// The letters in the order of [`Letter`].
const TEXT: [u8; 13] = *b"shadfriq^cgtw";

/// Letters from this one on are written at the 1st, 10th, 100th … time.
const COUNTED: usize = Letter::Checksum as usize;

/// The letters of one flow.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Five bits for each letter: its place in `TEXT`, and 16 for the originator's.
    words: [u32; LETTERS / PER_WORD],
    len: u8,
    /// Whether a letter was left out because there was no room.
    cut: bool,
    /// The letters seen that are not counted, by side.
    seen: [u8; 2],
    /// How often each of the counted letters was seen, by side.
    counts: Option<Box<[[u32; TEXT.len() - COUNTED]; 2]>>,
}

impl History {
    /// Takes note of what a side did.
    pub(crate) fn note(&mut self, side: Side, letter: Letter) {
        if letter as usize >= COUNTED {
            self.count(side, letter);
        } else {
            self.note_once(side, letter);
        }
    }

    /// Takes note of what a side did, given that the letter is not counted.
    #[inline]
    pub(crate) fn note_once(&mut self, side: Side, letter: Letter) {
        if !self.has(side, letter) {
            self.write(side, letter);
        }
    }

    /// Takes note of what a side did, even if it did the same before.
    pub(crate) fn note_again(&mut self, side: Side, letter: Letter) {
        self.write(side, letter);
    }

    /// Returns whether a letter that is not counted was written.
    #[inline]
    pub(crate) const fn has(&self, side: Side, letter: Letter) -> bool {
        self.seen[side.index()] & bit(letter) != 0
    }

    /// Returns whether a letter was left out.
    pub(crate) const fn is_cut(&self) -> bool {
        self.cut
    }

    /// Returns the letters as text.
    pub(crate) fn text(&self) -> HistoryText {
        let mut text = HistoryText::default();
        for (at, to) in text.letters.iter_mut().take(usize::from(self.len)).enumerate() {
            let code = self.words.get(at / PER_WORD).map_or(0, |word| word >> (at % PER_WORD * 5));
            let letter = TEXT.get(code as usize & 15).copied().unwrap_or(b'?');
            *to = if code & 16 != 0 { letter.to_ascii_uppercase() } else { letter };
            text.len += 1;
        }
        text
    }

    #[cold]
    fn count(&mut self, side: Side, letter: Letter) {
        let counts = self.counts.get_or_insert_default();
        let at = (letter as usize).saturating_sub(COUNTED);
        let Some(count) = counts[side.index()].get_mut(at) else { return };
        *count = count.saturating_add(1);
        let mut power = *count;
        while power % 10 == 0 {
            power /= 10;
        }
        if power == 1 {
            self.write(side, letter);
        }
    }

    #[cold]
    fn write(&mut self, side: Side, letter: Letter) {
        self.seen[side.index()] |= bit(letter);
        let at = usize::from(self.len);
        let Some(word) = self.words.get_mut(at / PER_WORD) else {
            self.cut = true;
            return;
        };
        let upper = if side == Side::Orig && letter != Letter::Flip { 16 } else { 0 };
        *word |= (letter as u32 | upper) << (at % PER_WORD * 5);
        self.len += 1;
    }
}

/// Returns the bit of a letter in `seen`. SYN and SYN-ACK share one, as in Zeek.
const fn bit(letter: Letter) -> u8 {
    match letter {
        Letter::Syn | Letter::SynAck => 1,
        Letter::Ack => 1 << 1,
        Letter::Data => 1 << 2,
        Letter::Fin => 1 << 3,
        Letter::Rst => 1 << 4,
        Letter::FinRst => 1 << 5,
        Letter::MultiFlag => 1 << 6,
        Letter::Flip | Letter::Checksum | Letter::Gap | Letter::Retransmit | Letter::ZeroWindow => {
            0
        }
    }
}

/// The history of a flow as text, in the letters of Zeek's `history`; at most 18 of them.
///
/// Upper case is the originator's.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryText {
    letters: [u8; LETTERS],
    len: u8,
}

impl HistoryText {
    /// All letters as the responder's, what was seen, and how often it is written.
    pub const LETTERS: &'static [(char, &'static str, &'static str)] = &[
        ('s', "SYN without ACK", "again if its sequence number is another one"),
        ('h', "SYN with ACK", "as `s`; a side has one of the two at first"),
        ('a', "ACK without payload, SYN, FIN or RST", "once"),
        ('d', "payload without SYN, FIN or RST; a datagram", "once"),
        ('f', "FIN", "again if it marks another end than the one believed"),
        ('r', "RST", "again if its sequence number is another one"),
        ('i', "FIN and RST in one segment", "once"),
        ('q', "SYN with FIN or RST in one segment", "once"),
        ('^', "the direction was turned round when the flow opened", "once"),
        ('c', "a wrong checksum", "at the 1st, 10th, 100th … time"),
        ('g', "a content gap of the side's bytes", "at the 1st, 10th, 100th … time"),
        ('t', "payload of which nothing is new by its place", "at the 1st, 10th, 100th … time"),
        ('w', "an advertised window of zero", "at the 1st, 10th, 100th … time"),
    ];

    /// Returns the letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let letters = self.letters.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(letters).unwrap_or_default()
    }
}

impl fmt::Display for HistoryText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for HistoryText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::Letter::{
        Ack, Checksum, Data, Fin, FinRst, Flip, Gap, MultiFlag, Retransmit, Rst, Syn, SynAck,
        ZeroWindow,
    };
    use super::*;
    use crate::Side::{Orig, Resp};

    fn text(letters: &[(Side, Letter)]) -> String {
        let mut history = History::default();
        for &(side, letter) in letters {
            history.note(side, letter);
        }
        history.text().to_string()
    }

    #[test]
    fn all_letters_are_told_of() {
        let told: String = HistoryText::LETTERS.iter().map(|(letter, ..)| letter).collect();
        assert_eq!(told.as_bytes(), TEXT);
    }

    #[test]
    fn originator_is_upper_case() {
        let all = [Syn, SynAck, Ack, Data, Fin, Rst, FinRst, MultiFlag];
        let counted = [Checksum, Gap, Retransmit, ZeroWindow];
        // SYN and SYN-ACK count as one kind, of which the first is written.
        for (side, expected) in [(Orig, "SADFRIQCGTW"), (Resp, "sadfriqcgtw")] {
            let letters: Vec<_> = all.iter().chain(&counted).map(|&l| (side, l)).collect();
            assert_eq!(text(&letters), expected);
        }
        assert_eq!(text(&[(Orig, Flip), (Resp, SynAck), (Orig, Ack)]), "^hA");
    }

    #[test]
    fn plain_letters_come_once_for_each_side() {
        let exchange = [(Orig, Data), (Resp, Ack), (Resp, Data), (Orig, Ack)];
        assert_eq!(text(&exchange.repeat(50)), "DadA");
    }

    #[test]
    fn counted_letters_come_at_powers_of_ten() {
        for (times, expected) in [(1, "t"), (9, "t"), (10, "tt"), (99, "tt"), (100, "ttt")] {
            assert_eq!(text(&[(Resp, Retransmit)].repeat(times)), expected, "{times}");
        }
        // Each side and each letter is counted on its own.
        assert_eq!(text(&[(Orig, Gap), (Resp, Gap), (Orig, ZeroWindow)].repeat(10)), "GgWGgW");
    }

    #[test]
    fn letter_that_is_noted_again_is_written_again() {
        let mut history = History::default();
        history.note(Orig, Rst);
        history.note(Orig, Rst);
        history.note_again(Orig, Rst);
        assert_eq!(history.text().as_str(), "RR");
        assert!(history.has(Orig, Rst) && !history.has(Resp, Rst));
    }

    #[test]
    fn full_history_takes_no_more_letters() {
        let mut history = History::default();
        for _ in 0..LETTERS {
            history.note_again(Resp, Rst);
        }
        assert!(!history.is_cut());
        history.note(Orig, Fin);
        assert!(history.is_cut());
        assert_eq!(history.text().as_str(), "r".repeat(LETTERS));
    }

    #[test]
    fn history_is_small() {
        assert!(size_of::<History>() <= 24);
    }
}
