//! What both sides have said: requests with their replies, and what follows from them.

use flowcell_sdk::prelude::*;

use crate::files::{File, Files, Key};
use crate::header::{Command, Header};
use crate::names;
use crate::netbios::{NetBios, Packet};
use crate::out::Out;
use crate::pending::Pending;
use crate::records::{self, Connection};
use crate::reply::{Answer, Reply};
use crate::request::{Ask, Chain, FileRef, Offer, Request};
use crate::sessions::{Agreement, Sessions, list};
use crate::smb1::{self, Smb1};
use crate::text::{Name, hex_number};
use crate::trees::Trees;

/// What a record of a share takes without the texts of the wire, in bytes.
const TREE_RECORD: usize = 400;

/// A connection.
#[derive(Debug)]
pub(crate) struct Conversation<'f> {
    out: Out<'f>,
    agreement: Agreement,
    pending: Pending,
    sessions: Sessions,
    trees: Trees,
    files: Files,
    smb1: Smb1,
    netbios: NetBios,
    smb1_messages: u64,
    requests: u64,
    unanswered: u64,
    read_bytes: u64,
    written_bytes: u64,
    encrypted_messages: u64,
    encrypted_bytes: u64,
    compressed_messages: u64,
    malformed: u64,
    incomplete: bool,
}

