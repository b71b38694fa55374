//! One message (RFC 1035 §4.1): header, question, and three sections of resource records.

use flowcell_sdk::Timestamp;

use crate::edns::Opt;
use crate::header::{HEADER, Header, STATEFUL, UPDATE};
use crate::rdata::{self, Rdata};
use crate::text::{self, Texts};
use crate::{name, types};

/// What a message may come to as text, in bytes: so much, and [`TEXT_PER_BYTE`] times its length. Names
/// grow when they are decompressed; what honest servers send stays below this.
const TEXT_MIN: usize = 256;
const TEXT_PER_BYTE: usize = 4;

/// What a question or record costs of that besides its text: its type and its TTL.
const COST: usize = 16;

/// The bit of a class that says something else in mDNS: the question wants a unicast response, the
/// record replaces what was cached (RFC 6762 §18.12, §18.13).
const MDNS_BIT: u16 = 0x8000;

/// How messages are to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) mdns: bool,
    /// The end of the message is missing from the capture.
    pub(crate) cut: bool,
}

/// What was asked.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) name: Vec<u8>,
    pub(crate) qtype: u16,
    pub(crate) qclass: u16,
    /// In mDNS, it wants a reply by unicast (RFC 6762 §5.4).
    pub(crate) unicast: Option<bool>,
}

impl Question {
    /// Whether both ask the same. Case does not matter in names (RFC 1035 §2.3.3).
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.qtype == other.qtype
            && self.qclass == other.qclass
            && self.name.eq_ignore_ascii_case(&other.name)
    }
}

/// A message, as far as it could be read.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) at: Timestamp,
    /// Bytes of it that are there.
    pub(crate) length: usize,
    pub(crate) header: Header,
    pub(crate) question: Option<Question>,
    /// Name, class and type of each further question.
    pub(crate) more_questions: Texts,
    pub(crate) answers: Texts,
    /// Of each answer, as are the two that follow.
    pub(crate) answer_types: Texts,
    pub(crate) answer_names: Texts,
    pub(crate) ttls: Vec<u32>,
    /// Not all answers are about the name in question.
    pub(crate) other_names: bool,
    /// Each record of the section, whole.
    pub(crate) auth: Texts,
    pub(crate) addl: Texts,
    pub(crate) opt: Option<Opt>,
    /// What is wrong with it, and where.
    pub(crate) malformed: Option<Vec<u8>>,
    /// Its end is missing from the capture.
    pub(crate) incomplete: bool,
    /// Not all of it is kept as text.
    pub(crate) truncated: bool,
}

impl Message {
    /// Reads a message. There always is one: `malformed` says how far it could be read.
    pub(crate) fn read(bytes: &[u8], at: Timestamp, manner: Manner) -> Self {
        let header = Header::read(bytes);
        let message =
            Self { at, length: bytes.len(), header, incomplete: manner.cut, ..Self::default() };
        let room = TEXT_MIN + TEXT_PER_BYTE * bytes.len();
        let (owner, data) = (Vec::new(), Vec::new());
        let mut reader = Reader { bytes, at: HEADER, manner, room, owner, data, message };
        reader.sections();
        reader.message
    }

    /// It as a query, and as a reply.
    pub(crate) fn by_kind(&self) -> (Option<&Self>, Option<&Self>) {
        if self.header.is_reply() { (None, Some(self)) } else { (Some(self), None) }
    }

    /// Whether this is a message of DNS rather than anything else, judged by its header, and where
    /// none is `expected`, by its question.
    pub(crate) fn is_believable(&self, mdns: bool, expected: bool) -> bool {
        self.length >= HEADER
            && self.header.is_plausible(mdns)
            && (expected || self.question.is_some())
    }

    /// What identifies it, without its records.
    pub(crate) fn without_records(self) -> Self {
        let Self { at, header, question, .. } = self;
        Self { at, header, question, ..Self::default() }
    }

    /// The response code, with the bits that EDNS adds (RFC 6891 §6.1.3).
    pub(crate) fn rcode(&self) -> u16 {
        let upper = self.opt.as_ref().map_or(0, |opt| opt.extended_rcode);
        u16::from(upper) << 4 | self.header.rcode()
    }
}

/// The parts of a message, by their names in `malformed`.
const PARTS: [&str; 4] = ["question", "answer", "authority", "additional"];
const QUESTION: usize = 0;
const ANSWER: usize = 1;
const AUTHORITY: usize = 2;
const ADDITIONAL: usize = 3;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    manner: Manner,
    /// Bytes of text that may still be made.
    room: usize,
    /// Owner and data of the record at hand, as text.
    owner: Vec<u8>,
    data: Vec<u8>,
    message: Message,
}

/// What stands between a record's owner and its data (RFC 1035 §4.1.3).
#[derive(Clone, Copy)]
struct Fixed {
    rtype: u16,
    class: u16,
    ttl: u32,
}

impl<'a> Reader<'a> {
    fn sections(&mut self) {
        if self.bytes.len() < HEADER {
            return self.fault("header", 0, 0, name::CUT);
        }
        for (part, count) in self.message.header.counts.into_iter().enumerate() {
            for index in 1..=count {
                let start = self.at;
                let read = if part == QUESTION { self.question() } else { self.record(part) };
                if let Err(fault) = read {
                    self.fault(PARTS.get(part).copied().unwrap_or_default(), index, start, fault);
                    if self.at == start {
                        return; // where the next one starts is not known
                    }
                }
            }
        }
        if self.at < self.bytes.len() && self.message.header.opcode() != STATEFUL {
            self.fault("end", 0, self.at, "bytes follow the last record");
        }
    }

