//! One message (RFC 1035 §4.1): header, question, and three sections of resource records.

use flowcell_sdk::Timestamp;

use crate::edns::Opt;
use crate::header::{HEADER, Header, STATEFUL, UPDATE};
use crate::rdata::{self, Rdata};
use crate::{name, text, types};

/// What a message may come to as text, in bytes: so much, and [`TEXT_PER_BYTE`] times its length, but no
/// more than [`TEXT_MAX`], so that no message alone makes too large a record. Names grow when they are decompressed;
/// what honest servers send stays below this.
const TEXT_MIN: usize = 256;
const TEXT_PER_BYTE: usize = 4;
const TEXT_MAX: usize = 64 << 10;

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

/// A further question, or a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) part: Part,
    pub(crate) rtype: u16,
    pub(crate) ttl: u32,
    /// Where its text starts, where in that the name of an answer ends, and where it ends.
    start: usize,
    name_end: usize,
    end: usize,
}

/// The parts of a message behind its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Question,
    Answer,
    Authority,
    Additional,
}

/// With their names in `malformed`.
const PARTS: [(Part, &str); 4] = [
    (Part::Question, "question"),
    (Part::Answer, "answer"),
    (Part::Authority, "authority"),
    (Part::Additional, "additional"),
];

/// A message, as far as it could be read.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) at: Timestamp,
    /// Bytes of it that are there.
    pub(crate) length: usize,
    pub(crate) header: Header,
    pub(crate) question: Option<Question>,
    /// What of its questions and records is shown, in order.
    pub(crate) entries: Vec<Entry>,
    /// Their texts, one behind the other.
    text: Vec<u8>,
    /// Not all answers are about the name in question.
    pub(crate) other_names: bool,
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
        let room = (TEXT_MIN + TEXT_PER_BYTE * bytes.len()).min(TEXT_MAX);
        let mut reader = Reader { bytes, at: HEADER, manner, room, message };
        reader.sections();
        reader.message
    }

    /// It has a header, and by that a transaction that it belongs to.
    pub(crate) fn has_header(&self) -> bool {
        self.length >= HEADER
    }

    /// It as a query, and as a reply.
    pub(crate) fn by_kind(&self) -> (Option<&Self>, Option<&Self>) {
        if self.header.is_reply() { (None, Some(self)) } else { (Some(self), None) }
    }

    /// Whether this is a message of DNS rather than anything else, judged by its header, and where
    /// none is `expected`, by its question.
    pub(crate) fn is_believable(&self, mdns: bool, expected: bool) -> bool {
        self.has_header() && self.header.is_plausible(mdns) && (expected || self.question.is_some())
    }

    /// What identifies it, without its records.
    pub(crate) fn without_records(self) -> Self {
        let Self { at, length, header, question, .. } = self;
        Self { at, length, header, question, ..Self::default() }
    }

    /// What a record of it alone may come to in bytes, roughly and at most. Each byte of text takes
    /// two if it has to be escaped.
    pub(crate) fn weight(&self) -> usize {
        const FIELDS: usize = 512;
        let name = self.question.as_ref().map_or(0, |question| question.name.len());
        let opt = self.opt.as_ref().map_or(0, Opt::weight);
        FIELDS + 2 * (name + self.text.len()) + opt
    }

    /// The entries of a part.
    pub(crate) fn part(&self, part: Part) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.part == part)
    }

    /// An answer's data; all of any other entry.
    pub(crate) fn shown(&self, entry: &Entry) -> &[u8] {
        let start = if entry.part == Part::Answer { entry.name_end } else { entry.start };
        self.text.get(start..entry.end).unwrap_or_default()
    }

    /// The name that an answer is about.
    pub(crate) fn name(&self, answer: &Entry) -> &[u8] {
        self.text.get(answer.start..answer.name_end).unwrap_or_default()
    }

    /// The response code, with the bits that EDNS adds (RFC 6891 §6.1.3).
    pub(crate) fn rcode(&self) -> u16 {
        let upper = self.opt.as_ref().map_or(0, |opt| opt.extended_rcode);
        u16::from(upper) << 4 | self.header.rcode()
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    manner: Manner,
    /// Bytes of text that may still be made.
    room: usize,
    message: Message,
}

