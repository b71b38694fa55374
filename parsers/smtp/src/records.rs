//! What the parser emits.

use flowcell_mail::Shown;
use flowcell_sdk::Record;

use crate::shown::Recipients;

flowcell_mail::mail_record! {
    /// One mail: a transaction of RFC 5321 §3.3 and what its message says.
    ///
    /// Emitted when the server has answered to the end of the message, or when the transaction ends
    /// without one: by RSET, by the next MAIL, EHLO or QUIT, by the switch to TLS, or with the flow.
    pub(crate) struct Mail from MailHead {
        /// Which message of the connection it is, from 1.
        trans_depth: u64,
        /// What the client called itself in HELO, EHLO or LHLO.
        helo: Option<Shown<'a>>,
        /// The address in MAIL FROM; empty for the null reverse-path.
        mailfrom: Option<Shown<'a>>,
        /// The addresses in RCPT TO, whether the server took them or not.
        rcptto: Recipients<'a>,
        /// Those of them that the server refused.
        rcpt_refused: Recipients<'a>,
        /// Code and last line of the server's last reply in this transaction.
        last_reply: Option<Shown<'a>>,
        /// The connection switched to TLS: what follows can not be seen.
        tls: bool,
        /// Bytes of the client between STARTTLS and its first TLS record, 4,096 at most; absent if
        /// there are none. A server that takes them for commands under TLS lets anybody on the way say
        /// what they like.
        injected: Option<u64>,
        /// Bytes that the client announced (SIZE=, RFC 1870).
        size_announced: Option<u64>,
        /// The body type that the client announced (BODY=, RFC 6152 and RFC 3030).
        body: Option<Shown<'a>>,
        /// The client asked for internationalised mail (SMTPUTF8, RFC 6531).
        smtputf8: bool,
        /// A line with a single dot stood where servers differ on whether it ends the message,
        /// because a line end at it was not CR LF.
        ambiguous_end: bool,
    }
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
    /// The rest of the command's line. Secrets are replaced by `***`; where they are shown, the
    /// client's responses to AUTH follow, as they were sent.
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
