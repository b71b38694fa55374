//! What clients ask for (MS-SMB2 §2.2, the requests).

use flowcell_sdk::prelude::*;

use crate::header::{Command, HEADER, Header};
use crate::ntlm;
use crate::spnego::Token;
use crate::text::{NAME_MAX, Name, PATH_MAX, utf16};
use crate::wire::{array, index, part, pointed, u8_at, u16_at, u32_at, u64_at};

/// The volatile and the persistent part of a file's id, as they stand in a message.
pub(crate) type FileId = [u8; 16];

/// Stands for the file of the message before in the compound (MS-SMB2 §3.3.5.2.7.2).
const SAME_FILE: FileId = [0xff; 16];

/// The file that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileRef {
    None,
    Id(FileId),
    /// The one that the CREATE with this message id opens.
    OpenedBy(u64),
}

/// A request that waits for its reply.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) message_id: u64,
    pub(crate) session_id: u64,
    pub(crate) tree_id: u32,
    pub(crate) at: Timestamp,
    pub(crate) file: FileRef,
    pub(crate) ask: Ask,
}

/// What it asks for.
#[derive(Debug)]
pub(crate) enum Ask {
    Negotiate(Box<Offer>),
    SessionSetup(Box<Proof>),
    Logoff,
    /// The share's path.
    TreeConnect(Name),
    TreeDisconnect,
    Create(Box<Create>),
    Close,
    Read {
        offset: u64,
        length: u32,
    },
    Write {
        offset: u64,
        length: u32,
    },
    /// Writes to a pipe, and reads what comes back.
    Transceive {
        length: u32,
    },
    /// Has the server copy from another file.
    Copy,
    List,
    Rename(Name),
    /// Whether it is to be deleted when it is closed.
    Delete(bool),
    Resize(u64),
    Other,
}

/// What the client can do (§2.2.3).
#[derive(Debug, Default)]
pub(crate) struct Offer {
    pub(crate) dialects: Vec<Vec<u8>>,
    pub(crate) signing_required: bool,
    pub(crate) client_guid: Option<[u8; 16]>,
    /// The name by which the client calls the server.
    pub(crate) server_name: Option<Name>,
}

/// Who the client says that it is (§2.2.5), or a step on the way there.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    pub(crate) binding: bool,
    pub(crate) signing_required: bool,
    pub(crate) token: Token,
    pub(crate) ntlm: Option<ntlm::Message>,
}

/// What to open, and how (§2.2.13).
#[derive(Debug, Default)]
pub(crate) struct Create {
    pub(crate) name: Name,
    pub(crate) access: u32,
    pub(crate) disposition: u32,
    pub(crate) options: u32,
}

/// Most dialects that are read of an offer.
const DIALECTS_MAX: usize = 16;

/// What carries over from one message of a compound to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    session_id: u64,
    tree_id: u32,
    file: FileRef,
}

impl Chain {
    pub(crate) fn new() -> Self {
        Self { session_id: 0, tree_id: 0, file: FileRef::None }
    }
}

impl Request {
    /// Reads the request in `bytes`, header included. `None` if it is malformed.
    pub(crate) fn parse(
        header: &Header,
        bytes: &[u8],
        chain: &mut Chain,
        at: Timestamp,
    ) -> Option<Self> {
        let body = bytes.get(HEADER..)?;
        if !header.is_related() {
            *chain = Chain {
                session_id: header.session_id,
                tree_id: header.tree_id,
                file: FileRef::None,
            };
        }
        let id_at = match header.command {
            Command::Close | Command::Ioctl | Command::QueryDirectory => Some(8),
            Command::Read | Command::Write | Command::SetInfo => Some(16),
            Command::OfFile(at) => Some(at),
            _ => None,
        };
        let mut file = FileRef::None;
        if let Some(at) = id_at {
            let id = array(body, at)?;
            if id != SAME_FILE {
                chain.file = FileRef::Id(id);
            }
            file = chain.file;
        }
        let ask = Ask::parse(header.command, bytes, body)?;
        if matches!(ask, Ask::Create(_)) {
            chain.file = FileRef::OpenedBy(header.message_id);
        }
        // Where the ids are carried over, some clients repeat them all the same.
        if header.session_id != u64::MAX {
            chain.session_id = header.session_id;
        }
        if header.tree_id != u32::MAX {
            chain.tree_id = header.tree_id;
        }
        Some(Self {
            message_id: header.message_id,
            session_id: chain.session_id,
            tree_id: chain.tree_id,
            at,
            file,
            ask,
        })
    }
}

