//! Where a value ends of which nothing else is of interest.

/// Most counts that are kept.
pub(crate) const MAX_COUNTS: usize = 256;

/// Elements that are to come, of the innermost aggregate last; `None` where a dot ends it.
///
/// What says how many elements it has adds them to those of what is around it: depth alone takes no
/// room. Only aggregates that come in pieces, and what is in them, have counts of their own.
#[derive(Debug)]
pub(crate) struct Counts(Vec<Option<u64>>);

impl Counts {
    pub(crate) fn new(left: Option<u64>) -> Self {
        Self(vec![left])
    }

    /// Whether a dot ends what is innermost.
    pub(crate) fn is_streamed(&self) -> bool {
        self.0.last().is_some_and(Option::is_none)
    }

    /// An element is there, or starts.
    pub(crate) fn element(&mut self) {
        if let Some(Some(left)) = self.0.last_mut() {
            *left = left.saturating_sub(1);
        }
    }

    /// So many elements follow within one. Returns whether there is room to count them.
    pub(crate) fn open(&mut self, elements: Option<u64>) -> bool {
        let room = self.0.len() < MAX_COUNTS;
        match (self.0.last_mut(), elements) {
            (Some(Some(left)), Some(elements)) => *left = left.saturating_add(elements),
            _ if room => self.0.push(elements),
            _ => return false,
        }
        true
    }

    /// There was a dot.
    pub(crate) fn end(&mut self) {
        self.0.pop();
    }

    /// Nothing is to come any more.
    pub(crate) fn are_over(&mut self) -> bool {
        while self.0.last() == Some(&Some(0)) {
            self.0.pop();
        }
        self.0.is_empty()
    }
}
