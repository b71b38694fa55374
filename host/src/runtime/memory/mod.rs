//! Where guests' memories lie, and how those of quiet cells are put away.
//!
//! wasmtime's own ways of getting memory end near 16,000 instances, because each takes mappings of its
//! own. Here all memories are slots of a few large mappings ([`Slab`]). Whoever gets a slot finds
//! zeros in it: that is the isolation between flows, and [`slab`] is where it is kept.

mod image;
mod mapping;
mod slab;

pub(super) use image::{Image, Initial};
pub(super) use slab::{Creator, NO_MEMORY, Slab, View, Viewed, discard, memory_of, watched};
