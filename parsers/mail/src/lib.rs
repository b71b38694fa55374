//! Internet messages: headers (RFC 5322) and MIME parts (RFC 2045–2047, 2183, 2231), read as a stream.
//!
//! A [`Message`] is fed the bytes of one message in pieces that may be cut anywhere. It keeps what
//! the header says and describes the attachments; it never holds a body, and knows nothing of the
//! protocol that carries the message. [`mail_record!`] gives each of these protocols a record with the
//! same fields of messages. What else they share is here as well: [`Auth`], small operations on text.

mod addresses;
mod charset;
mod charsets;
mod dots;
mod encoded_word;
mod header;
mod inner;
mod message;
mod parameters;
mod part;
mod records;
mod sasl;
mod shown;
#[cfg(test)]
mod tests;
mod text;
mod transfer;
mod turns;

pub use dots::{Dot, Dots};
pub use header::{Field, Header, mark, shorten};
pub use inner::Inner;
pub use message::Message;
pub use part::Attachment;
pub use records::{AttachmentFields, MessageFields, NestedFields};
pub use sasl::{Auth, secret_line};
pub use shown::{Attachments, Digest, Hops, List, Nested, Shown};
pub use text::{add_word, decimal, find, owned, same, split, split_word, strip, trim};
pub use transfer::base64;
pub use turns::{Turn, skip_line, skip_to_tls, turn};
