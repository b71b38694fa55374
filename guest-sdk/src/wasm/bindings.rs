//! What `wit_bindgen` makes of the contract. Nothing is written here by hand.
#![allow(
    unsafe_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    elided_lifetimes_in_paths,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "../wit",
    world: "parser",
    disable_run_ctors_once_workaround: true,
});