impl<'a> Reader<'a> {
    fn sections(&mut self) {
        if self.bytes.len() < HEADER {
            return self.fault("header", 0, 0, name::CUT);
        }
        self.reserve();
        for ((part, what), count) in PARTS.into_iter().zip(self.message.header.counts) {
            for index in 1..=count {
                let start = self.at;
                let read = match part {
                    Part::Question => self.question(),
                    _ => self.record(part),
                };
                if let Err(fault) = read {
                    self.fault(what, index, start, fault);
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

    /// Makes room for the text of a usual message at once.
    fn reserve(&mut self) {
        let [_, records @ ..] = self.message.header.counts;
        let records = records.iter().copied().map(usize::from).sum::<usize>();
        if records > 0 {
            self.message.text.reserve(self.bytes.len().min(2_048));
            self.message.entries.reserve(records.min(32));
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

    /// Keeps what was written as text since `entry.start`, if there is room for it.
    fn keep(&mut self, entry: Entry) {
        let Self { message, room, .. } = self;
        match room.checked_sub(entry.end - entry.start + COST) {
            Some(left) => {
                *room = left;
                message.entries.push(entry);
            }
            None => {
                message.text.truncate(entry.start);
                message.truncated = true;
            }
        }
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
        let message = &mut self.message;
        if message.question.is_none() {
            message.question = Some(Question { name, qtype, qclass, unicast });
        } else if !message.truncated {
            let start = message.text.len();
            let out = &mut message.text;
            out.extend_from_slice(&name);
            out.push(b' ');
            types::push_class(out, qclass);
            out.push(b' ');
            types::push_type(out, qtype);
            let (part, end) = (Part::Question, out.len());
            self.keep(Entry { part, rtype: qtype, ttl: 0, start, name_end: end, end });
        }
        Ok(())
    }

    /// RFC 1035 §4.1.3. If this fails and `at` was moved, it is the record's data that is wrong.
    fn record(&mut self, part: Part) -> Result<(), &'static str> {
        let start = self.message.text.len();
        let data = self.owner(start)?;
        let [t, y, c, l, ttl @ .., high, low]: [u8; 10] = self.take(data)?;
        let data = data + 10;
        let end = data + usize::from(u16::from_be_bytes([high, low]));
        if end > self.bytes.len() {
            return Err(name::CUT);
        }
        self.at = end;
        let (rtype, class) = (u16::from_be_bytes([t, y]), u16::from_be_bytes([c, l]));
        let (ttl, empty) = (u32::from_be_bytes(ttl), data == end);
        let rdata = Rdata { message: self.bytes, at: data, end };
        if part == Part::Additional && rtype == types::OPT {
            self.message.text.truncate(start);
            return self.opt(Opt::new(class, ttl), rdata);
        }
        if self.message.truncated {
            self.message.text.truncate(start);
            return Ok(());
        }
        let class = self.class(class);
        let message = &mut self.message;
        let out = &mut message.text;
        let name_end = out.len();
        if part == Part::Answer {
            let name = out.get(start..).unwrap_or_default();
            let question = message.question.as_ref();
            message.other_names |=
                !question.is_some_and(|asked| asked.name.eq_ignore_ascii_case(name));
        } else {
            out.push(b' ');
            text::decimal(out, ttl.into());
            out.push(b' ');
            types::push_class(out, class);
            out.push(b' ');
            types::push_type(out, rtype);
            out.push(b' ');
        }
        let outcome = rdata::show(rdata, rtype, out);
        let end = out.len();
        self.keep(Entry { part, rtype, ttl, start, name_end, end });
        // An update may name a set of records without data (RFC 2136 §2.4, §2.5).
        let no_data = empty && self.message.header.opcode() == UPDATE;
        if no_data { Ok(()) } else { outcome }
    }

    /// Writes a record's owner as text. Returns the place behind it; of a name that is wrong nothing
    /// is left.
    fn owner(&mut self, start: usize) -> Result<usize, &'static str> {
        let out = &mut self.message.text;
        name::read(self.bytes, self.at, out).inspect_err(|_| out.truncate(start))
    }

    fn opt(&mut self, opt: Opt, options: Rdata<'a>) -> Result<(), &'static str> {
        if self.message.opt.is_some() {
            return Err("there is more than one OPT record"); // RFC 6891 §6.1.1
        }
        self.message.opt.insert(opt).read_options(options)
    }
}
