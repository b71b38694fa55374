//! The host's memories as they are in `host/src/runtime/memory`, and a guest that writes to them.
#![allow(dead_code, unused_imports, reason = "not all of it is used without the rest of the host")]

#[path = "../../host/src/runtime/memory/mod.rs"]
mod memory;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wasmtime::{LinearMemory, MemoryCreator, MemoryType, Store};

    use crate::memory::{Creator, Image, Initial, Slab, View, Viewed, discard, memory_of, watched};

    const PAGE: usize = 64 << 10;

    /// What a store holds: its guest's memory, and where the host sees it.
    #[derive(Default)]
    struct Data {
        view: Option<Arc<View>>,
        memory: Option<Box<dyn LinearMemory>>,
    }

    impl Viewed for Data {
        fn view(&mut self) -> &mut Option<Arc<View>> {
            &mut self.view
        }
    }

    /// What compiled code does: writes a byte.
    fn write(store: &mut Store<Data>, at: usize, byte: u8) {
        let memory = store.data_mut().memory.as_ref().expect("a memory");
        assert!(at < memory.byte_size());
        // SAFETY: within the memory, as compiled code makes sure.
        unsafe { memory.as_ptr().add(at).write(byte) };
    }

    fn store(creator: &Creator) -> Store<Data> {
        let mut store = Store::new(Data::default());
        watched(&mut store, |store| {
            let memory = creator.new_memory(MemoryType::new(1, None), PAGE, None, Some(0), 0);
            store.data_mut().memory = Some(memory.expect("the system has memory"));
        });
        store
    }

    /// A guest and the host take turns, and a parked one comes back as it was, in another store.
    #[test]
    fn guests_write_and_the_host_parks_them() {
        let creator = Creator(Arc::new(Slab::new()));
        let mut first = store(&creator);
        let initial = Initial::of(memory_of(&mut first).expect("a memory"));
        write(&mut first, 5, 1);
        write(&mut first, PAGE - 1, 2);
        let seen = memory_of(&mut first).expect("a memory");
        assert_eq!((seen[5], seen[PAGE - 1]), (1, 2));
        let image = Image::of(seen, &initial).expect("it is small");
        // In place.
        discard(&mut first);
        let memory = memory_of(&mut first).expect("a memory");
        assert!(memory.iter().all(|byte| *byte == 0));
        image.put_into(memory).expect("it fits");
        write(&mut first, 6, 3);
        assert_eq!(memory_of(&mut first).expect("a memory")[..7], [0, 0, 0, 0, 0, 1, 3]);
        // And elsewhere, after it grew and is gone.
        first.data_mut().memory.as_mut().expect("a memory").grow_to(3 * PAGE).expect("it grows");
        write(&mut first, 3 * PAGE - 1, 4);
        assert_eq!(memory_of(&mut first).expect("a memory")[3 * PAGE - 1], 4);
        first.data_mut().memory = None;
        assert!(memory_of(&mut first).is_none());
        let mut second = store(&creator);
        let memory = memory_of(&mut second).expect("a memory");
        assert!(memory.iter().all(|byte| *byte == 0));
        image.put_into(memory).expect("it fits");
        assert_eq!((memory[5], memory[PAGE - 1]), (1, 2));
    }
}
