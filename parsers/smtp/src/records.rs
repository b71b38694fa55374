//! What the parser emits.

use std::net::IpAddr;

use flowcell_sdk::prelude::*;

use crate::shown::{Attachments, Digest, Hops, List, Recipients, Shown};

/// One mail: a transaction of RFC 5321 §3.3 and what its message says.
///
/// Emitted when the server has answered to the end of the message, or when the transaction ends
/// without one: by RSET, by the next MAIL, EHLO or QUIT, by the switch to TLS, or with the flow.
#[derive(Debug, Record)]
pub(crate) struct Mail<'a> {
    /// Which message of the connection it is, from 1.
    pub(crate) trans_depth: u64,
    /// What the client called itself in HELO, EHLO or LHLO.
    pub(crate) helo: Option<Shown<'a>>,
    /// The address in MAIL FROM; empty for the null reverse-path.
    pub(crate) mailfrom: Option<Shown<'a>>,
    /// The addresses in RCPT TO, whether the server took them or not.
    pub(crate) rcptto: Recipients<'a>,
    /// Those of them that the server refused.
    pub(crate) rcpt_refused: Recipients<'a>,
    /// Header field Date.
    pub(crate) date: Option<Shown<'a>>,
    /// Header field From, encoded words decoded.
    pub(crate) from: Option<Shown<'a>>,
    /// The entries of header field To, encoded words decoded.
    pub(crate) to: List<'a>,
    /// The entries of header field Cc, encoded words decoded.
    pub(crate) cc: List<'a>,
    /// Header field Reply-To, encoded words decoded.
    pub(crate) reply_to: Option<Shown<'a>>,
    /// Header field Message-ID.
    pub(crate) msg_id: Option<Shown<'a>>,
    /// Header field In-Reply-To.
    pub(crate) in_reply_to: Option<Shown<'a>>,
    /// Header field Subject, encoded words decoded.
    pub(crate) subject: Option<Shown<'a>>,
    /// The first address in header field X-Originating-IP.
    pub(crate) x_originating_ip: Option<IpAddr>,
    /// The Received field that was added first: the last one in the header.
    pub(crate) first_received: Option<Shown<'a>>,
    /// The Received field that was added second.
    pub(crate) second_received: Option<Shown<'a>>,
    /// Code and last line of the server's last reply in this transaction.
    pub(crate) last_reply: Option<Shown<'a>>,
    /// The way that the message came, backwards: the server, the client, then one address of each
    /// Received field.
    pub(crate) path: Hops<'a>,
    /// Header field User-Agent or X-Mailer.
    pub(crate) user_agent: Option<Shown<'a>>,
    /// The connection switched to TLS: what follows can not be seen.
    pub(crate) tls: bool,
    /// Bytes of the message as it was sent, without the dots that the transport adds; absent if no
    /// content was sent.
    pub(crate) size: Option<u64>,
    /// Bytes that the client announced (SIZE=, RFC 1870).
    pub(crate) size_announced: Option<u64>,
    /// The body type that the client announced (BODY=, RFC 6152 and RFC 3030).
    pub(crate) body: Option<Shown<'a>>,
    /// The client asked for internationalised mail (SMTPUTF8, RFC 6531).
    pub(crate) smtputf8: bool,
    /// Parts of the message that hold content themselves; 1 if it is not a multipart.
    pub(crate) parts: u64,
    /// Those of them that have a file name, say that they are attachments, or are no text. A message
    /// within the message is one of them and is not looked into.
    pub(crate) attachments: Attachments<'a>,
    /// A line with a single dot stood where servers differ on whether it ends the message, because
    /// a line end at it was not CR LF.
    pub(crate) ambiguous_end: bool,
    /// Bytes of the message that are missing from the capture.
    pub(crate) missed_bytes: u64,
    /// Bytes of the transaction are missing from the capture, or it was cut off.
    pub(crate) incomplete: bool,
    /// Names of the fields that were cut at a limit.
    pub(crate) truncated: Vec<&'static str>,
}

/// A part of a message that is not its text.
#[derive(Debug, Record)]
pub(crate) struct Attachment<'a> {
    /// The file name.
    pub(crate) name: Option<Shown<'a>>,
    /// The media type, in lower case.
    pub(crate) content_type: Shown<'a>,
    /// The content transfer encoding, in lower case.
    pub(crate) encoding: Shown<'a>,
    /// `attachment`, `inline` or what else header field Content-Disposition says, in lower case.
    pub(crate) disposition: Option<Shown<'a>>,
    /// Bytes of the decoded content.
    pub(crate) size: u64,
    /// SHA-256 of the decoded content, in hexadecimal; absent if bytes of it are missing.
    pub(crate) sha256: Option<Digest<'a>>,
}

/// A command of the client and the server's reply, emitted when the reply is there or will not come.
///
/// Records stand in the order of the commands. An AUTH exchange is one record, from the command to
/// the last reply.
#[derive(Debug, Record)]
pub(crate) struct Command<'a> {
    /// The command's first word, in upper case if it is a known command; `.` for the end of a message.
    /// Absent where the server speaks unasked (its greeting, or 421 when it shuts down) or the
    /// command is missing from the capture.
    pub(crate) verb: Option<Shown<'a>>,
    /// The rest of the command's line. Secrets are replaced by `********`.
    pub(crate) argument: Option<Shown<'a>>,
    /// The reply code; absent if there was no reply.
    pub(crate) code: Option<u16>,
    /// The text of the reply; lines are separated by a line feed.
    pub(crate) reply: Option<Shown<'a>>,
    /// The mechanism of AUTH, in upper case.
    pub(crate) mechanism: Option<Shown<'a>>,
    /// The user name given in AUTH, where the mechanism shows it.
    pub(crate) user: Option<Shown<'a>>,
    /// The command or the reply was cut at a limit.
    pub(crate) truncated: bool,
    /// The end of the command's line is missing from the capture or was never sent.
    pub(crate) incomplete: bool,
}