    /// Notes the first thing that is wrong, unless it is that bytes are not in the capture.
    fn fault(&mut self, part: &str, index: u16, at: usize, fault: &str) {
        if self.message.malformed.is_some() || (self.manner.cut && fault == name::CUT) {
            return;
        }
        let mut out = part.as_bytes().to_vec();
        if index > 0 {
            out.push(b' ');
            text::decimal(&mut out, index.into());
        }
        out.extend_from_slice(b" at byte ");
        text::decimal(&mut out, at as u64);
        out.extend_from_slice(b": ");
        out.extend_from_slice(fault.as_bytes());
        self.message.malformed = Some(out);
    }

    fn take<const N: usize>(&self, at: usize) -> Result<[u8; N], &'static str> {
        let bytes = self.bytes.get(at..).and_then(|bytes| bytes.first_chunk());
        bytes.copied().ok_or(name::CUT)
    }

    /// Whether there is room for so much text.
    fn afford(&mut self, length: usize) -> bool {
        match self.room.checked_sub(length + COST) {
            Some(room) => self.room = room,
            None => {
                self.room = 0;
                self.message.truncated = true;
            }
        }
        !self.message.truncated
    }

    /// A class without what mDNS says with it.
    fn class(&self, class: u16) -> u16 {
        if self.manner.mdns { class & !MDNS_BIT } else { class }
    }

    /// RFC 1035 §4.1.2.
    fn question(&mut self) -> Result<(), &'static str> {
        let mut name = Vec::new();
        let behind = name::read(self.bytes, self.at, &mut name)?;
        let [t, y, c, l] = self.take(behind)?;
        self.at = behind + 4;
        let (qtype, qclass) = (u16::from_be_bytes([t, y]), u16::from_be_bytes([c, l]));
        let unicast = self.manner.mdns.then_some(qclass & MDNS_BIT != 0);
        let qclass = self.class(qclass);
        if self.message.question.is_none() {
            self.message.question = Some(Question { name, qtype, qclass, unicast });
        } else if self.afford(name.len()) {
            let out = self.message.more_questions.open();
            out.extend_from_slice(&name);
            out.push(b' ');
            types::push_class(out, qclass);
            out.push(b' ');
            types::push_type(out, qtype);
            self.message.more_questions.finish();
        }
        Ok(())
    }

    /// RFC 1035 §4.1.3. When this fails and `at` is moved, it is the record's data that is wrong.
    fn record(&mut self, part: usize) -> Result<(), &'static str> {
        self.owner.clear();
        let behind = name::read(self.bytes, self.at, &mut self.owner)?;
        let [t, y, c, l, ttl @ .., high, low]: [u8; 10] = self.take(behind)?;
        let start = behind + 10;
        let end = start + usize::from(u16::from_be_bytes([high, low]));
        if end > self.bytes.len() {
            return Err(name::CUT);
        }
        self.at = end;
        let fixed = Fixed {
            rtype: u16::from_be_bytes([t, y]),
            class: u16::from_be_bytes([c, l]),
            ttl: u32::from_be_bytes(ttl),
        };
        let data = Rdata { message: self.bytes, at: start, end };
        if part == ADDITIONAL && fixed.rtype == types::OPT {
            return self.opt(fixed, data);
        }
        if self.message.truncated {
            return Ok(());
        }
        self.data.clear();
        let outcome = rdata::show(data, fixed.rtype, &mut self.data);
        if self.afford(self.owner.len() + self.data.len()) {
            match part {
                ANSWER => self.answer(fixed),
                _ => self.other(part, fixed),
            }
        }
        // An update may name a set of records without data (RFC 2136 §2.4, §2.5).
        let no_data = start == end && self.message.header.opcode() == UPDATE;
        if no_data { Ok(()) } else { outcome }
    }

    fn opt(&mut self, fixed: Fixed, data: Rdata<'a>) -> Result<(), &'static str> {
        if self.message.opt.is_some() {
            return Err("there is more than one OPT record"); // RFC 6891 §6.1.1
        }
        let opt = self.message.opt.insert(Opt::new(fixed.class, fixed.ttl));
        opt.read_options(data)
    }

    fn answer(&mut self, fixed: Fixed) {
        let message = &mut self.message;
        message.answers.push(&self.data);
        types::push_type(message.answer_types.open(), fixed.rtype);
        message.answer_types.finish();
        message.ttls.push(fixed.ttl);
        message.answer_names.push(&self.owner);
        let question = message.question.as_ref();
        let asked = question.is_some_and(|asked| asked.name.eq_ignore_ascii_case(&self.owner));
        message.other_names |= !asked;
    }

    fn other(&mut self, part: usize, fixed: Fixed) {
        let class = self.class(fixed.class);
        let message = &mut self.message;
        let section = if part == AUTHORITY { &mut message.auth } else { &mut message.addl };
        let out = section.open();
        out.extend_from_slice(&self.owner);
        out.push(b' ');
        text::decimal(out, fixed.ttl.into());
        out.push(b' ');
        types::push_class(out, class);
        out.push(b' ');
        types::push_type(out, fixed.rtype);
        out.push(b' ');
        out.extend_from_slice(&self.data);
        section.finish();
    }
}
