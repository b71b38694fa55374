use super::*;

const PAGE: usize = SMALLEST;

fn creator() -> Creator {
    Creator(Arc::new(Slab::new()))
}

fn guest(creator: &Creator, len: usize) -> GuestMemory {
    GuestMemory::new(&creator.0, len).expect("the system has memory")
}

/// All that the guest could reach, and all of its slot beyond.
fn whole_slot(memory: &mut GuestMemory) -> &mut [u8] {
    // SAFETY: the slot is the memory's alone, and has as many bytes.
    unsafe { std::slice::from_raw_parts_mut(memory.as_ptr(), memory.byte_capacity()) }
}

fn reachable(memory: &mut GuestMemory) -> &mut [u8] {
    let len = memory.byte_size();
    &mut whole_slot(memory)[..len]
}

#[test]
fn sizes_double_from_one_page() {
    let cases = [(0, 1), (1, 1), (PAGE, 1), (PAGE + 1, 2), (3 * PAGE, 4), (4 * PAGE, 4)];
    for (bytes, pages) in cases {
        assert_eq!(bytes_of(size_for(bytes)), pages * PAGE, "{bytes}");
    }
    assert_eq!(bytes_of(SIZES - 1), 1 << 32);
    assert_eq!(size_for(1 << 32), SIZES - 1);
}

#[test]
fn what_was_written_is_never_found_again() {
    let creator = creator();
    // Sizes that are zeroed by hand and sizes that are given back; each slot is used several times.
    for pages in [1, 2, 3, 4, 5, 9] {
        for round in 0..4 {
            let mut memories: Vec<_> = (0..3).map(|_| guest(&creator, pages * PAGE)).collect();
            for memory in &mut memories {
                let slot = whole_slot(memory);
                assert!(slot.iter().all(|byte| *byte == 0), "{pages} pages, round {round}");
                reachable(memory).fill(0x5e);
            }
        }
    }
}

#[test]
fn a_memory_keeps_its_bytes_as_it_grows_and_leaves_none_behind() {
    let creator = creator();
    for _ in 0..2 {
        let mut memory = guest(&creator, PAGE);
        for pages in [1, 2, 3, 8, 9] {
            memory.grow_to(pages * PAGE).expect("the system has memory");
            assert!(memory.byte_capacity() >= memory.byte_size());
            let slot = whole_slot(&mut memory);
            let (old, new) = slot.split_at((pages - 1) * PAGE);
            let marks = old.chunks(PAGE).filter(|page| page.iter().all(|byte| *byte == 0x5e));
            assert!(pages == 1 || marks.count() >= 1, "what was there moved along");
            assert!(new[PAGE..].iter().all(|byte| *byte == 0), "what is beyond is zero");
            reachable(&mut memory).fill(0x5e);
        }
    }
    for pages in [1, 2, 3, 8, 16] {
        let mut memory = guest(&creator, pages * PAGE);
        assert!(whole_slot(&mut memory).iter().all(|byte| *byte == 0), "{pages} pages");
    }
}

#[test]
fn growth_within_the_slot_moves_nothing() {
    let mut memory = guest(&creator(), 3 * PAGE);
    let before = memory.as_ptr();
    memory.grow_to(4 * PAGE).expect("it fits");
    assert_eq!((memory.as_ptr(), memory.byte_size()), (before, 4 * PAGE));
}

#[test]
fn slots_do_not_overlap() {
    let creator = creator();
    let mut memories: Vec<_> =
        (1..40).map(|index| guest(&creator, (index % 5 + 1) * PAGE)).collect();
    for (memory, mark) in memories.iter_mut().zip(1..) {
        reachable(memory).fill(mark);
    }
    for (memory, mark) in memories.iter_mut().zip(1..) {
        assert!(reachable(memory).iter().all(|byte| *byte == mark));
    }
}

#[test]
fn a_view_follows_its_memory_and_is_empty_after_it() {
    let mut memory = guest(&creator(), PAGE);
    let view = Arc::clone(&memory.view);
    memory.grow_to(2 * PAGE).expect("the system has memory");
    assert_eq!(view.base.load(Ordering::Acquire), memory.as_ptr());
    assert_eq!(view.len.load(Ordering::Acquire), 2 * PAGE);
    drop(memory);
    assert!(view.base.load(Ordering::Acquire).is_null());
    assert_eq!(view.len.load(Ordering::Acquire), 0);
}

#[test]
fn slots_come_back() {
    let creator = creator();
    let first = guest(&creator, PAGE).as_ptr();
    for _ in 0..1000 {
        assert_eq!(guest(&creator, PAGE).as_ptr(), first);
    }
}

#[test]
fn guards_and_reservations_are_refused() {
    let ty = MemoryType::new(1, None);
    let ask = |reserved, guard| creator().new_memory(ty.clone(), PAGE, None, reserved, guard);
    assert!(ask(Some(0), 0).is_ok());
    assert!(ask(Some(1), 0).is_err());
    assert!(ask(None, 4096).is_err());
}

#[cfg(not(miri))]
#[test]
fn threads_take_and_give_back_at_once() {
    let creator = creator();
    std::thread::scope(|scope| {
        for mark in 1..5 {
            let creator = &creator;
            scope.spawn(move || {
                for round in 0..500 {
                    let mut memory = guest(creator, (round % 6 + 1) * PAGE);
                    assert!(reachable(&mut memory).iter().all(|byte| *byte == 0));
                    reachable(&mut memory).fill(mark);
                    assert!(reachable(&mut memory).iter().all(|byte| *byte == mark));
                }
            });
        }
    });
}
