//! A message within a message.

use crate::header::Header;

/// What is kept of a message within a message.
#[derive(Debug)]
pub struct Inner {
    /// The message that it is a part of: 0 is the outermost, n the n-th within it.
    pub within: usize,
    /// What its header says, in brief.
    pub header: Header,
}

impl Inner {
    pub(crate) fn new(within: usize) -> Self {
        Self { within, header: Header::brief() }
    }

    /// The bytes that it takes to remember it, roughly.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.header.weight()
    }

    /// Something of it was cut at a limit.
    pub(crate) fn is_cut(&self) -> bool {
        !self.header.cut.is_empty()
    }
}
