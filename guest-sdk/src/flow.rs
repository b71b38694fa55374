//! The conversation that a parser follows.

use std::cell::{Cell, RefCell, RefMut};
use std::net::SocketAddr;
use std::rc::Rc;

use crate::cbor::Encoder;
use crate::inbox::Inbox;
use crate::record::{ParserDef, Record, Timestamp};
use crate::stream::ByteStream;

/// Which endpoint sent the bytes. For TCP the client is the endpoint that opened the connection;
/// where the opening was not seen, the host decides by port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The endpoint that opened the connection.
    Client,
    /// The endpoint that was connected to.
    Server,
}

impl Side {
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// The transport protocol of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Two byte streams.
    Tcp,
    /// Datagrams.
    Udp,
}

/// Severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The parser is at a loss.
    Error,
    /// Something the operator should look at.
    Warn,
    /// Of interest.
    Info,
    /// For the parser's author.
    Debug,
}

/// What is known of a flow when its parser starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowInfo {
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server.
    pub server: SocketAddr,
    /// TCP or UDP.
    pub transport: Transport,
    /// Time of the packet that the parser is started for.
    pub at: Timestamp,
    /// The start was not seen: the first bytes of either side may be anywhere in the conversation,
    /// and who is client is a guess.
    pub midstream: bool,
    /// The endpoint that sent the first packet seen.
    pub originator: Side,
}

/// What a host does for a parser. In a sandbox these are the imports of `wit/parser.wit`.
pub trait HostCalls {
    /// One record; `kind` indexes [`ParserDef::records`], `body` is a CBOR array.
    fn emit(&self, kind: u32, body: &[u8]);
    /// "This is my protocol."
    fn confirm(&self);
    /// "This is not my protocol."
    fn decline(&self, reason: &str);
    /// The protocol is violated.
    fn fail(&self, reason: &str);
    /// The next `bytes` bytes of `side` need not be delivered.
    fn skip(&self, side: Side, bytes: u64);
    /// Nothing more of `side` is wanted.
    fn done(&self, side: Side);
    /// A line for the operator.
    fn log(&self, level: Level, message: &str);
}

/// What the parser's handles and the deliveries share.
pub(crate) struct Shared {
    def: &'static ParserDef,
    host: Box<dyn HostCalls>,
    inboxes: [RefCell<Inbox>; 2],
    now: Cell<Timestamp>,
    /// Kept between records, so that emitting does not allocate.
    body: RefCell<Vec<u8>>,
}

impl Shared {
    pub(crate) fn new(def: &'static ParserDef, host: Box<dyn HostCalls>, at: Timestamp) -> Self {
        Self {
            def,
            host,
            inboxes: Default::default(),
            now: Cell::new(at),
            body: RefCell::default(),
        }
    }

    /// The borrow never outlives one step of a read or one delivery, and neither calls the other.
    pub(crate) fn inbox(&self, side: Side) -> RefMut<'_, Inbox> {
        self.inboxes[side.index()].borrow_mut()
    }

    pub(crate) fn set_now(&self, at: Timestamp) {
        self.now.set(at);
    }

    pub(crate) fn host(&self) -> &dyn HostCalls {
        &*self.host
    }

    pub(crate) fn skip(&self, side: Side, bytes: u64) {
        self.host.skip(side, bytes);
    }

    pub(crate) fn done(&self, side: Side) {
        self.host.done(side);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("parser", &self.def.name).finish_non_exhaustive()
    }
}

/// The conversation that a parser follows, and its way to say what it found.
#[derive(Debug)]
pub struct Flow {
    shared: Rc<Shared>,
    info: FlowInfo,
    streams_taken: bool,
}

impl Flow {
    pub(crate) fn new(shared: Rc<Shared>, info: FlowInfo) -> Self {
        Self { shared, info, streams_taken: false }
    }

    /// The two sides, client first.
    ///
    /// # Panics
    /// When called a second time: a byte can be read once.
    pub fn streams(&mut self) -> (ByteStream, ByteStream) {
        assert!(!self.streams_taken, "Flow::streams() is called once");
        self.streams_taken = true;
        let stream = |side| ByteStream::new(side, Rc::clone(&self.shared));
        (stream(Side::Client), stream(Side::Server))
    }

    /// Endpoints, transport and how the flow began.
    #[must_use]
    pub fn info(&self) -> &FlowInfo {
        &self.info
    }

    /// Time of the packet being parsed.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.now.get()
    }

    /// Says "this is my protocol". Saying it again does nothing.
    pub fn confirm(&self) {
        self.shared.host().confirm();
    }

    /// Emits one record.
    ///
    /// # Panics
    /// When `R` is not in the `records` list of `#[parser]`.
    pub fn emit<R: Record>(&self, record: &R) {
        let name = R::SCHEMA.name;
        let position = self.shared.def.records.iter().position(|known| known.name == name);
        let Some(kind) = position.and_then(|at| u32::try_from(at).ok()) else {
            panic!("record `{name}` is not listed in #[parser(records = [...])]");
        };
        let mut body = self.shared.body.take();
        body.clear();
        record.encode_fields(&mut Encoder::new(&mut body));
        self.shared.host().emit(kind, &body);
        self.shared.body.replace(body);
    }

    /// Writes a line for the operator: at most 1,024 bytes, and 16 lines of a flow.
    pub fn log(&self, level: Level, message: &str) {
        self.shared.host().log(level, message);
    }
}
