#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flowcell_core::fuzzing::engine_frames(bytes));
