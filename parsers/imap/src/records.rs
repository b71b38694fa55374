//! What the parser emits.

use flowcell_mail::Shown;
use flowcell_sdk::Record;

flowcell_mail::mail_record! {
    /// One mail, or a section of one, that was fetched or appended.
    ///
    /// Emitted at the end of the FETCH response or of the literal that holds it: before the record of
    /// the command. Where one response holds the header and the text of a mail, they are one.
    pub(crate) struct Mail from MailHead {
        /// The user whose mail it is, if the login was seen.
        user: Option<Shown<'a>>,
        /// The mailbox that was selected, or that is appended to.
        mailbox: Option<Shown<'a>>,
        /// `fetch` or `append`: from the server or to it.
        direction: &'static str,
        /// Its number in the mailbox; absent if it was appended.
        number: Option<u64>,
        /// Its unique identifier, where the response tells it.
        uid: Option<u64>,
        /// What was fetched, as the server calls it: `BODY[]` and `RFC822` are whole mails. Absent if it
        /// was appended.
        section: Option<Shown<'a>>,
        /// Of a part of the section: the offset at which it starts, in bytes.
        origin: Option<u64>,
    }
}

/// A command of the client and the response that completes it, emitted when that is there or will not
/// come; and the server's greeting.
///
/// Records stand in the order in which commands are completed.
#[derive(Debug, Record)]
pub(crate) struct Command<'a> {
    /// The client's name for the command; absent for the greeting.
    pub(crate) tag: Option<Shown<'a>>,
    /// The command, in upper case if it is a known one; with `UID` in front where that was said. Absent
    /// for the greeting, or if it is missing from the capture.
    pub(crate) command: Option<Shown<'a>>,
    /// The rest of the command, at most 512 bytes, its short literals as quoted strings. Secrets are
    /// replaced by `***`; where they are shown, the client's responses to AUTHENTICATE follow, as they were sent.
    pub(crate) argument: Option<Shown<'a>>,
    /// `OK`, `NO` or `BAD`, of the greeting also `PREAUTH` or `BYE`; absent if there was no response.
    pub(crate) status: Option<&'static str>,
    /// The text of that response.
    pub(crate) reply: Option<Shown<'a>>,
    /// The mailbox that the command names.
    pub(crate) mailbox: Option<Shown<'a>>,
    /// The mechanism of AUTHENTICATE, in upper case.
    pub(crate) mechanism: Option<Shown<'a>>,
    /// The user named in LOGIN, or in AUTHENTICATE, where the mechanism shows it.
    pub(crate) user: Option<Shown<'a>>,
    /// Untagged responses since the last tagged one.
    pub(crate) untagged: u64,
    /// Bytes of all literals of the command.
    pub(crate) literal_bytes: u64,
    /// Bytes of the client between STARTTLS and its first TLS record, 4,096 at most; absent if there
    /// are none. A server that takes them for commands under TLS lets anybody on the way say what they
    /// like.
    pub(crate) injected: Option<u64>,
    /// The command or the response was cut at a limit.
    pub(crate) truncated: bool,
    /// Bytes of the command are missing from the capture or were never sent.
    pub(crate) incomplete: bool,
}
