//! The guest's memory: where deliveries land, and the allocator.
//!
//! The sandbox starts with as few pages as the stack and the static data need. The allocator hands
//! out the rest of the last of them before it grows memory, and rounds sizes up to classes, so that
//! a freed block fits the next of its class: a parser that runs for days does not fragment.
#![expect(unsafe_code, reason = "an allocator and the ABI's reallocation function are raw memory")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr;

use super::{EXPECTED, SHARED};
use crate::task::Segment;

#[global_allocator]
static ALLOCATOR: Allocator =
    Allocator(UnsafeCell::new(State { next: 0, end: 0, free: [ptr::null_mut(); CLASSES] }));

/// A static that is changed. `thread_local!` would bring destructors and checks that never matter.
pub(super) struct Static<T>(T);

// SAFETY: a guest has one thread (the contract has no threads), so nothing is ever shared.
unsafe impl<T> Sync for Static<T> {}

impl<T> Static<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Static<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Where the last delivery was put, if it was put behind an inbox's bytes.
static PLACED: Static<Cell<*mut u8>> = Static::new(Cell::new(ptr::null_mut()));

/// A block that is kept from one delivery to the next: where it is, and its size.
type Kept = Static<Cell<(*mut u8, usize)>>;

/// Where deliveries of several packets are put: what each packet has brought, and the bytes.
static SEGMENTS: Kept = Static::new(Cell::new((ptr::null_mut(), 0)));
static BYTES: Kept = Static::new(Cell::new((ptr::null_mut(), 0)));

/// The segments have been placed, and their bytes come next.
static IN_SEGMENTS: Static<Cell<bool>> = Static::new(Cell::new(false));

/// A place for `size` bytes, aligned to 16.
fn place(kept: &Kept, size: usize) -> *mut u8 {
    let (mut block, had) = kept.get();
    if size > had {
        // SAFETY: the block is of this allocator and of that size, or null; a layout of this alignment
        // is valid for any size that the canonical ABI asks for.
        unsafe {
            if !block.is_null() {
                ALLOCATOR.dealloc(block, Layout::from_size_align_unchecked(had, 16));
            }
            block = ALLOCATOR.alloc(Layout::from_size_align_unchecked(size, 16));
        }
        if block.is_null() {
            core::arch::wasm32::unreachable()
        }
        kept.set((block, size));
    }
    block
}

/// The component model's allocation function: the host calls it before `poll` to place the bytes of
/// the delivery. They go straight behind the unread bytes of the side that is expected to send. Only
/// a list of segments is aligned to 8; its bytes follow it.
///
/// # Safety
/// Called by the host's canonical ABI with an `old_pointer` from an earlier call, or null.
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn cabi_realloc(
    old_pointer: *mut u8,
    old_size: usize,
    align: usize,
    new_size: usize,
) -> *mut u8 {
    // A guest without a task implements the contract by hand, and frees what it is given.
    if new_size > 0
        && let Some(shared) = SHARED.get()
    {
        if align == align_of::<Segment>() {
            IN_SEGMENTS.set(true);
            return place(&SEGMENTS, new_size);
        }
        if IN_SEGMENTS.replace(false) {
            return place(&BYTES, new_size);
        }
        let buffer = &mut shared.inbox(EXPECTED.get()).buffer;
        buffer.compact();
        buffer.bytes.reserve(new_size);
        // The spare capacity holds at least `new_size` bytes; no read or push happens before
        // `claim` makes them part of it.
        let place = buffer.bytes.spare_capacity_mut().as_mut_ptr().cast();
        PLACED.set(place);
        return place;
    }
    // SAFETY: `Layout`'s rules hold because sizes and alignments come from the canonical ABI, which
    // uses powers of two up to 8 and sizes below 2^31; a null `old_pointer` comes with `old_size` 0.
    unsafe {
        if new_size == 0 {
            return ptr::without_provenance_mut(align);
        }
        let layout = Layout::from_size_align_unchecked(new_size, align);
        let place = if old_pointer.is_null() {
            std::alloc::alloc(layout)
        } else {
            let old = Layout::from_size_align_unchecked(old_size, align);
            std::alloc::realloc(old_pointer, old, new_size)
        };
        if place.is_null() { core::arch::wasm32::unreachable() } else { place }
    }
}

/// The bytes of a delivery, wherever `cabi_realloc` put them.
pub(super) struct Delivery {
    /// Freed by us only if it is an allocation of its own.
    bytes: ManuallyDrop<Vec<u8>>,
    in_inbox: bool,
}

impl Delivery {
    /// # Safety
    /// `start` is where the host has placed `length` bytes.
    pub(super) unsafe fn of(start: *mut u8, length: usize) -> Self {
        let in_inbox = ptr::eq(PLACED.replace(ptr::null_mut()), start);
        // SAFETY: an allocation of `cabi_realloc` unless in the inbox, and then it is never dropped.
        let bytes = unsafe { Vec::from_raw_parts(start, length, length) };
        Self { bytes: ManuallyDrop::new(bytes), in_inbox }
    }

