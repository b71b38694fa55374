//! What the parser's handles and the deliveries share.

use std::cell::{Cell, RefCell, RefMut};

use crate::batch::Batch;
use crate::cbor::Encoder;
use crate::inbox::Inbox;
use crate::info::{Expectation, Level, Side};
use crate::record::{ParserDef, Record, Timestamp};

/// Most bytes of a side that can be handed over, as the contract says.
const MAX_HANDED: usize = 256 << 10;

/// Most bytes of both: less than what the host lets a call copy.
const MAX_HANDED_OF_BOTH: usize = 448 << 10;

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
    /// The rest of the flow is of another protocol. The last bytes of each side that belong to it.
    fn switch_to(&self, protocol: &str, client: &[u8], server: &[u8]);
    /// A flow is to come.
    fn expect(&self, expectation: &Expectation<'_>);
    /// A line for the operator.
    fn log(&self, level: Level, message: &str);
    /// What follows in this delivery is about segment `index`; until this is called, about the first.
    /// For hosts that deliver [`Input::Segments`](crate::drive::Input::Segments).
    fn segment(&self, _index: u32) {}
}

/// How a parser's handles reach the host.
#[cfg(not(target_arch = "wasm32"))]
pub type Host = Box<dyn HostCalls>;

/// In the sandbox there is one host, and calling it is calling an import.
#[cfg(target_arch = "wasm32")]
pub type Host = crate::wasm::Imports;

/// A record of any type.
trait Fields {
    fn encode(&self, out: &mut Encoder<'_>);
}

impl<R: Record> Fields for R {
    fn encode(&self, out: &mut Encoder<'_>) {
        self.encode_fields(out);
    }
}

/// What the parser's handles and the deliveries share.
pub(crate) struct Shared {
    def: &'static ParserDef,
    host: Host,
    inboxes: [RefCell<Inbox>; 2],
    now: Cell<Timestamp>,
    /// The parser waits, and keeps nothing of what came before.
    resting: Cell<bool>,
    pub(crate) batch: Batch,
    /// Kept between records, so that emitting does not allocate.
    body: RefCell<Vec<u8>>,
}

/// How each of the parser's handles holds it.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type Handle = std::rc::Rc<Shared>;

/// In the sandbox it lives as long as the instance, which is one flow: nothing is counted or freed.
#[cfg(target_arch = "wasm32")]
pub(crate) type Handle = &'static Shared;

impl Shared {
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn into_handle(self) -> Handle {
        Handle::new(self)
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn into_handle(self) -> Handle {
        Box::leak(Box::new(self))
    }

    pub(crate) fn new(def: &'static ParserDef, host: Host, at: Timestamp) -> Self {
        Self {
            def,
            host,
            inboxes: Default::default(),
            now: Cell::new(at),
            resting: Cell::new(false),
            batch: Batch::default(),
            body: RefCell::default(),
        }
    }

    /// The borrow never outlives one step of a read or one delivery, and neither calls the other.
    pub(crate) fn inbox(&self, side: Side) -> RefMut<'_, Inbox> {
        self.inboxes[side.index()].borrow_mut()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub(crate) fn set_now(&self, at: Timestamp) {
        self.now.set(at);
    }

    pub(crate) fn is_resting(&self) -> bool {
        self.resting.get()
    }

    pub(crate) fn set_resting(&self, resting: bool) {
        self.resting.set(resting);
    }

    /// Says which segment what comes next is about, if the host would take it for another one.
    #[inline(never)] // it stands before many calls, and small guests matter more
    pub(crate) fn tell_segment(&self) {
        if let Some(index) = self.batch.untold() {
            self.host.segment(index);
        }
    }

    /// Encodes a record and hands it to the host.
    pub(crate) fn emit<R: Record>(&self, record: &R) {
        self.emit_named(R::SCHEMA.name, record);
    }

    /// Not generic, so that a parser has it once and not once for each of its records.
    fn emit_named(&self, name: &str, record: &dyn Fields) {
        let position = self.def.records.iter().position(|known| known.name == name);
        let Some(kind) = position.and_then(|at| u32::try_from(at).ok()) else {
            panic!("a record is not in #[parser(records = [...])]");
        };
        let mut body = self.body.take();
        body.clear();
        record.encode(&mut Encoder::new(&mut body));
        self.tell_segment();
        self.host.emit(kind, &body);
        self.body.replace(body);
    }

    pub(crate) fn confirm(&self) {
        self.host.confirm();
    }

    pub(crate) fn decline(&self, reason: &str) {
        self.tell_segment();
        self.host.decline(reason);
    }

    pub(crate) fn fail(&self, reason: &str) {
        self.tell_segment();
        self.host.fail(reason);
    }

    /// Hands over what nobody has read. The streams have given back theirs.
    pub(crate) fn switch_to(&self, protocol: &str) {
        let inboxes = Side::BOTH.map(|side| self.inbox(side));
        let [client, server] = [0, 1].map(|side: usize| inboxes[side].buffer.tail());
        let both = client.len() + server.len();
        if client.len().max(server.len()) > MAX_HANDED || both > MAX_HANDED_OF_BOTH {
            // Without what it begins with, nobody would know what it is.
            return self.fail("more waits for the next protocol than can be handed over");
        }
        self.tell_segment();
        self.host.switch_to(protocol, client, server);
    }

    pub(crate) fn expect(&self, expectation: &Expectation<'_>) {
        assert!(self.def.expects, "Flow::expect() needs `expects = true` in #[parser]");
        self.host.expect(expectation);
    }

    pub(crate) fn log(&self, level: Level, message: &str) {
        self.tell_segment();
        self.host.log(level, message);
    }

    pub(crate) fn skip(&self, side: Side, bytes: u64) {
        let left = self.batch.skip(side, bytes);
        if left > 0 {
            self.host.skip(side, left);
        }
    }

    pub(crate) fn done(&self, side: Side) {
        self.batch.done(side);
        self.tell_segment();
        self.host.done(side);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("parser", &self.def.name).finish_non_exhaustive()
    }
}
