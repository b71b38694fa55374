//! Reading one side up to where it starts to encrypt.

use std::cell::{RefCell, RefMut};

use flowcell_sdk::prelude::*;

use crate::identification::{MAX_IDENTIFICATION, Speaks, protocol};
use crate::kexinit::{KexInit, MIN_PAYLOAD};
use crate::known::{HostKey, Known, Peer};
use crate::ssh1;

/// Most bytes that a server may send before its identification, and of a line that never ends.
const MAX_PREAMBLE: usize = 65_536;

/// Longest packet that an implementation takes, in bytes; RFC 4253 §6.1 asks for 35,000 at least.
const MAX_PACKET: usize = 262_144;

/// Longest offer that is read, in bytes (RFC 4253 §6.1).
const MAX_KEXINIT: usize = 35_000;

/// Longest host key that is read, in bytes: a certificate of OpenSSH with room to spare.
const MAX_HOST_KEY: usize = 16_384;

// Message numbers: RFC 4250 §4.1.2, and RFC 4253 §8, RFC 4419 §5, RFC 4432 §3 and RFC 4462 §2.1 for
// those of key exchange, which have other meanings for other methods.
const DISCONNECT: u8 = 1;
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const MAY_BRING_HOST_KEY: [u8; 3] = [30, 31, 33];

/// One side, as it is read.
pub(crate) struct Half<'a, 'f> {
    stream: &'a mut ByteStream,
    known: &'a Known<'f>,
    peer: &'a RefCell<Peer>,
}

/// Length, padding and type of a packet (RFC 4253 §6).
#[derive(Debug, Clone, Copy)]
struct Head {
    /// Without the length field itself.
    length: usize,
    padding: usize,
    kind: u8,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, d, padding, kind, ..] = *bytes else {
            return None;
        };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let padding = usize::from(padding);
        (length <= MAX_PACKET && padding + 1 < length).then_some(Self { length, padding, kind })
    }

    /// With the type, without the padding.
    fn payload(self) -> usize {
        self.length - self.padding - 1
    }

    /// Whether nothing but an offer looks like this.
    fn is_kexinit(self) -> bool {
        self.kind == KEXINIT
            && self.padding >= 4
            && (self.length + 4).is_multiple_of(8)
            && (MIN_PAYLOAD..=MAX_KEXINIT).contains(&self.payload())
    }
}

impl<'a, 'f> Half<'a, 'f> {
    pub(crate) fn new(
        stream: &'a mut ByteStream,
        known: &'a Known<'f>,
        peer: &'a RefCell<Peer>,
    ) -> Self {
        Self { stream, known, peer }
    }

