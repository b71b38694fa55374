#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flowcell_core::fuzzing::decode_frame(bytes));
