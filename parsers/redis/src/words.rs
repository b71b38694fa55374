//! The words of a command: the start of the first ones.

/// Longest part of a word, of a reply or of a message that is kept, in bytes.
pub(crate) const MAX_SHOWN: usize = 256;

/// Most words of a command that are kept.
pub(crate) const MAX_WORDS: usize = 8;

/// The start of something, and how long all of it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) bytes: Vec<u8>,
    pub(crate) length: u64,
}

impl Kept {
    pub(crate) fn is_cut(&self) -> bool {
        self.length > self.bytes.len() as u64
    }
}

/// The words of a command.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) kept: Vec<Kept>,
    /// How many there are.
    pub(crate) count: u64,
    pub(crate) inline: bool,
    /// The last of them was not seen as a whole.
    pub(crate) incomplete: bool,
}

impl Words {
    pub(crate) fn push(&mut self, bytes: &[u8], length: u64) {
        if self.kept.len() < MAX_WORDS {
            let bytes = bytes.get(..MAX_SHOWN).unwrap_or(bytes).to_vec();
            self.kept.push(Kept { bytes, length });
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Kept> {
        self.kept.get(index)
    }

    /// This word and all behind it, with spaces between them.
    pub(crate) fn from(&self, index: usize) -> Option<Kept> {
        let (first, others) = self.kept.get(index..)?.split_first()?;
        let mut all = first.clone();
        for word in others {
            if !all.is_cut() {
                all.bytes.push(b' ');
                all.bytes.extend_from_slice(&word.bytes);
                all.bytes.truncate(MAX_SHOWN);
            }
            all.length = all.length.saturating_add(word.length).saturating_add(1);
        }
        // Of those that are not kept, the length is not known.
        let lost = self.count.saturating_sub(self.kept.len() as u64);
        all.length = all.length.saturating_add(lost);
        Some(all)
    }

    /// The word, in upper case.
    pub(crate) fn upper(&self, index: usize) -> Option<Vec<u8>> {
        self.get(index).map(|word| word.bytes.to_ascii_uppercase())
    }

    /// Whether the first word can be the name of a command.
    pub(crate) fn is_command(&self) -> bool {
        self.get(0).is_some_and(|word| {
            word.length <= 64
                && word.bytes.first().is_some_and(u8::is_ascii_alphabetic)
                && word.bytes.iter().all(u8::is_ascii_graphic)
        })
    }
}
