//! Cells whose instance can be freed while their flow is quiet.
//!
//! A store and an instance take 9 KiB, several times what has to be kept of the memory of a parser that
//! waits in the middle of a line. A guest whose state is its memory and at most one global, the stack
//! pointer, can be made anew when it is needed: a new instance gets the old memory, and so goes on
//! where the old one was. Whether a module is of this kind is found out when it is loaded, and then it
//! gets two functions more, by which the host reads the global, sets it, and grows the new memory.

use wasmtime::component::{Component, ComponentExportIndex};

use super::cell::Guest;
use super::parser::begin_call;

/// `func() -> u32`: the value of the global.
pub(crate) const SAVE: &str = "flowcell-save";
/// `func(global: u32, pages: u32)`: sets the global, and grows the memory to so many pages.
pub(crate) const RESTORE: &str = "flowcell-restore";

/// Bytes of a page of a guest's memory.
const PAGE: u32 = 65_536;

/// How to free an instance and make it anew.
#[derive(Debug)]
pub(crate) struct Resumption {
    save: ComponentExportIndex,
    restore: ComponentExportIndex,
}

impl Resumption {
    /// Finds the two functions. They are the host's: a file that comes with functions of these names is
    /// refused.
    pub(crate) fn of(component: &Component) -> Option<Self> {
        let save = component.get_export_index(None, SAVE)?;
        let restore = component.get_export_index(None, RESTORE)?;
        Some(Self { save, restore })
    }

    /// Reads the global.
    pub(crate) fn save(&self, guest: &mut Guest) -> wasmtime::Result<u32> {
        let Guest { store, instance, .. } = guest;
        let save = instance.get_typed_func::<(), (u32,)>(&mut *store, &self.save)?;
        begin_call(store, |store| save.call(store, ())).map(|(global,)| global)
    }

    /// Sets the global, and grows the memory of a new instance to `len` bytes.
    pub(crate) fn restore(&self, guest: &mut Guest, global: u32, len: u32) -> wasmtime::Result<()> {
        let Guest { store, instance, .. } = guest;
        let restore = instance.get_typed_func::<(u32, u32), ()>(&mut *store, &self.restore)?;
        begin_call(store, |store| restore.call(store, (global, len / PAGE)))
    }
}
