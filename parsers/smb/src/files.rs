//! The files that are open, and what is done with them.

use flowcell_sdk::prelude::*;

use crate::names;
use crate::out::Out;
use crate::records::{self, Times};
use crate::reply::{Attributes, Created};
use crate::request::{Create, FileId};
use crate::sessions::Sessions;
use crate::text::{Name, hex_number};
use crate::trees::{Tree, Trees};

/// Most files that are open at a time; of more, the one not used for the longest time is given up.
const FILES_MAX: usize = 128;

/// What a record takes without the texts of the wire, in bytes.
const RECORD: usize = 1_600;

/// The option of a file that goes when it is closed (MS-SMB2 §2.2.13).
const DELETE_ON_CLOSE: u32 = 0x1000;

/// Which file of which session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) session_id: u64,
    pub(crate) tree_id: u32,
    pub(crate) id: FileId,
}

/// Bytes that were read or written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Transfer {
    count: u64,
    bytes: u64,
    span: Option<(u64, u64)>,
}

impl Transfer {
    pub(crate) fn add(&mut self, offset: u64, length: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(length);
        if length > 0 {
            let (from, to) = self.span.unwrap_or((offset, 0));
            self.span = Some((from.min(offset), to.max(offset.saturating_add(length))));
        }
    }

    fn from(&self) -> Option<u64> {
        self.span.map(|(from, _)| from)
    }

    fn to(&self) -> Option<u64> {
        self.span.map(|(_, to)| to)
    }
}

/// A file from its opening on, or an attempt to open one.
#[derive(Debug)]
pub(crate) struct File {
    session_id: u64,
    tree_id: u32,
    id: Option<FileId>,
    path: Option<Name>,
    share_type: Option<&'static str>,
    name: Option<Name>,
    prev_name: Option<Name>,
    create: Option<Box<Create>>,
    status: Option<u32>,
    action: Option<u32>,
    attributes: Option<Attributes>,
    pub(crate) size: Option<u64>,
    pub(crate) read: Transfer,
    pub(crate) written: Transfer,
    pub(crate) copied: u64,
    pub(crate) listings: u64,
    pub(crate) deleted: bool,
    opened: Option<Timestamp>,
    closed: bool,
    pub(crate) incomplete: bool,
    /// What was used later has a higher number.
    used: u64,
}

impl File {
    /// One of which nothing is known yet.
    fn new(session_id: u64, tree_id: u32, tree: Option<&Tree>) -> Self {
        Self {
            session_id,
            tree_id,
            id: None,
            path: tree.and_then(|tree| tree.path.clone()),
            share_type: tree.and_then(|tree| tree.share_type),
            name: None,
            prev_name: None,
            create: None,
            status: None,
            action: None,
            attributes: None,
            size: None,
            read: Transfer::default(),
            written: Transfer::default(),
            copied: 0,
            listings: 0,
            deleted: false,
            opened: None,
            closed: false,
            incomplete: false,
            used: 0,
        }
    }

    fn is(&self, key: &Key) -> bool {
        self.id == Some(key.id) && self.session_id == key.session_id
    }

    /// Takes what the server says of the file.
    fn describe(&mut self, attributes: Attributes) {
        self.attributes = Some(attributes);
        self.size = Some(attributes.size);
    }

    fn is_pipe(&self) -> bool {
        self.share_type == Some("PIPE")
    }

    /// Bytes were written.
    pub(crate) fn write(&mut self, offset: u64, length: u64) {
        self.written.add(offset, length);
        if !self.is_pipe() {
            self.size = self.size.max(self.written.to());
        }
    }

    /// It got another name.
    pub(crate) fn rename(&mut self, name: Name) {
        self.prev_name = self.name.replace(name);
    }

    fn action(&self) -> &'static str {
        if self.deleted {
            "delete"
        } else if self.prev_name.is_some() {
            "rename"
        } else if self.written.count > 0 || self.copied > 0 {
            "write"
        } else if self.read.count > 0 {
            "read"
        } else {
            "open"
        }
    }

    fn emit(&self, sessions: &Sessions, out: &mut Out<'_>) {
        let session_id = hex_number(&self.session_id.to_be_bytes());
        let file_id = self.id.map(|mut id| {
            // Each part is a little-endian number.
            id.reverse();
            let (volatile, persistent) = id.split_at(8);
            hex_number(&[persistent, volatile].concat())
        });
        let status = self.status.map(names::status);
        let create = self.create.as_deref();
        let access = create.map(|create| hex_number(&create.access.to_be_bytes()));
        let attributes = self.attributes.unwrap_or_default();
        let names = [
            self.path.as_ref(),
            self.name.as_ref(),
            self.prev_name.as_ref(),
            sessions.user(self.session_id),
        ];
        let texts = names.map(|name| name.map(|name| name.text.as_slice()));
        let [path, name, prev_name, username] = texts.map(|text| text.map(Text::from));
        let pipe = self.is_pipe();
        let record = records::File {
            action: self.action(),
            path,
            name,
            prev_name,
            size: self.size,
            times: self.attributes.and_then(times),
            directory: attributes.directory,
            share_type: self.share_type,
            status: status.as_deref().map(Into::into),
            disposition: create.and_then(|create| names::disposition(create.disposition)),
            create_action: self.action.and_then(names::create_action),
            options: create.map_or_else(Vec::new, |create| names::options(create.options)),
            access: access.as_deref().map(Into::into),
            reads: self.read.count,
            read_bytes: self.read.bytes,
            read_from: self.read.from().filter(|_| !pipe),
            read_to: self.read.to().filter(|_| !pipe),
            writes: self.written.count,
            written_bytes: self.written.bytes,
            written_from: self.written.from().filter(|_| !pipe),
            written_to: self.written.to().filter(|_| !pipe),
            copied_bytes: self.copied,
            listings: self.listings,
            opened: self.opened,
            closed: self.closed,
            username,
            session_id: session_id.as_slice().into(),
            file_id: file_id.as_deref().map(Into::into),
            incomplete: self.incomplete,
            truncated: names.iter().flatten().any(|name| name.cut),
        };
        out.emit(&record, RECORD, texts.into_iter().flatten());
    }
}

