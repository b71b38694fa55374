//! Handshakes made for the purpose, and recorded ones in other forms.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

mod hostile;
mod offers;
mod streams;
mod wire;
