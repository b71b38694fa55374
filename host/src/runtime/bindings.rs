//! What wasmtime makes of the contract: the only `bindgen!` of the host.
#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    elided_lifetimes_in_paths,
    unused_qualifications,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "parser",
    // A delivery is lowered straight from the capture's buffer.
    ownership: Borrowing { duplicate_if_necessary: true },
});
