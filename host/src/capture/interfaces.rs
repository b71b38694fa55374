//! Numbers for the interfaces of a run.

/// What the interfaces of one file are called in the run.
///
/// A section of a pcapng file describes 65,536 interfaces at most, and none of an earlier section comes
/// again, so that this stays small.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    section: u64,
    /// By the number in the section; `None` until a frame of it has come.
    known: Vec<Option<u32>>,
}

impl Interfaces {
    /// Returns the number of an interface in the run, of which `seen` counts the interfaces.
    pub(super) fn number(&mut self, section: u64, interface: u32, seen: &mut u32) -> u32 {
        if section != self.section {
            self.section = section;
            self.known.clear();
        }
        let index = interface as usize;
        if index >= self.known.len() {
            self.known.resize(index + 1, None);
        }
        let fresh = *seen;
        let Some(known) = self.known.get_mut(index) else { return fresh };
        *known.get_or_insert_with(|| {
            *seen = seen.saturating_add(1);
            fresh
        })
    }
}
