//! What the host's memories need of wasmtime: the traits that they implement, and a store with data.

use std::fmt::Display;

/// As wasmtime's, without its chain of causes.
#[derive(Debug)]
pub struct Error(pub String);

impl<E: Display> From<E> for Error {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// As wasmtime's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A memory's pages.
#[derive(Debug, Clone)]
pub struct MemoryType;

impl MemoryType {
    /// The numbers do not matter here.
    pub fn new(_minimum: u32, _maximum: Option<u32>) -> Self {
        Self
    }
}

/// Data, and nothing that runs.
#[derive(Debug)]
pub struct Store<T>(T);

impl<T> Store<T> {
    /// Keeps `data`.
    pub fn new(data: T) -> Self {
        Self(data)
    }

    /// The data.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// # Safety
/// As wasmtime's.
pub unsafe trait LinearMemory: Send + Sync + 'static {
    fn byte_size(&self) -> usize;
    fn byte_capacity(&self) -> usize;
    fn grow_to(&mut self, new_size: usize) -> Result<()>;
    fn as_ptr(&self) -> *mut u8;
}

/// # Safety
/// As wasmtime's.
pub unsafe trait MemoryCreator: Send + Sync {
    fn new_memory(
        &self,
        ty: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String>;
}
