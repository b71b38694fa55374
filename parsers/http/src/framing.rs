//! How long a message's body is (RFC 9112 §6.3).

use crate::anomalies::Anomaly;
use crate::header::{Field, Header};
use crate::shown::Version;
use crate::text::{decimal, trim};

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body.
    Nothing,
    /// So many bytes.
    Length(u64),
    /// Chunks up to an empty one.
    Chunked,
    /// All bytes up to the end of the connection.
    UntilClose,
}

/// What Transfer-Encoding and Content-Length say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Declared {
    /// There is a transfer coding other than identity.
    coded: bool,
    /// One of them is chunked.
    chunked: bool,
    length: Option<u64>,
}

/// Of a request: without a length there is no body.
pub(crate) fn of_request(header: &mut Header, version: Version) -> Framing {
    let declared = declared(header, version);
    match declared.length {
        _ if declared.chunked => Framing::Chunked,
        Some(length) if length > 0 => Framing::Length(length),
        _ => Framing::Nothing,
    }
}

/// Of a final response: without a length the body goes on until the server closes. The caller knows
/// the responses that never have a body.
pub(crate) fn of_response(header: &mut Header, version: Version) -> Framing {
    let declared = declared(header, version);
    match declared.length {
        _ if declared.chunked => Framing::Chunked,
        // Not a server's to choose, but of both readings the one that clients differ on least.
        _ if declared.coded => Framing::UntilClose,
        Some(0) => Framing::Nothing,
        Some(length) => Framing::Length(length),
        None => Framing::UntilClose,
    }
}

/// RFC 9112 §6.1: Transfer-Encoding counts more than Content-Length.
fn declared(header: &mut Header, version: Version) -> Declared {
    let (coded, chunked) = transfer_encoding(header);
    let length = content_length(header);
    header.declared = length;
    if coded || chunked {
        if header.get(Field::ContentLength).is_some() {
            header.anomalies.add(Anomaly::LengthAndEncoding);
        }
        if version.is_old() {
            header.anomalies.add(Anomaly::EncodingInOldVersion);
        }
    }
    Declared { coded, chunked, length }
}

/// Whether there are transfer codings, and whether chunked is one of them. Endpoints differ on a
/// chunked that is not the last; most take it.
fn transfer_encoding(header: &mut Header) -> (bool, bool) {
    let codings = &mut header.codings;
    codings.end();
    let (coded, chunked) = (codings.coded, codings.chunked);
    let not_final = (coded && !codings.last) || chunked > 1;
    if codings.unknown {
        header.anomalies.add(Anomaly::UnknownTransferEncoding);
    }
    if not_final {
        header.anomalies.add(Anomaly::ChunkedNotFinal);
    }
    (coded, chunked > 0)
}

/// RFC 9110 §8.6: the first valid value counts.
fn content_length(header: &mut Header) -> Option<u64> {
    let mut first = None;
    let (mut bad, mut duplicate, mut conflicting) = (false, false, false);
    for value in header.get(Field::ContentLength)?.split(|byte| *byte == b',') {
        match (decimal(trim(value)), first) {
            (None, _) => bad = true,
            (value, None) => first = value,
            (value, first) if value == first => duplicate = true,
            _ => conflicting = true,
        }
    }
    for (found, anomaly) in [
        (bad, Anomaly::BadContentLength),
        (duplicate, Anomaly::DuplicateContentLength),
        (conflicting, Anomaly::ConflictingContentLength),
    ] {
        if found {
            header.anomalies.add(anomaly);
        }
    }
    first
}
