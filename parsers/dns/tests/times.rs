//! What depends on when messages come. Flow scripts have no time, so these tests are the host.

mod wire;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use flowcell_sdk::drive::{HostCalls, Input, Task};
use flowcell_sdk::{Expectation, FlowInfo, Level, Secrets, Side, Timestamp, Transport};
use wire::{A, Message};

/// Keeps the bodies of records.
#[derive(Default, Clone)]
struct Host(Rc<RefCell<Vec<Vec<u8>>>>);

impl HostCalls for Host {
    fn emit(&self, _kind: u32, body: &[u8]) {
        self.0.borrow_mut().push(body.to_vec());
    }

    fn confirm(&self) {}
    fn decline(&self, reason: &str) {
        panic!("declined: {reason}");
    }
    fn fail(&self, reason: &str) {
        panic!("failed: {reason}");
    }
    fn skip(&self, _side: Side, _bytes: u64) {}
    fn done(&self, _side: Side) {}
    fn switch_to(&self, _protocol: &str, _client: &[u8], _server: &[u8]) {}
    fn expect(&self, _expectation: &Expectation<'_>) {}
    fn log(&self, _level: Level, _message: &str) {}
}

struct Run {
    host: Host,
    task: Task,
}

impl Run {
    fn new() -> Self {
        let host = Host::default();
        let info = FlowInfo {
            client: SocketAddr::from(([10, 0, 0, 1], 4000)),
            server: SocketAddr::from(([10, 0, 0, 2], 53)),
            transport: Transport::Udp,
            at: Timestamp(0),
            midstream: false,
            confirmed: false,
            secrets: Secrets::Masked,
            originator: Side::Client,
            context: None,
        };
        let task = Task::new(&dns::PARSER, info, Box::new(host.clone()));
        Self { host, task }
    }

    /// Delivers a query or a reply and returns how many records that makes.
    fn message(&mut self, milliseconds: u64, side: Side, id: u16) -> usize {
        let before = self.host.0.borrow().len();
        let message = match side {
            Side::Client => Message::query(id, "a.example", A),
            Side::Server => Message::reply(id, "a.example", A),
        };
        let bytes = message.bytes();
        let at = Timestamp(milliseconds * 1_000_000);
        self.task.deliver(Input::Data { side, at, bytes: &bytes });
        self.host.0.borrow().len() - before
    }

    /// Whether the last record has this number, as CBOR has it.
    fn has(&self, number: f64) -> bool {
        let coded = [&[0xfb][..], &number.to_be_bytes()].concat();
        let records = self.host.0.borrow();
        let last = records.last().cloned().unwrap_or_default();
        last.windows(coded.len()).any(|window| window == coded)
    }
}

#[test]
fn from_query_to_reply() {
    let mut run = Run::new();
    assert_eq!(run.message(1_000, Side::Client, 1), 0);
    assert_eq!(run.message(1_250, Side::Server, 1), 1);
    assert!(run.has(0.25));
    // From the first of several.
    assert_eq!(run.message(2_000, Side::Client, 2), 0);
    assert_eq!(run.message(7_000, Side::Client, 2), 0);
    assert_eq!(run.message(7_500, Side::Server, 2), 1);
    assert!(run.has(5.5));
}

/// A query is waited for a minute.
#[test]
fn patience() {
    let mut run = Run::new();
    assert_eq!(run.message(0, Side::Client, 1), 0);
    assert_eq!(run.message(30_000, Side::Client, 2), 0);
    assert_eq!(run.message(60_000, Side::Client, 3), 0);
    assert_eq!(run.message(60_001, Side::Client, 1), 1, "the first is given up and asked anew");
    assert_eq!(run.message(90_001, Side::Server, 3), 2, "so is the second");
    assert_eq!(run.message(90_002, Side::Server, 1), 1);
    assert!(run.has(30.001));
}

/// A reply may stand just before its query in the capture.
#[test]
fn overtaken() {
    let mut run = Run::new();
    assert_eq!(run.message(1_000, Side::Server, 1), 1);
    assert_eq!(run.message(1_100, Side::Client, 1), 0, "it is answered already");
    assert_eq!(run.message(1_101, Side::Server, 1), 1, "so this is another reply");
    assert_eq!(run.message(1_202, Side::Client, 1), 0, "and this is another query");
    assert_eq!(run.message(1_302, Side::Server, 1), 1);
    assert!(run.has(0.1));
}
