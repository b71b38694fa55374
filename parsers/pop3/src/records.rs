//! What the parser emits.

use flowcell_mail::{List, Shown};
use flowcell_sdk::Record;

flowcell_mail::mail_record! {
    /// One mail that the server has handed out, or the top of one.
    ///
    /// Emitted behind the record of its command, at the end of the mail or where the flow breaks off.
    pub(crate) struct Mail from MailHead {
        /// The user whose mail it is, as named in USER, APOP or AUTH.
        user: Option<Shown<'a>>,
        /// The number by which the client asked for it, in RETR or TOP; absent if the command is missing
        /// from the capture.
        number: Option<u64>,
        /// The client asked for the header and some lines of the body (TOP), so that the rest is not
        /// there.
        top: bool,
    }
}

/// A command of the client and the server's reply, emitted when all of the reply is there or will not
/// come.
///
/// Records stand in the order of the commands. An AUTH exchange is one record, from the command to the
/// last reply.
#[derive(Debug, Record)]
pub(crate) struct Command<'a> {
    /// The command's first word, in upper case if it is a known command. Absent where the server speaks
    /// unasked (its greeting) or the command is missing from the capture.
    pub(crate) command: Option<Shown<'a>>,
    /// The rest of the command's line. Secrets are replaced by `***`; where they are shown, the
    /// client's responses to AUTH follow, as they were sent.
    pub(crate) argument: Option<Shown<'a>>,
    /// `OK` or `ERR`; absent if there was no reply.
    pub(crate) status: Option<&'static str>,
    /// The text behind the status, in the first line of the reply.
    pub(crate) reply: Option<Shown<'a>>,
    /// The mechanism of AUTH, in upper case.
    pub(crate) mechanism: Option<Shown<'a>>,
    /// The user named in USER or APOP, or in AUTH, where the mechanism shows it.
    pub(crate) user: Option<Shown<'a>>,
    /// The lines of the reply to CAPA, at most 32: each a capability with its parameters.
    pub(crate) capabilities: List<'a>,
    /// Lines behind the first one of the reply, without the dot that ends them; absent if the reply has
    /// one line only.
    pub(crate) lines: Option<u64>,
    /// Bytes of those lines, without the dots that the transport adds.
    pub(crate) bytes: Option<u64>,
    /// Bytes of the client between STLS and its first TLS record, 4,096 at most; absent if there are none. A server that takes them
    /// for commands under TLS lets anybody on the way say what they like.
    pub(crate) injected: Option<u64>,
    /// The command or the reply was cut at a limit.
    pub(crate) truncated: bool,
    /// Bytes of the command or of the reply are missing from the capture or were never sent.
    pub(crate) incomplete: bool,
}
