//! What both sides have said, and what follows from it.

use std::cell::{Cell, RefCell};

use flowcell_sdk::prelude::*;

use crate::digest::{md5_hex, sha256_base64};
use crate::handshake;
use crate::identification::{Speaks, common};
use crate::kexinit::{KexInit, guess_is_right};

/// Longest name of a host key's format, in bytes (RFC 4251 §6).
const MAX_NAME: usize = 64;

/// What one side has said.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    pub(crate) identification: Option<(Vec<u8>, Speaks)>,
    /// Lines before the identification.
    pub(crate) lines: u32,
    pub(crate) kexinit: Option<KexInit>,
    /// The identification was cut, or the offer was too long to be read.
    pub(crate) truncated: bool,
    /// The host key in the packet behind the offer, which may be part of a wrong guess.
    guessed_key: Option<HostKey>,
    key: Option<HostKey>,
    /// It has sent a packet of SSH-1.
    version_1: bool,
    /// The cipher of SSH-1.
    pub(crate) cipher: Option<&'static str>,
}

impl Peer {
    /// The host key of this server. RFC 4253 §7: the packet of a wrong guess does not count.
    pub(crate) fn host_key(&self, client: &Self) -> Option<&HostKey> {
        let guess_counts = match (&self.kexinit, &client.kexinit) {
            (Some(own), Some(other)) => !own.guess_follows || guess_is_right(other, own),
            _ => true,
        };
        self.guessed_key.as_ref().filter(|_| guess_counts).or(self.key.as_ref())
    }
}

/// The major version that is spoken.
pub(crate) fn version(client: &Peer, server: &Peer) -> Option<u8> {
    if client.kexinit.is_some() || server.kexinit.is_some() {
        return Some(2);
    }
    if client.version_1 || server.version_1 {
        return Some(1);
    }
    let (_, client) = client.identification.as_ref()?;
    let (_, server) = server.identification.as_ref()?;
    common(*client, *server)
}

/// A host key, as it is compared.
#[derive(Debug)]
pub(crate) struct HostKey {
    pub(crate) md5: Vec<u8>,
    /// Absent for SSH-1, as the format.
    pub(crate) sha256: Option<Vec<u8>>,
    pub(crate) format: Option<Vec<u8>>,
}

impl HostKey {
    /// A key in the form of RFC 4253 §6.6: `None` if it does not start with a name.
    pub(crate) fn parse(blob: &[u8]) -> Option<Self> {
        let length = blob.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))?;
        let format = blob.get(4..)?.get(..usize::try_from(length).ok()?)?;
        let is_name = !format.is_empty()
            && format.len() <= MAX_NAME
            && format.iter().all(u8::is_ascii_graphic);
        is_name.then(|| Self {
            md5: md5_hex(&[blob], Some(b':')),
            sha256: Some(sha256_base64(blob)),
            format: Some(format.to_vec()),
        })
    }
}

/// What is known of the handshake.
pub(crate) struct Known<'f> {
    flow: &'f Flow,
    pub(crate) client: RefCell<Peer>,
    pub(crate) server: RefCell<Peer>,
    confirmed: Cell<bool>,
}

impl<'f> Known<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        Self {
            flow,
            client: RefCell::default(),
            server: RefCell::default(),
            confirmed: Cell::new(false),
        }
    }

    pub(crate) fn identify(
        &self,
        peer: &RefCell<Peer>,
        line: &[u8],
        speaks: Speaks,
        truncated: bool,
    ) {
        let mut peer = peer.borrow_mut();
        peer.identification = Some((line.to_vec(), speaks));
        peer.truncated |= truncated;
        self.confirm();
    }

    pub(crate) fn offer(&self, peer: &RefCell<Peer>, offer: KexInit) {
        peer.borrow_mut().kexinit = Some(offer);
        self.confirm();
    }

    pub(crate) fn host_key(&self, peer: &RefCell<Peer>, key: HostKey, first: bool) {
        let mut peer = peer.borrow_mut();
        match first {
            true => peer.guessed_key = Some(key),
            false => peer.key = Some(key),
        }
    }

    pub(crate) fn session_of_version_1(
        &self,
        peer: &RefCell<Peer>,
        key: Option<Vec<u8>>,
        cipher: Option<&'static str>,
    ) {
        let mut peer = peer.borrow_mut();
        peer.version_1 = true;
        peer.key = key.map(|md5| HostKey { md5, sha256: None, format: None });
        peer.cipher = cipher;
    }

    fn confirm(&self) {
        self.confirmed.set(true);
        self.flow.confirm();
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed.get()
    }

    /// Nothing that could still come would add to the record.
    pub(crate) fn is_complete(&self) -> bool {
        let (client, server) = (self.client.borrow(), self.server.borrow());
        let identified = client.identification.is_some() && server.identification.is_some();
        let offered = client.kexinit.is_some() && server.kexinit.is_some();
        let has_key = server.host_key(&client).is_some();
        identified && ((offered && has_key) || (client.version_1 && server.version_1))
    }

    /// Emits the record of the handshake.
    pub(crate) fn emit(&self) {
        let incomplete = !self.is_complete();
        let (client, server) = (self.client.borrow(), self.server.borrow());
        handshake::emit(self.flow, &client, &server, incomplete);
    }
}
