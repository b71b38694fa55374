//! Every fuzz target on its seeds and on random bytes, for those who have no fuzzer.
//!
//! The seeds are files, where a fuzzer finds them; [`seeds`] makes them. After a change there,
//! `FLOWCELL_WRITE_SEEDS=1 cargo test -p flowcell-core --test fuzz_seeds` writes them anew.

#![allow(clippy::cast_possible_truncation, reason = "numbers that the tests made up themselves")]

mod seeds;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use flowcell_core::decode::{Decoded, decode};
use flowcell_core::fuzzing::{TARGETS, Target};
use flowcell_core::{LinkType, RawFrame, Timestamp};

/// Returns the files of a target by name.
fn files(target: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = folder(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        Some((name, fs::read(entry.path()).ok()?))
    };
    entries.filter_map(Result::ok).filter_map(file).collect()
}

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target)
}

#[test]
fn seeds_are_what_is_made_here_and_nothing_breaks_on_them() {
    let write = std::env::var_os("FLOWCELL_WRITE_SEEDS").is_some();
    for (name, target) in TARGETS {
        let made: BTreeMap<_, _> = seeds::of(name).into_iter().collect();
        assert!(made.len() >= 5, "{name} has {} seeds", made.len());
        if write {
            let folder = folder(name);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            for (seed, bytes) in &made {
                fs::write(folder.join(seed), bytes).unwrap();
            }
        }
        let files = files(name);
        let [made_names, file_names] =
            [made.keys(), files.keys()].map(|keys| keys.map(String::as_str).collect::<Vec<_>>());
        assert_eq!(file_names, made_names, "{name}");
        for (seed, bytes) in files {
            assert_eq!(made.get(&seed), Some(&bytes), "{name}/{seed}");
            target(&bytes);
        }
    }
}

/// A seed that stops at the first header would test next to nothing.
#[test]
fn seeds_of_frames_are_decoded_to_the_transport() {
    for (name, bytes) in seeds::of("decode_frame") {
        let (head, bytes) = bytes.split_at(5);
        let link = LinkType::SUPPORTED[usize::from(head[0])];
        let len = bytes.len() as u32;
        let frame = RawFrame { number: 1, ts: Timestamp(0), interface: 0, link, len, bytes };
        let decoded = decode(&frame);
        let read = matches!(decoded, Ok(Decoded::Packet(_) | Decoded::Fragment(_)));
        assert!(read || name.starts_with("ppp_address_cut"), "{name}: {decoded:?}");
    }
}

/// Runs a target on bytes without sense, and on seeds with mistakes.
fn smoke(name: &str) {
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    let target: Target = found.unwrap_or_else(|| panic!("no target {name}")).1;
    let mut state = 1_u64;
    let mut random = |n: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let seeds = seeds::of(name);
    for _ in 0..5000 {
        let len = random(400);
        target(&(0..len).map(|_| random(256) as u8).collect::<Vec<_>>());
    }
    for _ in 0..5000 {
        let mut bytes = seeds[random(seeds.len() as u64) as usize].1.clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len() as u64 + 1) as usize;
            match random(4) {
                0 => bytes.truncate(at),
                1 => bytes.extend_from_within(at..),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = random(256) as u8),
            }
        }
        target(&bytes);
    }
}

#[test]
fn decode_frame() {
    smoke("decode_frame");
}

#[test]
fn defrag_ops() {
    smoke("defrag_ops");
}

#[test]
fn engine_frames() {
    smoke("engine_frames");
}

#[test]
fn reassembler_ops() {
    smoke("reassembler_ops");
}
