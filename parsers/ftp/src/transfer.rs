//! What the parser of a control connection tells the one of a data connection, in a few bytes.

use std::borrow::Cow;

use crate::directory::PATH_MAX;
use crate::verb::{Direction, Verb};

/// A transfer as the control connection has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Transfer<'a> {
    /// The FTP server listens, not the client.
    pub(crate) passive: bool,
    /// The port where it does.
    pub(crate) port: u16,
    /// The representation; 0 if it is not known.
    pub(crate) kind: u8,
    /// The transmission mode; 0 for a stream.
    pub(crate) mode: u8,
    pub(crate) offset: u64,
    /// In upper case; empty as long as none was sent.
    pub(crate) command: Cow<'a, [u8]>,
    pub(crate) path: Cow<'a, [u8]>,
    pub(crate) truncated: bool,
}

const PASSIVE: u8 = 1;
const TRUNCATED: u8 = 2;

/// Bytes before the command.
const FIXED: usize = 13;

/// Most bytes that a context may have.
const CONTEXT_MAX: usize = 1_024;
const _: () = assert!(FIXED + 1 + 4 + PATH_MAX <= CONTEXT_MAX);

impl<'a> Transfer<'a> {
    /// Flags, kind, mode, port, offset; the command up to a space, and the path.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let passive = if self.passive { PASSIVE } else { 0 };
        let truncated = if self.truncated { TRUNCATED } else { 0 };
        let mut context = vec![passive | truncated, self.kind, self.mode];
        context.extend_from_slice(&self.port.to_be_bytes());
        context.extend_from_slice(&self.offset.to_be_bytes());
        context.extend_from_slice(&self.command);
        context.push(b' ');
        context.extend_from_slice(&self.path);
        context
    }

    /// `None` for what is none of ours.
    pub(crate) fn decode(context: &'a [u8]) -> Option<Self> {
        let (fixed, names) = context.split_first_chunk::<FIXED>()?;
        let [flags, kind, mode, p1, p0, offset @ ..] = *fixed;
        let space = names.iter().position(|byte| *byte == b' ')?;
        let (command, path) = names.split_at(space);
        Some(Self {
            passive: flags & PASSIVE != 0,
            port: u16::from_be_bytes([p1, p0]),
            kind,
            mode,
            offset: u64::from_be_bytes(offset),
            command: Cow::Borrowed(command),
            path: Cow::Borrowed(path.get(1..)?),
            truncated: flags & TRUNCATED != 0,
        })
    }

    /// `None` as long as no command was sent.
    pub(crate) fn direction(&self) -> Option<Direction> {
        Verb::parse(&self.command).0.direction()
    }
}

#[cfg(test)]
mod tests {
    use super::Transfer;

    #[test]
    fn what_is_encoded_is_decoded() {
        let transfer = Transfer {
            passive: true,
            port: 50_000,
            kind: b'I',
            mode: 0,
            offset: 1 << 40,
            command: b"RETR".into(),
            path: b"/a b".into(),
            truncated: true,
        };
        assert_eq!(Transfer::decode(&transfer.encode()), Some(transfer));
        let none = Transfer::default();
        assert_eq!(Transfer::decode(&none.encode()), Some(none));
    }

    #[test]
    fn foreign_contexts_are_refused() {
        for context in [&b""[..], b"x", &[0; 13], &[0; 100]] {
            assert_eq!(Transfer::decode(context), None);
        }
    }
}