/// The times of a file, if it has any; a pipe has none.
fn times(of: Attributes) -> Option<Times> {
    of.created.or(of.modified).or(of.accessed).or(of.changed)?;
    Some(Times {
        modified: of.modified,
        accessed: of.accessed,
        created: of.created,
        changed: of.changed,
    })
}

/// All that are open.
#[derive(Debug, Default)]
pub(crate) struct Files {
    #[expect(clippy::vec_box, reason = "taking one out of the middle moves only pointers")]
    open: Vec<Box<File>>,
    /// Where the one used last is: mostly the next as well.
    last: usize,
    uses: u64,
    pub(crate) given_up: u64,
}

impl Files {
    /// A CREATE was answered, or will not be.
    pub(crate) fn create(
        &mut self,
        ids: (u64, u32),
        asked: Option<(Box<Create>, Timestamp)>,
        answered: Option<(u32, Option<Box<Created>>, Timestamp)>,
        trees: &Trees,
        sessions: &Sessions,
        out: &mut Out<'_>,
    ) {
        let (session_id, tree_id) = ids;
        let mut file = Box::new(File::new(session_id, tree_id, trees.get(session_id, tree_id)));
        file.incomplete = asked.is_none() || answered.is_none();
        if let Some((mut create, at)) = asked {
            file.name = Some(std::mem::take(&mut create.name));
            file.create = Some(create);
            file.opened = Some(at);
        }
        let Some((status, created, at)) = answered else {
            file.emit(sessions, out);
            return;
        };
        file.status = Some(status);
        let Some(created) = created else {
            file.opened = None;
            file.emit(sessions, out);
            return;
        };
        let key = Key { session_id, tree_id, id: created.id };
        file.id = Some(created.id);
        file.opened = Some(at);
        file.action = Some(created.action);
        file.describe(created.attributes);
        let options = file.create.as_ref().map_or(0, |create| create.options);
        file.deleted = options & DELETE_ON_CLOSE != 0;
        if let Some(mut before) = self.remove(&key) {
            before.incomplete = true;
            before.emit(sessions, out);
        }
        self.add(file, sessions, out);
    }

    /// The file that something is done with. One that was opened before the capture began is new here.
    pub(crate) fn used(
        &mut self,
        key: &Key,
        trees: &Trees,
        sessions: &Sessions,
        out: &mut Out<'_>,
    ) -> &mut File {
        let at = match self.position(key) {
            Some(at) => at,
            None => {
                let tree = trees.get(key.session_id, key.tree_id);
                let mut file = Box::new(File::new(key.session_id, key.tree_id, tree));
                file.id = Some(key.id);
                file.incomplete = true;
                self.add(file, sessions, out)
            }
        };
        self.last = at;
        self.uses += 1;
        let file = &mut self.open[at];
        file.used = self.uses;
        file
    }

    /// A file was closed; nothing is told of one that was not known.
    pub(crate) fn close(
        &mut self,
        key: &Key,
        attributes: Option<Attributes>,
        answered: bool,
        sessions: &Sessions,
        out: &mut Out<'_>,
    ) {
        let Some(mut file) = self.remove(key) else {
            return;
        };
        if let Some(attributes) = attributes {
            // A file that is deleted, for one, may have neither size nor times by now.
            file.describe(attributes);
        }
        file.closed = true;
        file.incomplete |= !answered;
        file.emit(sessions, out);
    }

    /// All files of a share are closed, or all of a session, or all there are.
    pub(crate) fn close_all(
        &mut self,
        session_id: Option<u64>,
        tree_id: Option<u32>,
        sessions: &Sessions,
        out: &mut Out<'_>,
    ) {
        self.open.retain(|file| {
            let goes = session_id.is_none_or(|id| id == file.session_id)
                && tree_id.is_none_or(|id| id == file.tree_id);
            if goes {
                file.emit(sessions, out);
            }
            !goes
        });
    }

    /// Adds a file and returns where it is.
    fn add(&mut self, mut file: Box<File>, sessions: &Sessions, out: &mut Out<'_>) -> usize {
        if self.open.len() >= FILES_MAX {
            let oldest = self.open.iter().enumerate().min_by_key(|(_, file)| file.used);
            if let Some(at) = oldest.map(|(at, _)| at) {
                let mut file = self.open.remove(at);
                file.incomplete = true;
                file.emit(sessions, out);
                self.given_up += 1;
            }
        }
        self.uses += 1;
        file.used = self.uses;
        self.open.push(file);
        self.open.len() - 1
    }

    fn remove(&mut self, key: &Key) -> Option<Box<File>> {
        let at = self.position(key)?;
        Some(self.open.remove(at))
    }

    fn position(&self, key: &Key) -> Option<usize> {
        match self.open.get(self.last) {
            Some(file) if file.is(key) => Some(self.last),
            _ => self.open.iter().position(|file| file.is(key)),
        }
    }
}