impl Ask {
    fn parse(command: Command, bytes: &[u8], body: &[u8]) -> Option<Self> {
        Some(match command {
            Command::Negotiate => Self::Negotiate(Box::new(Offer::parse(bytes, body)?)),
            Command::SessionSetup => Self::SessionSetup(Box::new(Proof::parse(bytes, body)?)),
            Command::Logoff => Self::Logoff,
            Command::TreeConnect => Self::TreeConnect(utf16(pointed(bytes, HEADER + 4)?, PATH_MAX)),
            Command::TreeDisconnect => Self::TreeDisconnect,
            Command::Create => Self::Create(Box::new(Create {
                name: utf16(pointed(bytes, HEADER + 44)?, PATH_MAX),
                access: u32_at(body, 24)?,
                disposition: u32_at(body, 36)?,
                options: u32_at(body, 40)?,
            })),
            Command::Close => Self::Close,
            Command::Read | Command::Write => {
                let (length, offset) = (u32_at(body, 4)?, u64_at(body, 8)?);
                match command {
                    Command::Read => Self::Read { offset, length },
                    _ => Self::Write { offset, length },
                }
            }
            Command::Ioctl => match u32_at(body, 4)? {
                0x0011_c017 => Self::Transceive { length: u32_at(body, 28)? },
                0x0014_40f2 | 0x0014_80f2 => Self::Copy,
                _ => Self::Other,
            },
            Command::QueryDirectory => Self::List,
            Command::SetInfo => Self::set_info(bytes, body)?,
            Command::Cancel | Command::OfFile(_) | Command::Other => Self::Other,
        })
    }

    /// §2.2.39; the information is that of MS-FSCC §2.4.
    fn set_info(bytes: &[u8], body: &[u8]) -> Option<Self> {
        let information = part(bytes, u16_at(body, 8)?.into(), index(u32_at(body, 4)?));
        let (kind, class) = (u8_at(body, 2)?, u8_at(body, 3)?);
        Some(match (kind, class) {
            // FileRenameInformation and FileRenameInformationEx.
            (1, 10 | 65) => {
                let length = index(u32_at(information, 16)?);
                Self::Rename(utf16(part(information, 20, length), PATH_MAX))
            }
            // FileDispositionInformation and FileDispositionInformationEx.
            (1, 13 | 64) => Self::Delete(u8_at(information, 0)? & 1 == 1),
            // FileEndOfFileInformation.
            (1, 20) => Self::Resize(u64_at(information, 0)?),
            _ => Self::Other,
        })
    }
}

impl Offer {
    fn parse(bytes: &[u8], body: &[u8]) -> Option<Self> {
        let count = usize::from(u16_at(body, 2)?).min(DIALECTS_MAX);
        let mut offer = Self {
            signing_required: u16_at(body, 4)? & 2 != 0,
            client_guid: array(body, 12),
            ..Self::default()
        };
        let revisions = part(body, 36, count * 2);
        for at in (0..revisions.len()).step_by(2) {
            let Some(revision) = u16_at(revisions, at) else {
                break;
            };
            offer.dialects.push(crate::names::dialect(revision));
            if revision == 0x0311 {
                let (at, count) = (index(u32_at(body, 28)?), u16_at(body, 32)?);
                each_context(bytes, at, count, |kind, data| {
                    if kind == 5 {
                        offer.server_name = Some(utf16(data, NAME_MAX));
                    }
                });
            }
        }
        Some(offer)
    }
}

/// Most negotiate contexts that are looked at.
const CONTEXTS_MAX: u16 = 16;

/// Hands out type and data of each negotiate context (§2.2.3.1). They start at multiples of 8.
pub(crate) fn each_context(
    bytes: &[u8],
    mut at: usize,
    count: u16,
    mut found: impl FnMut(u16, &[u8]),
) {
    for _ in 0..count.min(CONTEXTS_MAX) {
        let context = bytes.get(at..).unwrap_or_default();
        let (Some(kind), Some(length)) = (u16_at(context, 0), u16_at(context, 2)) else {
            return;
        };
        found(kind, part(context, 8, length.into()));
        at = (at + 8 + usize::from(length)).next_multiple_of(8);
    }
}

impl Proof {
    fn parse(bytes: &[u8], body: &[u8]) -> Option<Self> {
        let (flags, mode) = (u8_at(body, 2)?, u8_at(body, 3)?);
        let token = pointed(bytes, HEADER + 12)?;
        Some(Self {
            binding: flags & 1 != 0,
            signing_required: mode & 2 != 0,
            ..Self::of_token(token)
        })
    }

    /// What a security token says, of either side.
    pub(crate) fn of_token(bytes: &[u8]) -> Self {
        let token = Token::parse(bytes);
        let message = token.ntlm.and_then(|at| bytes.get(at..));
        Self { ntlm: message.and_then(ntlm::Message::parse), token, ..Self::default() }
    }
}