    /// Reads the side until it encrypts, ends, or can not be followed.
    pub(crate) async fn listen(mut self, midstream: bool) -> Result<()> {
        let mut outcome = self.handshake(midstream).await;
        // Behind a gap, the offer may still be there.
        while matches!(outcome, Err(Error::Read(ReadError::Gap(_))))
            && self.peer().kexinit.is_none()
        {
            outcome = self.handshake(true).await;
        }
        match outcome {
            Ok(()) | Err(Error::Read(_)) => {
                self.stream.done();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// No borrow outlives the statement that takes it.
    fn peer(&self) -> RefMut<'_, Peer> {
        self.peer.borrow_mut()
    }

    /// `lost`: the bytes that come next may be from anywhere in the conversation.
    async fn handshake(&mut self, lost: bool) -> Result<()> {
        if lost {
            let head = self.stream.peek(6).await?;
            if !head.starts_with(b"SSH-") {
                if Head::parse(head).is_some_and(Head::is_kexinit) {
                    return self.packets(true).await;
                }
                return Ok(());
            }
        }
        match self.identification().await? {
            Speaks::Two => self.packets(false).await,
            Speaks::One => self.packets_of_version_1().await,
            // What the other side speaks decides; the first packet shows it.
            Speaks::Both => {
                let head = self.stream.peek(6).await?;
                match Head::parse(head).is_some_and(Head::is_kexinit) {
                    true => self.packets(false).await,
                    false => self.packets_of_version_1().await,
                }
            }
        }
    }

    /// RFC 4253 §4.2: the server may send other lines first, the client may not.
    async fn identification(&mut self) -> Result<Speaks> {
        let mut budget = MAX_PREAMBLE;
        let mut line_starts = true;
        loop {
            if self.stream.side() == Side::Client && self.stream.peek(4).await? != b"SSH-" {
                return Err(self.refuse("the client does not identify itself"));
            }
            let part = match self.stream.get_line_part(MAX_IDENTIFICATION).await {
                Ok(part) => part,
                Err(ReadError::End(end)) if line_starts && end.unread > 0 => {
                    return self.unfinished_identification(ReadError::End(end)).await;
                }
                Err(error) => return Err(error.into()),
            };
            let (line, last) = (part.line, part.last);
            if line_starts && let Some(speaks) = protocol(&line) {
                self.known.identify(self.peer, &line, speaks, !last);
                if !last {
                    self.skip_line(budget).await?;
                }
                return Ok(speaks);
            }
            budget = budget.saturating_sub(line.raw().len());
            if line.contains(&0) || budget == 0 || self.stream.side() == Side::Client {
                return Err(self.refuse("there is no identification"));
            }
            line_starts = last;
            if last {
                let mut peer = self.peer();
                peer.lines = peer.lines.saturating_add(1);
            }
        }
    }

    /// The side ended within its first line: what is there of it counts.
    async fn unfinished_identification(&mut self, end: ReadError) -> Result<Speaks> {
        if let Some(line) = self.stream.rest().await?
            && let Some(speaks) = protocol(line)
        {
            self.known.identify(self.peer, line, speaks, false);
        }
        Err(end.into())
    }

    async fn skip_line(&mut self, mut budget: usize) -> Result<()> {
        while budget > 0 {
            let part = self.stream.get_line_part(MAX_IDENTIFICATION).await?;
            if part.last {
                return Ok(());
            }
            budget = budget.saturating_sub(part.line.raw().len());
        }
        Err(self.refuse("the identification does not end"))
    }

    /// Packets up to NEWKEYS (RFC 4253 §6 and §7.3). `uncertain`: the first may be none.
    async fn packets(&mut self, mut uncertain: bool) -> Result<()> {
        // Behind the offer, the next packet may be that of a wrong guess.
        let mut behind_offer = 0u32;
        // What follows must not matter, whether it is here already or not.
        while !self.known.is_complete() {
            let Some(head) = Head::parse(self.stream.peek(6).await?) else {
                return Err(self.refuse("the length of a packet can not be true"));
            };
            let payload = head.payload();
            match head.kind {
                KEXINIT if self.peer().kexinit.is_none() => {
                    self.stream.skip(5);
                    if payload > MAX_KEXINIT {
                        self.peer().truncated = true;
                        self.stream.skip((payload + head.padding) as u64);
                        continue;
                    }
                    let offer = KexInit::parse(self.stream.read_exact(payload).await?.to_vec());
                    match offer {
                        Some(offer) => self.known.offer(self.peer, offer),
                        None if uncertain => return Ok(()),
                        None => return Err(self.refuse("the lists of KEXINIT are longer than it")),
                    }
                    self.stream.skip(head.padding as u64);
                    uncertain = false;
                }
                NEWKEYS | DISCONNECT => return Ok(()),
                kind if self.stream.side() == Side::Server
                    && MAY_BRING_HOST_KEY.contains(&kind) =>
                {
                    behind_offer = behind_offer.saturating_add(1);
                    self.host_key(head, behind_offer == 1).await?;
                }
                _ => {
                    behind_offer = behind_offer.saturating_add(1);
                    self.stream.skip(4 + head.length as u64);
                }
            }
        }
        Ok(())
    }

    /// RFC 4253 §8: a reply starts with the host key, and this with the name of its format (§6.6). What
    /// else has this number starts with a number that no name looks like.
    async fn host_key(&mut self, head: Head, first: bool) -> Result<()> {
        self.stream.skip(6);
        let mut left = head.payload() - 1;
        if let Some(behind) = left.checked_sub(4) {
            let length = usize::try_from(self.stream.read_u32().await?).unwrap_or(usize::MAX);
            left = behind;
            if length <= left.min(MAX_HOST_KEY) {
                let blob = self.stream.read_exact(length).await?;
                if let Some(key) = HostKey::parse(blob) {
                    self.known.host_key(self.peer, key, first);
                }
                left -= length;
            }
        }
        self.stream.skip((left + head.padding) as u64);
        Ok(())
    }

    /// The packets of SSH-1 up to the first that is encrypted.
    async fn packets_of_version_1(&mut self) -> Result<()> {
        loop {
            let length = self.stream.peek(4).await?.first_chunk().copied().unwrap_or_default();
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            if !(5..=ssh1::MAX_LENGTH).contains(&length) {
                return Err(self.refuse("the length of a packet of SSH-1 can not be true"));
            }
            let padding = ssh1::padding(length);
            let packet = self.stream.read_exact(4 + padding + length).await?;
            // Behind the padding: type, data, CRC.
            let [kind, data @ .., _, _, _, _] = packet.get(4 + padding..).unwrap_or_default()
            else {
                return Ok(());
            };
            match *kind {
                ssh1::PUBLIC_KEY => {
                    let key = ssh1::host_key(data);
                    self.known.session_of_version_1(self.peer, key, None);
                    return Ok(());
                }
                ssh1::SESSION_KEY => {
                    let cipher = ssh1::cipher(data);
                    self.known.session_of_version_1(self.peer, None, cipher);
                    return Ok(());
                }
                kind if ssh1::IDLE.contains(&kind) => {}
                _ => return Ok(()),
            }
        }
    }

    /// What is wrong means that it is not SSH, unless there was something that is nothing else.
    fn refuse(&self, reason: &'static str) -> Error {
        match self.known.is_confirmed() {
            true => Error::violation(reason),
            false => Error::decline(reason),
        }
    }
}
