//! What servers answer (MS-SMB2 §2.2, the responses).

use flowcell_sdk::prelude::*;

use crate::header::{Command, HEADER, Header};
use crate::names;
use crate::request::{FileId, Proof, each_context};
use crate::wire::{array, index, part, pointed, time_at, u8_at, u16_at, u32_at, u64_at};

/// A reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) message_id: u64,
    pub(crate) session_id: u64,
    /// Of TREE_CONNECT, the new one.
    pub(crate) tree_id: u32,
    pub(crate) status: u32,
    pub(crate) at: Timestamp,
    pub(crate) answer: Answer,
}

/// What it says.
#[derive(Debug)]
pub(crate) enum Answer {
    Negotiate(Box<Choice>),
    SessionSetup(Box<Verdict>),
    TreeConnect(Share),
    Create(Box<Created>),
    /// What the file was like, if the client asked for it.
    Close(Option<Attributes>),
    /// Bytes that were read.
    Read(u32),
    /// Bytes that were written.
    Write(u32),
    /// Bytes that came back, and those that were copied if that was asked for.
    Ioctl {
        length: u32,
        copied: Option<u32>,
    },
    /// A refusal, or a yes without more.
    Other,
}

/// What the server chose (§2.2.4).
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) dialect: u16,
    pub(crate) signing_required: bool,
    pub(crate) server_guid: [u8; 16],
    pub(crate) cipher: Option<&'static str>,
    /// The mechanisms that the server offers.
    pub(crate) mechs: Vec<Vec<u8>>,
}

/// What the server makes of a proof (§2.2.6).
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) guest: bool,
    pub(crate) anonymous: bool,
    pub(crate) encrypted: bool,
    pub(crate) proof: Proof,
}

/// A share (§2.2.10).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) kind: u8,
    pub(crate) encrypted: bool,
}

/// A file that is open now (§2.2.14).
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) id: FileId,
    pub(crate) action: u32,
    pub(crate) attributes: Attributes,
}

/// What a file is like.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attributes {
    pub(crate) created: Option<Timestamp>,
    pub(crate) accessed: Option<Timestamp>,
    pub(crate) modified: Option<Timestamp>,
    pub(crate) changed: Option<Timestamp>,
    pub(crate) size: u64,
    pub(crate) directory: bool,
}

impl Attributes {
    /// Four times, the allocated size, the size and the attributes, as two replies have them.
    fn parse(body: &[u8]) -> Option<Self> {
        Some(Self {
            created: time_at(body, 8),
            accessed: time_at(body, 16),
            modified: time_at(body, 24),
            changed: time_at(body, 32),
            size: u64_at(body, 48)?,
            directory: u32_at(body, 56)? & 0x10 != 0,
        })
    }
}

impl Reply {
    /// Reads the reply in `bytes`, header included, of a message of `size` bytes; and whether it is
    /// well-formed. If not, only its status is told.
    pub(crate) fn parse(header: &Header, bytes: &[u8], size: usize, at: Timestamp) -> (Self, bool) {
        let more = header.status == names::MORE_PROCESSING_REQUIRED;
        let answer = if names::is_failure(header.status) && !more {
            Some(Answer::Other)
        } else {
            let body = bytes.get(HEADER..).unwrap_or_default();
            Answer::parse(header.command, bytes, body, size)
        };
        let sound = answer.is_some();
        let reply = Self {
            message_id: header.message_id,
            session_id: header.session_id,
            tree_id: header.tree_id,
            status: header.status,
            at,
            answer: answer.unwrap_or(Answer::Other),
        };
        (reply, sound)
    }
}

impl Answer {
    fn parse(command: Command, bytes: &[u8], body: &[u8], size: usize) -> Option<Self> {
        Some(match command {
            Command::Negotiate => Self::Negotiate(Box::new(Choice::parse(bytes, body)?)),
            Command::SessionSetup => Self::SessionSetup(Box::new(Verdict::parse(bytes, body)?)),
            Command::TreeConnect => Self::TreeConnect(Share {
                kind: u8_at(body, 2)?,
                encrypted: u32_at(body, 4)? & 0x8000 != 0,
            }),
            Command::Create => Self::Create(Box::new(Created {
                id: array(body, 64)?,
                action: u32_at(body, 4)?,
                attributes: Attributes::parse(body)?,
            })),
            Command::Close => Self::Close(match u16_at(body, 2)? & 1 {
                0 => None,
                _ => Some(Attributes::parse(body)?),
            }),
            // What does not fit into the message was not read.
            Command::Read => {
                let room = u32::try_from(size.saturating_sub(HEADER + 16)).unwrap_or(u32::MAX);
                Self::Read(u32_at(body, 4)?.min(room))
            }
            Command::Write => Self::Write(u32_at(body, 4)?),
            Command::Ioctl => {
                let length = index(u32_at(body, 36)?);
                // SRV_COPYCHUNK_RESPONSE (§2.2.32.1).
                let output = part(bytes, index(u32_at(body, 32)?), length);
                let room = length.min(size.saturating_sub(HEADER + 48));
                Self::Ioctl {
                    length: u32::try_from(room).unwrap_or(u32::MAX),
                    copied: if length == 12 { u32_at(output, 8) } else { None },
                }
            }
            _ => Self::Other,
        })
    }
}

impl Choice {
    fn parse(bytes: &[u8], body: &[u8]) -> Option<Self> {
        let mut choice = Self {
            dialect: u16_at(body, 4)?,
            signing_required: u16_at(body, 2)? & 2 != 0,
            server_guid: array(body, 8)?,
            cipher: None,
            mechs: Proof::of_token(pointed(bytes, HEADER + 56)?).token.mechs,
        };
        if choice.dialect == 0x0311 {
            let (at, count) = (index(u32_at(body, 60)?), u16_at(body, 6)?);
            each_context(bytes, at, count, |kind, data| {
                // SMB2_ENCRYPTION_CAPABILITIES: a count, and the one that was chosen.
                if kind == 2 {
                    choice.cipher = u16_at(data, 2).and_then(names::cipher);
                }
            });
        }
        Some(choice)
    }
}

impl Verdict {
    fn parse(bytes: &[u8], body: &[u8]) -> Option<Self> {
        let flags = u16_at(body, 2)?;
        Some(Self {
            guest: flags & 1 != 0,
            anonymous: flags & 2 != 0,
            encrypted: flags & 4 != 0,
            proof: Proof::of_token(pointed(bytes, HEADER + 4)?),
        })
    }
}
