//! The header of an SMB2 or SMB3 message (MS-SMB2 §2.2.1).

use crate::wire::{u16_at, u32_at, u64_at};

/// Length of the header, in bytes.
pub(crate) const HEADER: usize = 64;

/// A command (MS-SMB2 §2.2.1.2), as far as they are told apart here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Negotiate,
    SessionSetup,
    Logoff,
    TreeConnect,
    TreeDisconnect,
    Create,
    Close,
    Read,
    Write,
    Ioctl,
    Cancel,
    QueryDirectory,
    SetInfo,
    /// Of a file, and no more is wanted of it: where the id of the file stands in the request.
    OfFile(usize),
    Other,
}

impl Command {
    fn of(number: u16) -> Self {
        match number {
            0 => Self::Negotiate,
            1 => Self::SessionSetup,
            2 => Self::Logoff,
            3 => Self::TreeConnect,
            4 => Self::TreeDisconnect,
            5 => Self::Create,
            6 => Self::Close,
            8 => Self::Read,
            9 => Self::Write,
            11 => Self::Ioctl,
            12 => Self::Cancel,
            14 => Self::QueryDirectory,
            17 => Self::SetInfo,
            // FLUSH, LOCK, CHANGE_NOTIFY, QUERY_INFO.
            7 | 10 | 15 => Self::OfFile(8),
            16 => Self::OfFile(24),
            _ => Self::Other,
        }
    }
}

/// The last command that there is: the server's notice of a lease or oplock.
const LAST_COMMAND: u16 = 19;

/// Bits of the flags.
const RESPONSE: u32 = 1;
const RELATED: u32 = 4;
/// All that are defined.
const FLAGS: u32 = 0x3000_007f;

/// The header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) command: Command,
    /// Of a reply.
    pub(crate) status: u32,
    flags: u32,
    /// Bytes from this header to the next one of the compound; 0 in the last.
    pub(crate) next: u32,
    pub(crate) message_id: u64,
    /// Meaningless in a reply that was announced by an interim reply.
    pub(crate) tree_id: u32,
    pub(crate) session_id: u64,
}

impl Header {
    /// Reads a header; `None` if it is none.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"\xfeSMB") || u16_at(bytes, 4)? != 64 {
            return None;
        }
        let (number, flags) = (u16_at(bytes, 12)?, u32_at(bytes, 16)?);
        if number > LAST_COMMAND || flags & !FLAGS != 0 {
            return None;
        }
        Some(Self {
            command: Command::of(number),
            status: u32_at(bytes, 8)?,
            flags,
            next: u32_at(bytes, 20)?,
            message_id: u64_at(bytes, 24)?,
            tree_id: u32_at(bytes, 36)?,
            session_id: u64_at(bytes, 40)?,
        })
    }

    /// The server says it: who is the server of a flow whose start was not seen is a guess.
    pub(crate) fn is_reply(&self) -> bool {
        self.flags & RESPONSE != 0
    }

    /// What it says is about what the message before it in the compound was about.
    pub(crate) fn is_related(&self) -> bool {
        self.flags & RELATED != 0
    }

    /// How many bytes of the message are of interest; payloads are not. What points beyond them is
    /// taken for cut off.
    pub(crate) fn wanted(&self) -> usize {
        let body = match (self.command, self.is_reply()) {
            (Command::SessionSetup, _) => 8_192,
            (Command::Create, false) => 4_096,
            (Command::SetInfo, false) => 4_096,
            (Command::Negotiate | Command::TreeConnect, _) => 2_048,
            (Command::QueryDirectory, false) => 32,
            (Command::Create, true) => 88,
            (Command::Ioctl, _) => 60,
            (Command::Close, true) => 60,
            (Command::Read | Command::Write, false) => 48,
            (_, false) => 40,
            (_, true) => 16,
        };
        HEADER + body
    }
}
