//! What the parser emits.

use flowcell_sdk::prelude::*;

use crate::anomalies::Anomalies;
use crate::shown::{List, Shown, Version};

/// A request and the final response to it.
///
/// Emitted when both have ended. What has only one of them is a record as well: a request that got no
/// response, when the connection ends or it is clear that none comes; a response whose request is not
/// in the capture, at its end.
#[derive(Debug, Record)]
pub(crate) struct Transaction<'a> {
    /// Which request of the connection it is, from 1. A response without a request counts as well.
    pub(crate) trans_depth: u64,
    /// The method, as sent; absent if the request is missing from the capture.
    pub(crate) method: Option<Shown<'a>>,
    /// Header field Host as sent, with the port if it has one. Where that is absent, the authority of an
    /// absolute URI.
    pub(crate) host: Option<Shown<'a>>,
    /// The request target, as sent; a password in it is replaced by `***`.
    pub(crate) uri: Option<Shown<'a>>,
    /// Header field Referer.
    pub(crate) referrer: Option<Shown<'a>>,
    /// Version of the response, such as `1.1`; that of the request if there is no response.
    pub(crate) version: Option<Version>,
    /// Version of the request. `0.9` if it has none.
    pub(crate) request_version: Option<Version>,
    /// Header field User-Agent.
    pub(crate) user_agent: Option<Shown<'a>>,
    /// Header field Origin of the request.
    pub(crate) origin: Option<Shown<'a>>,
    /// Bytes of the request's content: without the framing of chunks, content codings not undone,
    /// bytes that are missing within it included.
    pub(crate) request_body_len: u64,
    /// Bytes of the response's content, counted in the same way.
    pub(crate) response_body_len: u64,
    /// The response's status code; absent if there is no response, or one of HTTP/0.9.
    pub(crate) status_code: Option<u16>,
    /// The response's reason phrase; absent if there is none.
    pub(crate) status_msg: Option<Shown<'a>>,
    /// The status code of the last informational response (1xx) to the request.
    pub(crate) info_code: Option<u16>,
    /// The reason phrase of the last informational response.
    pub(crate) info_msg: Option<Shown<'a>>,
    /// The user of Basic authentication (RFC 7617), towards the server or a proxy.
    pub(crate) username: Option<Shown<'a>>,
    /// `***` if there is a password of Basic authentication; where secrets are shown, the password.
    pub(crate) password: Option<Shown<'a>>,
    /// Header fields of the request that proxies add, each as `NAME -> value`.
    pub(crate) proxied: List<'a>,
    /// File name that the response gives its content (header field Content-Disposition).
    pub(crate) resp_filenames: List<'a>,
    /// Header field Content-Length of the request, in bytes; the first valid one of several.
    pub(crate) request_content_length: Option<u64>,
    /// Header field Content-Length of the response, in bytes; the first valid one of several. The
    /// response to HEAD, and 304, may declare what is not sent.
    pub(crate) response_content_length: Option<u64>,
    /// Header field Content-Type of the request.
    pub(crate) request_content_type: Option<Shown<'a>>,
    /// Header field Content-Type of the response.
    pub(crate) response_content_type: Option<Shown<'a>>,
    /// Header field Content-Encoding of the request; several are joined by commas.
    pub(crate) request_content_encoding: Option<Shown<'a>>,
    /// Header field Content-Encoding of the response; several are joined by commas.
    pub(crate) response_content_encoding: Option<Shown<'a>>,
    /// Header field Transfer-Encoding of the request; several are joined by commas.
    pub(crate) request_transfer_encoding: Option<Shown<'a>>,
    /// Header field Transfer-Encoding of the response; several are joined by commas.
    pub(crate) response_transfer_encoding: Option<Shown<'a>>,
    /// SHA-256 of the request's content, in hexadecimal; absent if there is none, or not all of it.
    pub(crate) request_sha256: Option<Shown<'a>>,
    /// SHA-256 of the response's content, in hexadecimal; absent if there is none, or not all of it. Where
    /// only the end of the connection ends the content, of what there was, even if `incomplete`.
    pub(crate) response_sha256: Option<Shown<'a>>,
    /// Header field Server of the response.
    pub(crate) server: Option<Shown<'a>>,
    /// Header field Location of the response.
    pub(crate) location: Option<Shown<'a>>,
    /// The protocol that the connection switches to (status 101), in lower case. What follows is parsed
    /// as that.
    pub(crate) upgrade: Option<Shown<'a>>,
    /// Time of the packet with the end of the request line.
    pub(crate) request_ts: Option<Timestamp>,
    /// Time of the packet with the end of the status line.
    pub(crate) response_ts: Option<Timestamp>,
    /// What the request does that it should not: `bare_lf`, `bare_cr`, `nul`, `bad_request_line`,
    /// `bad_version`, `bad_field_line`, `space_before_colon`, `obsolete_folding`, `missing_host`,
    /// `duplicate_host`, `host_mismatch`, `bad_content_length`, `duplicate_content_length`,
    /// `conflicting_content_length`, `content_length_and_transfer_encoding`, `transfer_encoding_in_1_0`,
    /// `unknown_transfer_encoding`, `chunked_not_final`, `bad_chunk_size`, `chunk_size_overflow`,
    /// `bad_chunk_end`, `framing_in_trailer`, `body_left_out`, `framing_cut`, `junk` (bytes
    /// in front of it that are no HTTP).
    pub(crate) request_anomalies: Anomalies,
    /// The same of the response, and `bad_status_line` and `unexpected_upgrade`.
    pub(crate) response_anomalies: Anomalies,
    /// Bytes of both messages' contents that are missing from the capture.
    pub(crate) missed_bytes: u64,
    /// The request or the response is missing, or the end of it, or bytes in it.
    pub(crate) incomplete: bool,
    /// Names of the fields that were cut at a limit.
    pub(crate) truncated: Vec<&'static str>,
}
