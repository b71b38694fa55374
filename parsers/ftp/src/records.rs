//! What the parser emits.

use std::net::IpAddr;

use flowcell_sdk::prelude::*;

/// A command of the client and the server's last reply to it, emitted when that reply is there or will not
/// come.
///
/// Records stand in the order of the commands, but for STAT while a transfer goes on. The greeting, and what
/// else the server says unasked, are records without a command.
#[derive(Debug, Record)]
pub(crate) struct Command<'a> {
    /// The user name of the session so far; absent before USER, and where it was not seen.
    pub(crate) user: Option<Text<'a>>,
    /// `***` once the client has sent a password; where secrets are shown, the last one.
    pub(crate) password: Option<Text<'a>>,
    /// The command, in upper case if it is a known one. Absent where the server speaks unasked or the
    /// command is missing from the capture.
    pub(crate) command: Option<Text<'a>>,
    /// Its argument as it was sent. Secrets are replaced by `***`.
    pub(crate) arg: Option<Text<'a>>,
    /// The file or directory that the argument names, within the working directory as far as that is known:
    /// from the root, or relative to where the session began.
    pub(crate) path: Option<Text<'a>>,
    /// Bytes of the file, as the server says it in reply to SIZE or when it begins to send.
    pub(crate) file_size: Option<u64>,
    /// Where a transfer was asked to begin (REST), in bytes; absent for the start of the file.
    pub(crate) offset: Option<u64>,
    /// The reply code (RFC 959 §4.2): of the last reply, or of a preliminary one if there is no other.
    /// Absent if there was no reply, or its code is none.
    pub(crate) reply_code: Option<u16>,
    /// The text of the reply's last line; the whole line if its code is none.
    pub(crate) reply_msg: Option<Text<'a>>,
    /// The lines of the reply before the last one, separated by a line feed.
    pub(crate) reply_text: Option<Text<'a>>,
    /// Where the data connection goes, if command or reply say so.
    pub(crate) data_channel: Option<DataChannel>,
    /// The command, its argument or the reply was cut at a limit.
    pub(crate) truncated: bool,
    /// The end of the command's line or of the reply is missing from the capture or was never sent.
    pub(crate) incomplete: bool,
}

/// Where a data connection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Record)]
pub(crate) struct DataChannel {
    /// The server listens and the client connects.
    pub(crate) passive: bool,
    /// Who connects.
    pub(crate) orig_h: IpAddr,
    /// Who listens, as it was said.
    pub(crate) resp_h: IpAddr,
    /// The port where it listens.
    pub(crate) resp_p: u16,
    /// That address is not the one of the control connection: a server behind address translation, or a
    /// bounce attack (RFC 2577 §3).
    pub(crate) address_differs: bool,
}

/// What went over a data connection, emitted at its end.
#[derive(Debug, Record)]
pub(crate) struct File<'a> {
    /// The command that asked for it, in upper case; absent if it was not seen.
    pub(crate) command: Option<Text<'a>>,
    /// The file or directory, within the working directory as far as that is known; absent if the command
    /// names none.
    pub(crate) path: Option<Text<'a>>,
    /// `download`, `upload` or `listing`.
    pub(crate) direction: &'static str,
    /// The server listened and the client connected.
    pub(crate) passive: bool,
    /// The representation (TYPE, RFC 959 §3.1.1): `A` for lines that end in CR LF, `I` for bytes as they
    /// are; absent if none was set.
    pub(crate) transfer_type: Option<Text<'a>>,
    /// The transmission mode (MODE, RFC 959 §3.4) if it is not `S`: size and digest are then of what was
    /// sent, not of the file.
    pub(crate) transfer_mode: Option<Text<'a>>,
    /// Where in the file the transfer was asked to begin (REST), in bytes.
    pub(crate) offset: Option<u64>,
    /// Bytes that were seen.
    pub(crate) size: u64,
    /// Bytes that are missing from the capture.
    pub(crate) missing_bytes: u64,
    /// SHA-256 of the bytes, in hexadecimal; absent if some are missing.
    pub(crate) sha256: Option<String>,
    /// The sender closed the connection in order and no bytes are missing.
    pub(crate) complete: bool,
    /// The path was cut at a limit.
    pub(crate) truncated: bool,
}