impl<'f> Conversation<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        Self {
            out: Out::new(flow),
            agreement: Agreement::default(),
            pending: Pending::default(),
            sessions: Sessions::default(),
            trees: Trees::default(),
            files: Files::default(),
            smb1: Smb1::default(),
            netbios: NetBios::default(),
            smb1_messages: 0,
            requests: 0,
            unanswered: 0,
            read_bytes: 0,
            written_bytes: 0,
            encrypted_messages: 0,
            encrypted_bytes: 0,
            compressed_messages: 0,
            malformed: 0,
            incomplete: flow.info().midstream,
        }
    }

    /// It is certain that this is SMB.
    pub(crate) fn confirm(&mut self) {
        self.out.confirm();
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.out.is_confirmed()
    }

    /// Nothing more is wanted.
    pub(crate) fn is_over(&self) -> bool {
        self.smb1.is_over()
    }

    /// Bytes are missing where a message would have been read.
    pub(crate) fn torn(&mut self) {
        self.incomplete = true;
    }

    /// A message can not be understood.
    pub(crate) fn malformed(&mut self) {
        self.malformed += 1;
    }

    /// A message of `length` bytes is encrypted, or else compressed.
    pub(crate) fn opaque(&mut self, encrypted: bool, length: usize) {
        if encrypted {
            self.encrypted_messages += 1;
            self.encrypted_bytes += length as u64;
        } else {
            self.compressed_messages += 1;
        }
    }

    /// A packet of the session service that is no message. False if it can be none.
    pub(crate) fn netbios(&mut self, kind: u8, body: &[u8]) -> bool {
        let packet = self.netbios.take(kind, body);
        if packet == Packet::Call {
            self.out.confirm();
        }
        packet != Packet::Malformed
    }

    /// A message of SMB 1, or the start of it.
    pub(crate) fn smb1(&mut self, bytes: &[u8]) {
        self.out.earn(bytes.len());
        self.smb1_messages += 1;
        match self.smb1.message(bytes, &mut self.agreement, &mut self.out) {
            smb1::Outcome::OffersSmb2 => self.push(Request {
                message_id: 0,
                session_id: 0,
                tree_id: 0,
                at: self.out.now(),
                file: FileRef::None,
                ask: Ask::Negotiate(Box::default()),
            }),
            smb1::Outcome::Declines => drop(self.pending.request(0)),
            smb1::Outcome::Other => {}
        }
    }

    /// A message of SMB 2 or 3 of `size` bytes, of which `bytes` is the start.
    pub(crate) fn message(
        &mut self,
        header: &Header,
        bytes: &[u8],
        size: usize,
        chain: &mut Chain,
    ) {
        self.out.earn(bytes.len());
        let now = self.out.now();
        if !header.is_reply() {
            // A cancellation has the id of what it cancels, and no answer (MS-SMB2 §3.2.4.24).
            if header.command == Command::Cancel {
                return;
            }
            match Request::parse(header, bytes, chain, now) {
                Some(request) => {
                    self.requests += 1;
                    self.push(request);
                }
                None => self.malformed += 1,
            }
            return;
        }
        // The server's own notices answer nothing (§3.3.4.6); an interim reply says that the
        // answer comes later (§3.3.4.2).
        if header.message_id == u64::MAX || header.status == names::PENDING {
            return;
        }
        let (reply, sound) = Reply::parse(header, bytes, size, now);
        self.malformed += u64::from(!sound);
        match self.pending.request(header.message_id) {
            Some(request) => self.exchange(request, Some(reply)),
            None => {
                if let Some(reply) = self.pending.push_reply(reply) {
                    self.orphan(reply);
                }
            }
        }
    }

    /// A request waits for its reply, unless that is there.
    fn push(&mut self, mut request: Request) {
        self.pending.resolve(&mut request);
        if let Some(reply) = self.pending.reply(request.message_id) {
            self.exchange(request, Some(reply));
        } else if let Some(request) = self.pending.push_request(request) {
            self.exchange(request, None);
        }
    }

    /// A request and its reply; none if it will not be seen.
    fn exchange(&mut self, request: Request, reply: Option<Reply>) {
        let Request { message_id, session_id, tree_id, at, ask, .. } = request;
        self.unanswered += u64::from(reply.is_none());
        let succeeded = reply.as_ref().is_some_and(|reply| !names::is_failure(reply.status));
        let refused = reply.is_some() && !succeeded;
        match ask {
            Ask::Negotiate(offer) => self.negotiate(*offer, reply),
            Ask::SessionSetup(proof) => {
                self.setup(Some((session_id, *proof)), reply);
            }
            Ask::Logoff if succeeded => {
                self.files.close_all(Some(session_id), None, &self.sessions, &mut self.out);
                self.trees.remove_all(session_id);
                self.sessions.remove(session_id);
            }
            Ask::TreeConnect(path) => self.tree(session_id, Some(path), reply),
            Ask::TreeDisconnect if succeeded => {
                let ids = (Some(session_id), Some(tree_id));
                self.files.close_all(ids.0, ids.1, &self.sessions, &mut self.out);
                self.trees.remove(session_id, tree_id);
            }
            Ask::Create(create) => {
                if let Some(Reply { answer: Answer::Create(created), .. }) = &reply {
                    self.pending.opened(message_id, created.id);
                }
                let answered = reply.map(|reply| match reply.answer {
                    Answer::Create(created) => (reply.status, Some(created), reply.at),
                    _ => (reply.status, None, reply.at),
                });
                let (trees, sessions) = (&self.trees, &self.sessions);
                let ids = (session_id, tree_id);
                self.files.create(
                    ids,
                    Some((create, at)),
                    answered,
                    trees,
                    sessions,
                    &mut self.out,
                );
            }
            Ask::Close => {
                let answered = reply.is_some();
                let attributes = match reply {
                    Some(Reply { answer: Answer::Close(attributes), .. }) => attributes,
                    _ => None,
                };
                if let FileRef::Id(id) = request.file {
                    let key = Key { session_id, tree_id, id };
                    self.files.close(&key, attributes, answered, &self.sessions, &mut self.out);
                }
            }
            Ask::Logoff | Ask::TreeDisconnect | Ask::Other => {}
            _ if refused => {}
            ask => self.operation(request.file, session_id, tree_id, ask, reply),
        }
    }

    /// Something that is done with a file that is open.
    fn operation(
        &mut self,
        file: FileRef,
        session_id: u64,
        tree_id: u32,
        ask: Ask,
        reply: Option<Reply>,
    ) {
        let answered = reply.is_some();
        let answer = reply.map_or(Answer::Other, |reply| reply.answer);
        let (mut read, mut written) = (None, None);
        match (&ask, &answer) {
            (Ask::Read { offset, length }, Answer::Read(count)) => {
                read = Some((*offset, *count.min(length)));
            }
            (Ask::Write { offset, length }, Answer::Write(count)) => {
                written = Some((*offset, *count.min(length)));
            }
            (Ask::Write { offset, length }, _) if !answered => written = Some((*offset, *length)),
            (Ask::Transceive { length }, Answer::Ioctl { length: back, .. }) => {
                written = Some((0, *length));
                read = Some((0, *back));
            }
            (Ask::Transceive { length }, _) if !answered => written = Some((0, *length)),
            _ => {}
        }
        self.read_bytes += read.map_or(0, |(_, length)| u64::from(length));
        self.written_bytes += written.map_or(0, |(_, length)| u64::from(length));
        let FileRef::Id(id) = file else {
            return;
        };
        let key = Key { session_id, tree_id, id };
        let file: &mut File = self.files.used(&key, &self.trees, &self.sessions, &mut self.out);
        file.incomplete |= !answered;
        if let Some((offset, length)) = read {
            file.read.add(offset, length.into());
        }
        if let Some((offset, length)) = written {
            file.write(offset, length.into());
        }
        match (ask, answer) {
            (Ask::Copy, Answer::Ioctl { copied: Some(copied), .. }) => {
                file.copied = file.copied.saturating_add(copied.into());
            }
            (Ask::List, _) => file.listings += 1,
            (Ask::Rename(name), _) => file.rename(name),
            (Ask::Delete(deleted), _) => file.deleted = deleted,
            (Ask::Resize(size), _) => file.size = Some(size),
            _ => {}
        }
    }

    /// A reply whose request was not seen.
    fn orphan(&mut self, reply: Reply) {
        match reply.answer {
            Answer::Negotiate(_) => self.negotiate(Offer::default(), Some(reply)),
            Answer::SessionSetup(_) => self.setup(None, Some(reply)),
            // A reply names neither the share nor the file that it is about.
            Answer::TreeConnect(_) => self.tree(reply.session_id, None, Some(reply)),
            Answer::Create(created) => {
                let answered = Some((reply.status, Some(created), reply.at));
                let (trees, sessions) = (&self.trees, &self.sessions);
                let ids = (reply.session_id, reply.tree_id);
                self.files.create(ids, None, answered, trees, sessions, &mut self.out);
            }
            Answer::Read(count) => self.read_bytes += u64::from(count),
            Answer::Write(count) => self.written_bytes += u64::from(count),
            Answer::Close(_) | Answer::Ioctl { .. } | Answer::Other => {}
        }
    }

    fn negotiate(&mut self, offer: Offer, reply: Option<Reply>) {
        self.agreement.offered(offer);
        if let Some(Reply { answer: Answer::Negotiate(choice), .. }) = reply {
            self.agreement.chosen(*choice);
        }
    }

    fn setup(&mut self, asked: Option<(u64, crate::request::Proof)>, reply: Option<Reply>) {
        let answered = reply.map(|reply| match reply.answer {
            Answer::SessionSetup(verdict) => (reply.session_id, reply.status, Some(*verdict)),
            _ => (reply.session_id, reply.status, None),
        });
        self.sessions.setup(asked, answered, &self.agreement, &mut self.out);
    }

    /// A share was asked for.
    fn tree(&mut self, session_id: u64, path: Option<Name>, reply: Option<Reply>) {
        let share = match &reply {
            Some(Reply { answer: Answer::TreeConnect(share), .. }) => Some(*share),
            _ => None,
        };
        let status = reply.as_ref().map(|reply| names::status(reply.status));
        let number = hex_number(&session_id.to_be_bytes());
        let names = [path.as_ref(), self.sessions.user(session_id)];
        let texts = names.map(|name| name.map(|name| name.text.as_slice()));
        let record = records::Tree {
            path: texts[0].map(Into::into),
            share_type: share.and_then(|share| names::share_type(share.kind)),
            status: status.as_deref().map(Into::into),
            encrypted: share.is_some_and(|share| share.encrypted),
            username: texts[1].map(Into::into),
            session_id: number.as_slice().into(),
            truncated: names.iter().flatten().any(|name| name.cut),
        };
        self.out.emit(&record, TREE_RECORD, texts.into_iter().flatten());
        if let (Some(reply), Some(share)) = (reply, share) {
            self.trees.add(session_id, reply.tree_id, path, share);
        }
    }

    /// Tells what is not finished, and what the connection came to.
    pub(crate) fn finish(&mut self) {
        while let Some(reply) = self.pending.pop_reply() {
            self.orphan(reply);
        }
        while let Some(request) = self.pending.pop_request() {
            self.exchange(request, None);
        }
        self.files.close_all(None, None, &self.sessions, &mut self.out);
        self.sessions.finish(&self.agreement, &mut self.out);
        self.smb1.finish(&self.agreement, &mut self.out);
        let text = |text: &Option<Vec<u8>>| text.clone().map(Text::from);
        let of = &self.agreement;
        let [called, calling] = match self.netbios.names.take() {
            Some(names) => names.map(|name| Some(Text::from(name.text))),
            None => [None, None],
        };
        self.out.emit_last(&Connection {
            dialect: text(&of.dialect),
            dialects_offered: list(&of.offered),
            server_mechs: list(&of.server_mechs),
            client_guid: text(&of.client_guid),
            server_guid: text(&of.server_guid),
            server_name: of.server_name.as_ref().map(|name| name.text.as_slice().into()),
            netbios_called: called,
            netbios_calling: calling,
            netbios_error: self.netbios.error,
            signing_required: of.signing_required,
            cipher: of.cipher,
            smb1_messages: self.smb1_messages,
            requests: self.requests,
            unanswered: self.unanswered,
            read_bytes: self.read_bytes,
            written_bytes: self.written_bytes,
            encrypted_messages: self.encrypted_messages,
            encrypted_bytes: self.encrypted_bytes,
            compressed_messages: self.compressed_messages,
            malformed: self.malformed,
            given_up: self.files.given_up,
            left_out: self.out.left_out,
            incomplete: self.incomplete,
        });
    }
}
