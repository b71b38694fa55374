//! Internet messages: headers (RFC 5322) and MIME parts (RFC 2045–2047, 2183, 2231), read as a stream.
//!
//! A [`Message`] is fed the bytes of one message in pieces that may be cut anywhere. It keeps what
//! the header says and describes the attachments; it never holds a body, and knows nothing of the
//! protocol that carries the message.

mod addresses;
mod charset;
mod charsets;
mod encoded_word;
mod header;
mod message;
mod parameters;
mod part;
#[cfg(test)]
mod tests;
mod text;
mod transfer;

pub(crate) use header::{Field, Header, mark, shorten};
pub(crate) use message::Message;
pub(crate) use part::Attachment;
pub(crate) use text::{find, owned, same, split, split_word, strip, trim};
pub(crate) use transfer::base64;