    /// If the bytes were put behind `target` and belong there, makes them part of it. Otherwise they
    /// are still to be copied to where they belong.
    pub(super) fn claim(&self, target: &mut Vec<u8>, belongs: bool) -> bool {
        let spare = target.spare_capacity_mut();
        let behind = self.in_inbox
            && ptr::eq(self.bytes.as_ptr(), spare.as_ptr().cast::<u8>())
            && self.bytes.len() <= spare.len();
        if behind && belongs {
            // SAFETY: the host has initialised these bytes, which start where the spare capacity
            // does and are no more than it holds.
            unsafe { target.set_len(target.len() + self.bytes.len()) };
        }
        behind && belongs
    }
}

impl Deref for Delivery {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if !self.in_inbox {
            // SAFETY: the bytes are an allocation of their own, and this is their only owner.
            unsafe { ManuallyDrop::drop(&mut self.bytes) };
        }
    }
}

/// Size classes: 16 · 2^(i/2), every other one 1.5 times its predecessor's power of two; the last is
/// above 2 GiB.
const CLASSES: usize = 56;
const PAGE: usize = 65_536;

struct Allocator(UnsafeCell<State>);

struct State {
    /// Free memory that was never handed out: `next..end`.
    next: usize,
    end: usize,
    /// Freed blocks by class; the first word of each points to the next.
    free: [*mut u8; CLASSES],
}

// SAFETY: a guest has one thread (the contract has no threads), so `State` is never shared.
unsafe impl Sync for Allocator {}

// SAFETY: blocks come from memory above `__heap_base` that nothing else uses, each is at least as
// large as asked for and aligned to at least 16 (larger alignments are refused), and no block is
// handed out twice before it is freed.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((class, size)) = class_of(layout) else {
            return ptr::null_mut();
        };
        // SAFETY: no other reference to `State` lives: the allocator does not call itself.
        let state = unsafe { &mut *self.0.get() };
        let head = state.free[class];
        if head.is_null() {
            return state.carve(size);
        }
        // SAFETY: `head` was freed and of at least 16 bytes; its first word was written by `dealloc`.
        state.free[class] = unsafe { head.cast::<*mut u8>().read() };
        head
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some((class, _)) = class_of(layout) else {
            return;
        };
        // SAFETY: as in `alloc`; the caller gives the block back, so its bytes are ours to write.
        unsafe {
            let state = &mut *self.0.get();
            block.cast::<*mut u8>().write(state.free[class]);
            state.free[class] = block;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(new_layout) = Layout::from_size_align(new_size, layout.align()) else {
            return ptr::null_mut();
        };
        if class_of(layout).map(|(class, _)| class) == class_of(new_layout).map(|(class, _)| class)
        {
            return block;
        }
        // SAFETY: both layouts are valid and the copy is as long as the shorter of the two.
        unsafe {
            let new_block = self.alloc(new_layout);
            if !new_block.is_null() {
                ptr::copy_nonoverlapping(block, new_block, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            new_block
        }
    }
}

/// The class that serves `layout`, and the size of its blocks.
fn class_of(layout: Layout) -> Option<(usize, usize)> {
    if layout.align() > 16 {
        return None;
    }
    let size = layout.size().max(16);
    let power = size.next_power_of_two();
    let exponent = power.trailing_zeros() as usize - 4;
    let between = power / 4 * 3;
    // Blocks stay multiples of 16, so there is no class of 24.
    if size <= between && between >= 48 {
        Some((2 * exponent - 1, between))
    } else {
        Some((2 * exponent, power))
    }
}

impl State {
    /// Cuts a block off the memory that was never used, growing it if need be.
    fn carve(&mut self, size: usize) -> *mut u8 {
        if self.end == 0 {
            self.next = heap_base().next_multiple_of(16);
            self.end = core::arch::wasm32::memory_size::<0>() * PAGE;
        }
        let missing = (self.next + size).saturating_sub(self.end);
        if missing > 0 {
            if let Some(shared) = SHARED.get() {
                // The host may refuse, and that is then about the segment at hand.
                shared.tell_segment();
            }
            let pages = missing.div_ceil(PAGE);
            if core::arch::wasm32::memory_grow::<0>(pages) == usize::MAX {
                return ptr::null_mut();
            }
            self.end += pages * PAGE;
        }
        let block = self.next;
        self.next += size;
        ptr::with_exposed_provenance_mut(block)
    }
}

/// Where the linker's static data and stack end.
fn heap_base() -> usize {
    unsafe extern "C" {
        static __heap_base: u8;
    }
    (&raw const __heap_base).expose_provenance()
}
