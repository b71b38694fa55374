//! What a sink keeps for each flow, found by the engine's flow id.

use flowcell_core::FlowId;

/// A table beside the engine's: ids are dense and reused, so it is a vector.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Option<(FlowId, T)>>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// The place of a flow, whoever has it.
    fn slot(&mut self, id: FlowId) -> &mut Option<(FlowId, T)> {
        let index = id.index();
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, || None);
        }
        &mut self.slots[index]
    }

    pub(super) fn insert(&mut self, id: FlowId, value: T) {
        *self.slot(id) = Some((id, value));
    }

    /// What is there, or else something new.
    pub(super) fn entry(&mut self, id: FlowId) -> &mut T
    where
        T: Default,
    {
        let slot = self.slot(id);
        if slot.as_ref().is_none_or(|(owner, _)| *owner != id) {
            *slot = None;
        }
        &mut slot.get_or_insert_with(|| (id, T::default())).1
    }

    pub(super) fn get_mut(&mut self, id: FlowId) -> Option<&mut T> {
        match self.slots.get_mut(id.index()) {
            Some(Some((owner, value))) if *owner == id => Some(value),
            _ => None,
        }
    }

    pub(super) fn remove(&mut self, id: FlowId) -> Option<T> {
        self.get_mut(id)?;
        self.slots.get_mut(id.index())?.take().map(|(_, value)| value)
    }
}
