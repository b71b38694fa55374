//! Slots of memory for guests, and how wasmtime gets at them.
//!
//! Slots come in sizes that double from 64 KiB, the size of a WebAssembly page, to 4 GiB. Those of a
//! size are cut from mappings, so that a million take a few mappings, and neighbours share page
//! tables. A memory that outgrows its slot moves to one of the next sizes.
//!
//! *Every slot in a list of free ones is zero from start to end.* A slot is new from the system, which
//! makes it zero; or it was given back by [`Slab::release`], which zeroes all that its guest could
//! reach: no more than `used`, because compiled code checks every access against the memory's size,
//! and that never shrinks while the guest lives.
#![expect(
    unsafe_code,
    reason = "wasmtime takes memories as raw pointers; the arguments stand at each"
)]

use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::{LinearMemory, MemoryCreator, MemoryType, Store};

use super::mapping::{Mapping, give_back, is_zero};

/// Bytes of the smallest slots.
const SMALLEST: usize = 64 << 10;
/// Sizes of slots: the last is 4 GiB, all that a 32-bit memory can have.
const SIZES: usize = 17;
/// Bytes that are mapped at a time, or one slot if that is larger. Miri keeps books of each byte.
const MAPPED: usize = if cfg!(miri) { 1 << 20 } else { 64 << 20 };
/// The largest memory that is zeroed by hand when it is given back, so that its pages stay. Giving
/// pages back and getting new ones costs more than zeroing a few.
const WARM: usize = 256 << 10;
/// Warm slots that are kept of one size.
const MAX_WARM: usize = 256;

/// All memories of one engine.
#[derive(Debug)]
pub(crate) struct Slab {
    sizes: [Mutex<Free>; SIZES],
}

/// The slots of one size that nobody has.
#[derive(Debug, Default)]
struct Free {
    /// With pages.
    warm: Vec<Slot>,
    /// Without.
    cold: Vec<Slot>,
    mappings: Vec<Mapping>,
    /// Bytes of the last mapping that are slots already.
    cut: usize,
}

/// A piece of a mapping that nobody else has. Which slab and which size it is of, its owner knows.
#[derive(Debug)]
struct Slot(NonNull<u8>);

// SAFETY: a slot is the only handle to its piece of memory, so it can be sent where it is needed.
unsafe impl Send for Slot {}
// SAFETY: who has it only by reference can not get at the memory.
unsafe impl Sync for Slot {}

impl Slab {
    pub(crate) fn new() -> Self {
        Self { sizes: std::array::from_fn(|_| Mutex::default()) }
    }

    fn free(&self, size: usize) -> Option<MutexGuard<'_, Free>> {
        // Nobody panics while holding it; and if so, the lists are as good as they were.
        Some(self.sizes.get(size)?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a slot of that size. All of it is zero.
    fn take(&self, size: usize) -> std::io::Result<Slot> {
        let mut free = self.free(size).ok_or(std::io::ErrorKind::OutOfMemory)?;
        if let Some(slot) = free.warm.pop().or_else(|| free.cold.pop()) {
            return Ok(slot);
        }
        let bytes = bytes_of(size);
        if free.mappings.last().is_none_or(|mapping| mapping.len() - free.cut < bytes) {
            let mapping = Mapping::new(bytes.max(MAPPED))?;
            free.mappings.push(mapping);
            free.cut = 0;
        }
        let start = free.cut;
        free.cut += bytes;
        let mapping = free.mappings.last().ok_or(std::io::ErrorKind::OutOfMemory)?;
        // SAFETY: `start + bytes` is within the mapping, as was just made sure of.
        Ok(Slot(unsafe { mapping.base().add(start) }))
    }

    /// Takes a slot back whose first `used` bytes, a multiple of a page, may have been written to.
    fn release(&self, size: usize, slot: Slot, used: usize) {
        let warm = used <= WARM && self.free(size).is_some_and(|free| free.warm.len() < MAX_WARM);
        if warm {
            // SAFETY: the slot is ours alone, and `used` is no more than its size.
            let memory = unsafe { std::slice::from_raw_parts_mut(slot.0.as_ptr(), used) };
            // Reading a page that was never written to takes no memory; writing to it would.
            let pages = memory.chunks_mut(Mapping::PAGE);
            pages.filter(|page| !is_zero(page)).for_each(|page| page.fill(0));
        } else {
            // SAFETY: the slot is ours alone; it starts at a page, and so does what is behind `used`.
            unsafe { give_back(slot.0, used) };
        }
        if let Some(mut free) = self.free(size) {
            if warm { free.warm.push(slot) } else { free.cold.push(slot) }
        }
    }
}

/// Bytes of a slot of that size.
const fn bytes_of(size: usize) -> usize {
    SMALLEST << size
}

/// The smallest size of slots that hold `bytes`.
fn size_for(bytes: usize) -> usize {
    let slots = bytes.div_ceil(SMALLEST).max(1);
    slots.next_power_of_two().trailing_zeros() as usize
}

/// One guest's memory, as wasmtime has it.
struct GuestMemory {
    slab: Arc<Slab>,
    /// `None` only while it is dropped.
    slot: Option<Slot>,
    size: usize,
    /// Bytes that the guest can reach: a multiple of 64 KiB, no more than the slot has.
    len: usize,
    view: Arc<View>,
}

/// Where a memory is now; empty once it is gone. The one who set the guest up has it, to park the guest.
#[derive(Debug)]
pub(crate) struct View {
    base: AtomicPtr<u8>,
    len: AtomicUsize,
}

impl GuestMemory {
    fn new(slab: &Arc<Slab>, len: usize) -> std::io::Result<Self> {
        let size = size_for(len);
        let slot = slab.take(size)?;
        let base = AtomicPtr::new(slot.0.as_ptr());
        let view = Arc::new(View { base, len: AtomicUsize::new(len) });
        Ok(Self { slab: Arc::clone(slab), slot: Some(slot), size, len, view })
    }

