//! Cells whose instance can be freed while their flow is quiet.
//!
//! A store and an instance take 9 KiB, several times what has to be kept of the memory of a parser that
//! waits in the middle of a line. A guest whose state is its memory and at most one global, the stack
//! pointer, can be made anew when it is needed: a new instance gets the old memory, and so goes on
//! where the old one was. Whether a module is of this kind is found out when it is loaded, and then it
//! gets two functions more, by which the host reads the global, sets it, and grows the new memory.

use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance};

use super::guest::Guest;
use super::parser::begin_call;
use super::state::State;

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
    /// The global of an instance that has not been called.
    first: u32,
}

impl Resumption {
    /// Finds the two functions, with the help of an instance that has not been called. They are the
    /// host's: a file that comes with functions of these names is refused.
    pub(crate) fn of(
        component: &Component,
        store: &mut Store<State>,
        instance: &Instance,
    ) -> wasmtime::Result<Option<Self>> {
        let index = |name| component.get_export_index(None, name);
        let (Some(save), Some(restore)) = (index(SAVE), index(RESTORE)) else { return Ok(None) };
        let first = global(store, instance, &save)?;
        Ok(Some(Self { save, restore, first }))
    }

    /// Reads the global.
    pub(crate) fn save(&self, guest: &mut Guest) -> wasmtime::Result<u32> {
        global(&mut guest.store, &guest.instance, &self.save)
    }

    /// Sets the global to what it was at first. The memory has as many bytes as it had then.
    pub(crate) fn renew(&self, guest: &mut Guest, len: u32) -> wasmtime::Result<()> {
        self.restore(guest, self.first, len)
    }

    /// Sets the global, and grows the memory to `len` bytes, no less than it has.
    pub(crate) fn restore(&self, guest: &mut Guest, global: u32, len: u32) -> wasmtime::Result<()> {
        let Guest { store, instance, .. } = guest;
        let restore = instance.get_typed_func::<(u32, u32), ()>(&mut *store, &self.restore)?;
        begin_call(store, |store| restore.call(store, (global, len / PAGE)))
    }
}

fn global(
    store: &mut Store<State>,
    instance: &Instance,
    save: &ComponentExportIndex,
) -> wasmtime::Result<u32> {
    let save = instance.get_typed_func::<(), (u32,)>(&mut *store, save)?;
    begin_call(store, |store| save.call(store, ())).map(|(global,)| global)
}
