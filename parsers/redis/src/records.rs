//! What the parser emits.

use flowcell_sdk::prelude::*;

/// A command and its reply.
///
/// Emitted when the reply is there or will not come. Records stand in the order of the commands.
#[derive(Debug, Record)]
pub(crate) struct Command<'a> {
    /// The command's name, in upper case. Absent if the command is missing from the capture, or the
    /// server speaks unasked.
    pub(crate) command: Option<Text<'a>>,
    /// The subcommand in upper case, for commands that have them: `CONFIG`, `CLIENT` and the like.
    pub(crate) subcommand: Option<Text<'a>>,
    /// The first key that the command is about, or what it has in the place of one: a pattern, a channel, a user's
    /// name. Its first 256 bytes.
    pub(crate) key: Option<Text<'a>>,
    /// The first value of the command, its first 256 bytes; `***` for a password. Where secrets are
    /// shown, all rules of ACL SETUSER and all options of SENTINEL SET.
    pub(crate) value: Option<Text<'a>>,
    /// Arguments behind the name.
    pub(crate) arguments: u64,
    /// Sent as a plain line.
    pub(crate) inline: bool,
    /// The server did what it was asked to; absent if there was no reply.
    pub(crate) success: Option<bool>,
    /// `simple_string`, `error`, `integer`, `bulk_string`, `array`, `null`, `boolean`, `double`,
    /// `big_number`, `bulk_error`, `verbatim_string`, `map`, `set` or `push`.
    pub(crate) reply_type: Option<&'static str>,
    /// The reply, its first 256 bytes; `[…]` around what an array holds, `{…}` for a map; `***` if it
    /// may hold passwords.
    pub(crate) reply: Option<Text<'a>>,
    /// Bytes of a string, elements of an array or a set, pairs of a map.
    pub(crate) reply_length: Option<u64>,
    /// Bytes are missing from the capture somewhere before: the reply may be that of another command.
    pub(crate) uncertain: bool,
    /// The end of the command or of the reply is missing from the capture, or was never sent.
    pub(crate) incomplete: bool,
    /// Names of the fields that were cut at a limit.
    pub(crate) truncated: Vec<&'static str>,
}

/// What the server says without being asked: a message of a channel, a change in what a client has
/// subscribed to, a key that is no longer valid.
#[derive(Debug, Record)]
pub(crate) struct Push<'a> {
    /// What it is: `message`, `pmessage`, `smessage`, `subscribe`, `invalidate` and others.
    pub(crate) kind: Text<'a>,
    /// The channel.
    pub(crate) channel: Option<Text<'a>>,
    /// The pattern that the channel fits (`pmessage`).
    pub(crate) pattern: Option<Text<'a>>,
    /// The message, its first 256 bytes; for changes of subscriptions, how many there are now; for
    /// others, all that is said.
    pub(crate) payload: Option<Text<'a>>,
    /// Names of the fields that were cut at a limit.
    pub(crate) truncated: Vec<&'static str>,
}
