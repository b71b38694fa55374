//! Differential test: the requests and responses in real captures against what others read from them.

mod reference;
mod rules;
mod tshark;
mod zeek;

/// The type of the records that are compared.
const TRANSACTION: &str = "http.transaction";