    fn publish(&self) {
        self.view.base.store(self.as_ptr(), Ordering::Release);
        self.view.len.store(self.len, Ordering::Release);
    }
}

// SAFETY: `as_ptr` points to `byte_capacity` bytes that nobody else reads or writes while this value
// lives, except through `memory_of`, which shows them to who has the store to himself; they start at a
// page. There is no guard: the engine is set up with none (`memory_guard_size(0)`, no reservation), so
// that compiled code checks every access against `byte_size`. Growth within the capacity moves nothing.
unsafe impl LinearMemory for GuestMemory {
    fn byte_size(&self) -> usize {
        self.len
    }

    fn byte_capacity(&self) -> usize {
        bytes_of(self.size)
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        if new_size > bytes_of(self.size) {
            let size = size_for(new_size);
            let larger = self.slab.take(size)?;
            let Some(old) = self.slot.take() else { return Ok(()) };
            // SAFETY: both slots are ours alone and so apart, and each has at least `len` bytes.
            unsafe { old.0.copy_to_nonoverlapping(larger.0, self.len) };
            self.slot = Some(larger);
            let old_size = std::mem::replace(&mut self.size, size);
            self.slab.release(old_size, old, self.len);
        }
        self.len = new_size;
        self.publish();
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.slot.as_ref().map_or(std::ptr::null_mut(), |slot| slot.0.as_ptr())
    }
}

impl Drop for GuestMemory {
    fn drop(&mut self) {
        self.view.len.store(0, Ordering::Release);
        self.view.base.store(std::ptr::null_mut(), Ordering::Release);
        if let Some(slot) = self.slot.take() {
            self.slab.release(self.size, slot, self.len);
        }
    }
}

/// How the message starts when the system has no memory: wasmtime passes on nothing else of the error.
pub(crate) const NO_MEMORY: &str = "no memory for a guest";

/// What hands memories to wasmtime.
#[derive(Debug)]
pub(crate) struct Creator(pub(crate) Arc<Slab>);

// SAFETY: the memories are as `LinearMemory` wants them, see there. They come without a guard and without
// a reservation, and are refused to who asks for either.
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _ty: MemoryType,
        minimum: usize,
        _maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        if guard > 0 || reserved.is_some_and(|reserved| reserved > 0) {
            return Err("the engine asks for a guard or a reservation".into());
        }
        let memory =
            GuestMemory::new(&self.0, minimum).map_err(|error| format!("{NO_MEMORY}: {error}"))?;
        MADE.with_borrow_mut(|made| {
            if let Some(made) = made {
                made.push(Arc::clone(&memory.view));
            }
        });
        Ok(Box::new(memory))
    }
}

thread_local! {
    /// The memories that wasmtime has asked for on this thread since `watched` began.
    static MADE: RefCell<Option<Vec<Arc<View>>>> = const { RefCell::new(None) };
}

/// Data of a store that says where its guest's memory is. Only [`watched`] makes that known.
pub(crate) trait Viewed {
    fn view(&mut self) -> &mut Option<Arc<View>>;
}

/// Runs `instantiate` and keeps in the store's data where the memory of its guest is, if it has just one.
pub(crate) fn watched<T: Viewed, R>(
    store: &mut Store<T>,
    instantiate: impl FnOnce(&mut Store<T>) -> R,
) -> R {
    MADE.set(Some(Vec::new()));
    let result = instantiate(store);
    let mut made = MADE.take().unwrap_or_default();
    *store.data_mut().view() = if made.len() == 1 { made.pop() } else { None };
    result
}

/// The memory of the store's guest, if it has just one and is there.
pub(crate) fn memory_of<T: Viewed>(store: &mut Store<T>) -> Option<&mut [u8]> {
    let view = store.data_mut().view().as_ref()?;
    let base = NonNull::new(view.base.load(Ordering::Acquire))?;
    let len = view.len.load(Ordering::Acquire);
    // SAFETY: `base` and `len` are those of a `GuestMemory` that has not been dropped, because dropping
    // it empties its view. It is one of this store, because only `watched` puts a view into a store's
    // data. Data that takes the place of other data in the same store takes over its view
    // (`State::take_place_of`); data that is taken out of a store leaves its view behind (there, and in
    // `State::rest`), or is dropped. While the store is borrowed, its guest does not run, so that nobody
    // else reads, writes, moves or drops the memory.
    Some(unsafe { std::slice::from_raw_parts_mut(base.as_ptr(), len) })
}

/// Makes the memory of the store's guest zero and gives its pages back. What was in it must be put there
/// again before the guest runs.
pub(crate) fn discard<T: Viewed>(store: &mut Store<T>) {
    if let Some(memory) = memory_of(store) {
        let base = NonNull::from(&mut *memory).cast();
        // SAFETY: the memory is borrowed; it starts at a page, and its length is a multiple of 64 KiB.
        unsafe { give_back(base, memory.len()) };
    }
}

#[cfg(test)]
mod tests;
