//! Address space that reads as zero until it is written to.
#![expect(
    unsafe_code,
    reason = "system calls that map memory; what makes them sound stands at each"
)]

use std::io;
use std::ptr::NonNull;

#[cfg(not(miri))]
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

/// A private, anonymous, readable and writable mapping. Pages take memory once they are written to.
#[derive(Debug)]
pub(super) struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to whoever has this value; the base is only a number to others.
unsafe impl Send for Mapping {}

impl Mapping {
    /// The size of the pages that can be given back one by one.
    pub(super) const PAGE: usize = 4096;

    #[cfg(not(miri))]
    pub(super) fn new(len: usize) -> io::Result<Self> {
        let (protection, flags) =
            (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: the kernel chooses the place, so no memory that is in use is replaced.
        let base = unsafe { mmap_anonymous(std::ptr::null_mut(), len, protection, flags) }?;
        // A huge page would make a guest that touches 12 KiB cost 2 MiB. An old kernel without huge
        // pages refuses the advice and needs none.
        // SAFETY: the range is the mapping just made; the advice changes no contents.
        let _ = unsafe { madvise(base, len, Advice::LinuxNoHugepage) };
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len })
    }

    /// Miri knows no mappings: there it is an allocation.
    #[cfg(miri)]
    pub(super) fn new(len: usize) -> io::Result<Self> {
        let layout =
            std::alloc::Layout::from_size_align(len, Self::PAGE).map_err(io::Error::other)?;
        // SAFETY: no caller asks for a length of 0.
        let base = unsafe { std::alloc::alloc_zeroed(layout) };
        Ok(Self { base: NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory)?, len })
    }

    pub(super) const fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Mapping {
    #[cfg(not(miri))]
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this length and is unmapped once; who has slots of it also
        // holds the slab, which holds this.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }

    #[cfg(miri)]
    fn drop(&mut self) {
        // SAFETY: allocated above with this layout.
        unsafe {
            let layout = std::alloc::Layout::from_size_align_unchecked(self.len, Self::PAGE);
            std::alloc::dealloc(self.base.as_ptr(), layout);
        }
    }
}

/// Makes `len` bytes from `base` zero by giving their pages back to the system.
///
/// # Safety
/// The range starts and ends at a page and lies within one [`Mapping`], and nobody else reads or writes
/// it meanwhile.
pub(super) unsafe fn give_back(base: NonNull<u8>, len: usize) {
    #[cfg(not(miri))]
    // SAFETY: the caller's. Private anonymous pages read as zero after `MADV_DONTNEED` (madvise(2)).
    let given = unsafe { madvise(base.as_ptr().cast(), len, Advice::LinuxDontNeed) }.is_ok();
    #[cfg(miri)]
    let given = false;
    if !given {
        // Locked memory can not be given back; it can be overwritten.
        // SAFETY: the caller's.
        unsafe { base.as_ptr().write_bytes(0, len) };
    }
}

/// Written so that the compiler makes wide loads of it.
pub(super) fn is_zero(page: &[u8]) -> bool {
    page.chunks(64).all(|line| line.iter().fold(0, |all, byte| all | byte) == 0)
}
