//! Makes conversations of SMB 2: messages, compounds, frames, and scripts of them.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]
#![allow(dead_code, reason = "each test uses what it needs")]

use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};
use flowcell_sdk::{EndReason, GapReason, Side};
use serde_json::Value as Json;

pub(crate) const NEGOTIATE: u16 = 0;
pub(crate) const SESSION_SETUP: u16 = 1;
pub(crate) const LOGOFF: u16 = 2;
pub(crate) const TREE_CONNECT: u16 = 3;
pub(crate) const TREE_DISCONNECT: u16 = 4;
pub(crate) const CREATE: u16 = 5;
pub(crate) const CLOSE: u16 = 6;
pub(crate) const READ: u16 = 8;
pub(crate) const WRITE: u16 = 9;
pub(crate) const IOCTL: u16 = 11;
pub(crate) const CANCEL: u16 = 12;
pub(crate) const ECHO: u16 = 13;
pub(crate) const QUERY_DIRECTORY: u16 = 14;
pub(crate) const CHANGE_NOTIFY: u16 = 15;
pub(crate) const SET_INFO: u16 = 17;
pub(crate) const OPLOCK_BREAK: u16 = 18;

pub(crate) const OK: u32 = 0;
pub(crate) const PENDING: u32 = 0x103;
pub(crate) const BUFFER_OVERFLOW: u32 = 0x8000_0005;
pub(crate) const END_OF_FILE: u32 = 0xc000_0011;
pub(crate) const MORE_PROCESSING: u32 = 0xc000_0016;
pub(crate) const ACCESS_DENIED: u32 = 0xc000_0022;
pub(crate) const NOT_FOUND: u32 = 0xc000_0034;
pub(crate) const LOGON_FAILURE: u32 = 0xc000_006d;

pub(crate) const SESSION: u64 = 0x1234_0000_0001;
pub(crate) const TREE: u32 = 7;
/// The id of a file by a number of it.
pub(crate) fn file_id(number: u8) -> [u8; 16] {
    [[0, 0, 0, 0, 0, 0, 0, number], [number, 0, 0, 0, 0, 0, 0, 0]].concat().try_into().expect("16")
}
pub(crate) const SAME_FILE: [u8; 16] = [0xff; 16];

pub(crate) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn short(value: usize) -> [u8; 2] {
    u16::try_from(value).expect("16 bits").to_le_bytes()
}

fn long(value: usize) -> [u8; 4] {
    u32::try_from(value).expect("32 bits").to_le_bytes()
}

