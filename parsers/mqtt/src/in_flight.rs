//! The messages whose exchange is not over.

use std::collections::BTreeMap;

use crate::pending::Publish;

/// Most room that they take, in bytes: about 500 small messages.
const MAX_WEIGHT: usize = 65_536;

/// Whether the client has published it, and the identifier of the exchange.
type Key = (bool, Option<u16>);

/// Messages in the order in which they were published. Neither an acknowledgement nor a message that is
/// evicted costs more where there are many.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// By when they were published.
    publishes: BTreeMap<u64, Box<Publish>>,
    /// When each was published.
    numbers: BTreeMap<Key, u64>,
    /// How many were published so far.
    count: u64,
    weight: usize,
}

impl InFlight {
    /// Takes a message of which there is none with the same identifier.
    pub(crate) fn push(&mut self, publish: Publish) {
        self.weight += publish.weight();
        self.count += 1;
        self.numbers.insert((publish.from_client, publish.id), self.count);
        self.publishes.insert(self.count, Box::new(publish));
    }

    /// The oldest message, if they take too much room.
    pub(crate) fn evict(&mut self) -> Option<Box<Publish>> {
        let (number, oldest) = self.publishes.first_key_value()?;
        let key = (oldest.from_client, oldest.id);
        if self.weight <= MAX_WEIGHT { None } else { self.remove(key, *number) }
    }

    pub(crate) fn find(&mut self, from_client: bool, id: Option<u16>) -> Option<&mut Publish> {
        let number = self.numbers.get(&(from_client, id))?;
        self.publishes.get_mut(number).map(|publish| &mut **publish)
    }

    pub(crate) fn take(&mut self, from_client: bool, id: Option<u16>) -> Option<Box<Publish>> {
        let key = (from_client, id);
        let number = *self.numbers.get(&key)?;
        self.remove(key, number)
    }

    fn remove(&mut self, key: Key, number: u64) -> Option<Box<Publish>> {
        self.numbers.remove(&key);
        let publish = self.publishes.remove(&number)?;
        self.weight = self.weight.saturating_sub(publish.weight());
        Some(publish)
    }

    /// All of them, oldest first.
    pub(crate) fn into_all(self) -> impl Iterator<Item = Box<Publish>> {
        self.publishes.into_values()
    }
}
