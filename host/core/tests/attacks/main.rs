//! Traffic made to do harm, with honest connections beside it: these come out complete and unchanged,
//! and what the engine keeps stays within its limits, which [`common::World`] checks after every frame.

#![allow(clippy::cast_possible_truncation, reason = "numbers that the tests made up themselves")]

#[path = "../common/mod.rs"]
mod common;

mod floods;
mod fragments;
mod streams;
mod time;
mod tunnels;