/// One message.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) command: u16,
    pub(crate) id: u64,
    pub(crate) status: u32,
    pub(crate) flags: u32,
    pub(crate) tree: u32,
    pub(crate) session: u64,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn ask(command: u16, id: u64, body: Vec<u8>) -> Self {
        Self { command, id, status: 0, flags: 0, tree: TREE, session: SESSION, body }
    }

    pub(crate) fn answer(command: u16, id: u64, status: u32, body: Vec<u8>) -> Self {
        Self { status, flags: 1, ..Self::ask(command, id, body) }
    }

    /// The body of an answer that says no.
    pub(crate) fn refuse(command: u16, id: u64, status: u32) -> Self {
        Self::answer(command, id, status, vec![9, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    /// What it is about is what the message before it is about.
    pub(crate) fn related(mut self) -> Self {
        self.flags |= 4;
        self.session = u64::MAX;
        self.tree = u32::MAX;
        self
    }

    pub(crate) fn session(mut self, session: u64) -> Self {
        self.session = session;
        self
    }

    pub(crate) fn tree(mut self, tree: u32) -> Self {
        self.tree = tree;
        self
    }

    /// An answer that was announced: in the place of the tree stands its number.
    pub(crate) fn asynchronous(mut self) -> Self {
        self.flags |= 2;
        self.tree = 0xaaaa;
        self
    }

    fn bytes(&self, next: usize) -> Vec<u8> {
        let mut bytes = b"\xfeSMB\x40\0\0\0".to_vec();
        bytes.extend(self.status.to_le_bytes());
        bytes.extend(self.command.to_le_bytes());
        bytes.extend([1, 0]);
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(long(next));
        bytes.extend(self.id.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.tree.to_le_bytes());
        bytes.extend(self.session.to_le_bytes());
        bytes.extend([0; 16]);
        bytes.extend(&self.body);
        bytes
    }

    /// In a frame of its own.
    pub(crate) fn frame(&self) -> Vec<u8> {
        frame(&self.bytes(0))
    }
}

/// Several messages in one frame, each but the last padded to a multiple of 8.
pub(crate) fn compound(messages: &[Message]) -> Vec<u8> {
    let mut content = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        if index + 1 == messages.len() {
            content.extend(message.bytes(0));
        } else {
            let size = message.bytes(0).len().next_multiple_of(8);
            let start = content.len();
            content.extend(message.bytes(size));
            content.resize(start + size, 0);
        }
    }
    frame(&content)
}

/// With the length before it.
pub(crate) fn frame(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("24 bits").to_be_bytes();
    [&length[..], content].concat()
}

pub(crate) fn create(name: &str, disposition: u32, options: u32) -> Vec<u8> {
    create_raw(&wide(name), disposition, options)
}

pub(crate) fn create_raw(name: &[u8], disposition: u32, options: u32) -> Vec<u8> {
    let mut body = vec![57, 0];
    body.resize(24, 0);
    body.extend(0x0012_0089u32.to_le_bytes());
    body.resize(36, 0);
    body.extend(disposition.to_le_bytes());
    body.extend(options.to_le_bytes());
    body.extend(short(120));
    body.extend(short(name.len()));
    body.resize(56, 0);
    body.extend(name);
    body
}

pub(crate) fn created(file: [u8; 16], size: u64) -> Vec<u8> {
    let mut body = vec![89, 0, 0, 0, 1, 0, 0, 0];
    for time in 1..=4u64 {
        body.extend((116_444_736_000_000_000 + time * 10_000_000).to_le_bytes());
    }
    body.resize(48, 0);
    body.extend(size.to_le_bytes());
    body.resize(64, 0);
    body.extend(file);
    body.resize(88, 0);
    body
}

pub(crate) fn close(file: [u8; 16]) -> Vec<u8> {
    [&[24, 0, 0, 0, 0, 0, 0, 0][..], &file].concat()
}

/// Without attributes.
pub(crate) fn closed() -> Vec<u8> {
    let mut body = vec![60, 0];
    body.resize(60, 0);
    body
}

pub(crate) fn read(file: [u8; 16], offset: u64, length: u32) -> Vec<u8> {
    let mut body = vec![49, 0, 0, 0];
    body.extend(length.to_le_bytes());
    body.extend(offset.to_le_bytes());
    body.extend(file);
    body.resize(48, 0);
    body
}

/// The answer to READ: says `length` bytes and has `data`.
pub(crate) fn data(length: usize, data: &[u8]) -> Vec<u8> {
    let mut body = vec![17, 0, 80, 0];
    body.extend(long(length));
    body.resize(16, 0);
    body.extend(data);
    body
}

pub(crate) fn write(file: [u8; 16], offset: u64, data: &[u8]) -> Vec<u8> {
    let mut body = vec![49, 0, 112, 0];
    body.extend(long(data.len()));
    body.extend(offset.to_le_bytes());
    body.extend(file);
    body.resize(48, 0);
    body.extend(data);
    body
}

pub(crate) fn written(count: u32) -> Vec<u8> {
    let mut body = vec![17, 0, 0, 0];
    body.extend(count.to_le_bytes());
    body.resize(16, 0);
    body
}

pub(crate) fn set_info(file: [u8; 16], class: u8, information: &[u8]) -> Vec<u8> {
    let mut body = vec![33, 0, 1, class];
    body.extend(long(information.len()));
    body.extend(short(96));
    body.resize(16, 0);
    body.extend(file);
    body.extend(information);
    body
}

pub(crate) fn rename(file: [u8; 16], name: &str) -> Vec<u8> {
    let name = wide(name);
    let mut information = vec![0; 16];
    information.extend(long(name.len()));
    information.extend(name);
    set_info(file, 10, &information)
}

pub(crate) fn ioctl(file: [u8; 16], code: u32, input: &[u8]) -> Vec<u8> {
    let mut body = vec![57, 0, 0, 0];
    body.extend(code.to_le_bytes());
    body.extend(file);
    body.extend(long(120));
    body.extend(long(input.len()));
    body.resize(56, 0);
    body.extend(input);
    body
}

pub(crate) fn ioctl_answer(file: [u8; 16], code: u32, output: &[u8]) -> Vec<u8> {
    let mut body = vec![49, 0, 0, 0];
    body.extend(code.to_le_bytes());
    body.extend(file);
    body.extend(long(112));
    body.extend(long(0));
    body.extend(long(112));
    body.extend(long(output.len()));
    body.resize(48, 0);
    body.extend(output);
    body
}

pub(crate) fn tree_connect(path: &str) -> Vec<u8> {
    let path = wide(path);
    [&[9, 0, 0, 0][..], &short(72), &short(path.len()), &path].concat()
}

pub(crate) fn tree_connected(kind: u8) -> Vec<u8> {
    let mut body = vec![16, 0, kind];
    body.resize(16, 0);
    body
}

pub(crate) fn setup(flags: u8, mode: u8, token: &[u8]) -> Vec<u8> {
    let mut body = vec![25, 0, flags, mode];
    body.resize(12, 0);
    body.extend(short(88));
    body.extend(short(token.len()));
    body.resize(24, 0);
    body.extend(token);
    body
}

pub(crate) fn set_up(flags: u8, token: &[u8]) -> Vec<u8> {
    [&[9, 0, flags, 0][..], &short(72), &short(token.len()), token].concat()
}

pub(crate) fn negotiate(dialects: &[u16]) -> Vec<u8> {
    let mut body = vec![36, 0];
    body.extend(short(dialects.len()));
    body.resize(36, 0);
    body.extend(dialects.iter().flat_map(|dialect| dialect.to_le_bytes()));
    body
}

pub(crate) fn negotiated(dialect: u16, mode: u8) -> Vec<u8> {
    let mut body = vec![65, 0, mode, 0];
    body.extend(dialect.to_le_bytes());
    body.resize(56, 0);
    body.extend(short(128));
    body.resize(64, 0);
    body
}

/// An NTLM message whose fields have these texts, in the order of AUTHENTICATE.
pub(crate) fn authenticate(domain: &str, user: &str, workstation: &str) -> Vec<u8> {
    let fields = [vec![0; 24], vec![1; 40], wide(domain), wide(user), wide(workstation), vec![]];
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut offset = 72;
    for field in &fields {
        message.extend([short(field.len()), short(field.len())].concat());
        message.extend(long(offset));
        offset += field.len();
    }
    message.extend(1u32.to_le_bytes());
    message.resize(72, 0);
    message.extend(fields.concat());
    message
}

/// A conversation and what is demanded of the parser.
pub(crate) struct Talk(pub(crate) FlowScript);

impl Talk {
    pub(crate) fn new() -> Self {
        Self(FlowScript::parse("client 10.0.0.1:4000 server 10.0.0.2:445\n").expect("script"))
    }

    pub(crate) fn midstream() -> Self {
        let mut talk = Self::new();
        talk.0.info.midstream = true;
        talk
    }

    /// Adds a step before the ends.
    fn step(mut self, step: Step) -> Self {
        let end = |step: &Step| matches!(step, Step::End { .. });
        let at = self.0.steps.iter().position(end).unwrap_or(self.0.steps.len());
        self.0.steps.insert(at, step);
        self
    }

    pub(crate) fn client(self, bytes: &[u8]) -> Self {
        self.step(Step::Data { side: Side::Client, bytes: bytes.to_vec() })
    }

    pub(crate) fn server(self, bytes: &[u8]) -> Self {
        self.step(Step::Data { side: Side::Server, bytes: bytes.to_vec() })
    }

    pub(crate) fn gap(self, side: Side, length: u64) -> Self {
        self.step(Step::Gap { side, length, reason: GapReason::Lost })
    }

    /// Each message in a frame of its own, by who sends it.
    pub(crate) fn say(self, messages: &[Message]) -> Self {
        messages.iter().fold(self, |talk, message| match message.flags & 1 {
            0 => talk.client(&message.frame()),
            _ => talk.server(&message.frame()),
        })
    }

    /// Ends by no FIN: the capture ends.
    pub(crate) fn cut_off(mut self) -> Self {
        for step in &mut self.0.steps {
            if let Step::End { reason, .. } = step {
                *reason = EndReason::Shutdown;
            }
        }
        self
    }

    pub(crate) fn record(mut self, name: &str, fields: Json) -> Self {
        self.0.records.push((name.into(), fields));
        self
    }

    pub(crate) fn verdict(mut self, verdict: &str) -> Self {
        self.0.verdicts.push(verdict.into());
        self
    }

    pub(crate) fn check(&self) {
        self.0.check(&smb::PARSER);
    }

    pub(crate) fn run(&self) -> Outcome {
        let outcome = self.0.run(&smb::PARSER, Cut::Whole);
        for cut in [Cut::Lines, Cut::Bytes] {
            assert_eq!(self.0.run(&smb::PARSER, cut), outcome, "{cut:?}");
        }
        outcome
    }
}

/// The records of this name.
pub(crate) fn of<'a>(outcome: &'a Outcome, name: &str) -> Vec<&'a Json> {
    outcome.records.iter().filter(|(known, _)| known == name).map(|(_, data)| data).collect()
}
