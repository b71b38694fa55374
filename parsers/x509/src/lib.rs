//! X.509 certificates (RFC 5280): what logs show of them.
//!
//! [`read`] takes the DER of one certificate and returns what it says: names in the form of RFC 4514, times,
//! the key, the alternative names. Nothing is verified: neither signatures nor chains nor dates.
//!
//! It is written for certificates that anybody may have made. It never panics, never goes deeper than the
//! structure that RFC 5280 prescribes, and keeps no more than the limits below. What comes before the place
//! where a certificate stops making sense is kept.

mod certificate;
mod der;
mod extensions;
mod key;
mod name;
mod oid;
mod time;

pub use certificate::{Certificate, read};

/// Longest name (subject, issuer) that is kept, in bytes of its text.
pub const MAX_NAME: usize = 1_024;

/// Most alternative names that are kept of a certificate, all kinds together.
pub const MAX_ALTERNATIVE_NAMES: usize = 256;

/// Longest alternative name that is kept, in bytes. DNS allows 253.
pub const MAX_ALTERNATIVE_NAME: usize = 512;
