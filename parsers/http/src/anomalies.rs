//! What a message does that it should not, by name.
//!
//! Where endpoints disagree on such a message, one of them can be made to see other messages than the
//! next one does: that is request smuggling (RFC 9112 §11.2).

use flowcell_sdk::prelude::*;
use flowcell_sdk::{Encoder, FieldType, Kind, Value};

macro_rules! anomalies {
    ($($(#[$doc:meta])* $anomaly:ident $name:literal,)*) => {
        /// One kind of anomaly.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Anomaly {
            $($(#[$doc])* $anomaly,)*
        }

        /// The names that records show, in the order of declaration. They are stable.
        const NAMES: &[&str] = &[$($name),*];
    };
}

anomalies! {
    /// A line of the message's framing ends in LF alone (RFC 9112 §2.2).
    BareLf "bare_lf",
    /// A line has a CR in it that does not end it (RFC 9112 §2.2).
    BareCr "bare_cr",
    /// A line has a NUL in it (RFC 9110 §5.5).
    Nul "nul",
    /// The request line is not three words with single spaces (RFC 9112 §3).
    BadRequestLine "bad_request_line",
    /// The status line lacks the space behind the code or in front of it (RFC 9112 §4).
    BadStatusLine "bad_status_line",
    /// The version is neither 1.0 nor 1.1.
    BadVersion "bad_version",
    /// A header line without a colon or with no valid name (RFC 9112 §5).
    BadFieldLine "bad_field_line",
    /// White space between a field's name and the colon (RFC 9112 §5.1).
    SpaceBeforeColon "space_before_colon",
    /// A field goes on in the next line (RFC 9112 §5.2).
    ObsoleteFolding "obsolete_folding",
    /// An HTTP/1.1 request without Host (RFC 9112 §3.2).
    MissingHost "missing_host",
    /// More than one Host (RFC 9112 §3.2).
    DuplicateHost "duplicate_host",
    /// Host is not the authority of the request target (RFC 9112 §3.2.2).
    HostMismatch "host_mismatch",
    /// Content-Length is not a decimal number of at most 64 bits (RFC 9110 §8.6).
    BadContentLength "bad_content_length",
    /// The same Content-Length more than once (RFC 9112 §6.3).
    DuplicateContentLength "duplicate_content_length",
    /// Content-Lengths that differ (RFC 9112 §6.3).
    ConflictingContentLength "conflicting_content_length",
    /// Content-Length beside Transfer-Encoding (RFC 9112 §6.1).
    LengthAndEncoding "content_length_and_transfer_encoding",
    /// Transfer-Encoding in a message of HTTP/1.0 (RFC 9112 §6.1).
    EncodingInOldVersion "transfer_encoding_in_1_0",
    /// A transfer coding that is not registered (RFC 9112 §7).
    UnknownTransferEncoding "unknown_transfer_encoding",
    /// The last transfer coding is not chunked, or chunked stands there twice (RFC 9112 §6.1).
    ChunkedNotFinal "chunked_not_final",
    /// A chunk size that is no hexadecimal number (RFC 9112 §7.1).
    BadChunkSize "bad_chunk_size",
    /// A chunk size of more than 64 bits (RFC 9112 §7.1).
    ChunkSizeOverflow "chunk_size_overflow",
    /// No line end behind the data of a chunk (RFC 9112 §7.1).
    BadChunkEnd "bad_chunk_end",
    /// Trailer fields that say how long a message is or where it goes (RFC 9110 §6.5.1).
    FramingInTrailer "framing_in_trailer",
    /// Switching to a protocol that the client has not offered (RFC 9110 §7.8).
    UnexpectedUpgrade "unexpected_upgrade",
    /// The next request stands where a body should (RFC 9110 §10.1.1).
    BodyLeftOut "body_left_out",
    /// Content-Length or Transfer-Encoding is longer than is kept.
    FramingCut "framing_cut",
    /// Bytes in front of the message that belong to no message.
    Junk "junk",
}

/// The anomalies of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Anomalies(u32);

impl Anomalies {
    pub(crate) fn add(&mut self, anomaly: Anomaly) {
        self.0 |= 1 << anomaly as u32;
    }

    pub(crate) fn add_all(&mut self, others: Self) {
        self.0 |= others.0;
    }
}

impl Value for Anomalies {
    const TYPE: FieldType = FieldType { kind: Kind::Text, optional: false, repeated: true };

    fn encode(&self, out: &mut Encoder<'_>) {
        out.array(self.0.count_ones() as usize);
        for (index, name) in NAMES.iter().enumerate() {
            if self.0 >> index & 1 == 1 {
                Text::from(*name).encode(out);
            }
        }
    }
}

const _: () = assert!(NAMES.len() <= 32, "each anomaly is a bit");
