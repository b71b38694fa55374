//! What our program and tshark tell of the same flows, for the differential tests of parsers.

use std::fs;
use std::net::SocketAddr;
use std::thread;

use serde_json::Value;

use crate::corpus::{self, Capture, Corpus, number, socket, text};

/// A capture as both see it.
#[derive(Debug)]
pub struct Sight {
    /// The capture's name.
    pub name: String,
    /// Its bytes were damaged on purpose.
    pub is_damaged: bool,
    /// Our records that belong to a flow, in order.
    pub records: Vec<Record>,
    /// What tshark made out, in order of its frames.
    pub events: Vec<Event>,
}

/// One of our records.
#[derive(Debug)]
pub struct Record {
    /// Its type.
    pub ty: String,
    /// `tcp` or `udp`.
    pub proto: String,
    /// Its flow.
    pub uid: String,
    /// Originator and responder.
    pub ends: [SocketAddr; 2],
    /// The packet that led to it.
    pub packet: u64,
    /// Its fields.
    pub data: Value,
}

/// Something that tshark made out.
#[derive(Debug)]
pub struct Event {
    /// The protocol, as tshark calls it.
    pub proto: String,
    /// `tcp` or `udp`.
    pub l4: String,
    /// Which of tshark's flows it belongs to.
    pub stream: u64,
    /// Sender and receiver.
    pub ends: [SocketAddr; 2],
    /// The frame, from 1.
    pub frame: u64,
    /// Its fields.
    pub data: Value,
}

/// What both tell of the flows between two endpoints.
#[derive(Debug)]
pub struct Talk<'a> {
    /// The endpoints, in no order.
    pub ends: [SocketAddr; 2],
    /// Our records.
    pub records: Vec<&'a Record>,
    /// tshark's events.
    pub events: Vec<&'a Event>,
}

/// Runs the program on all captures; two at a time.
///
/// # Panics
///
/// If a run fails, or a file of the corpus is not as it should be.
#[must_use]
pub fn sights(corpus: &Corpus) -> Vec<Sight> {
    let captures = corpus.captures();
    let (one, other) = captures.split_at(captures.len() / 2);
    let see = |captures: &[Capture]| captures.iter().map(|it| sight(corpus, it)).collect();
    thread::scope(|scope| {
        let first = scope.spawn(|| see(one));
        let second: Vec<_> = see(other);
        let mut sights: Vec<_> = first.join().unwrap_or_else(|_| panic!("a run failed"));
        sights.extend(second);
        sights
    })
}

fn sight(corpus: &Corpus, capture: &Capture) -> Sight {
    let run = corpus::flowcell_with("run", &capture.path, &["-q"]);
    let path = corpus.path(&format!("captures/{}.events.jsonl", capture.name));
    // Captures that tshark could not read have none.
    let events = fs::read_to_string(path).unwrap_or_default();
    let events = events.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}", capture.name))
    });
    Sight {
        name: capture.name.clone(),
        is_damaged: capture.category == "bad",
        records: run.records.iter().filter_map(record).collect(),
        events: events.filter_map(event).collect(),
    }
}

/// Reads a record of ours; nothing if it belongs to no flow.
pub(crate) fn record(record: &Value) -> Option<Record> {
    // Those of other transports have no ports, those of no flow neither id nor addresses.
    let uid = record["uid"].as_str()?.to_owned();
    let end = |side: &str| {
        let address = record[format!("{side}_ip")].as_str()?.parse().ok()?;
        let port = u16::try_from(record[format!("{side}_port")].as_u64()?).ok()?;
        Some(SocketAddr::new(address, port))
    };
    Some(Record {
        ty: text(record, "/type").into(),
        proto: text(record, "/proto").into(),
        uid,
        ends: [end("orig")?, end("resp")?],
        packet: number(record, "/packet"),
        data: record["data"].clone(),
    })
}

/// Reads an event of tshark's; nothing if it is of no flow.
pub(crate) fn event(mut event: Value) -> Option<Event> {
    // The first line tells of the file.
    event["proto"].as_str()?;
    let l4 = event["l4"].as_str().filter(|l4| ["tcp", "udp"].contains(l4))?.to_owned();
    Some(Event {
        proto: text(&event, "/proto").into(),
        l4,
        stream: number(&event, "/stream"),
        ends: [socket(text(&event, "/src")), socket(text(&event, "/dst"))],
        frame: number(&event, "/frame"),
        data: event.take(),
    })
}

impl Sight {
    /// What tshark calls one of `protocols`, and our records of `types`, by their endpoints.
    #[must_use]
    pub fn talks(&self, protocols: &[&str], types: &[&str]) -> Vec<Talk<'_>> {
        let mut talks: Vec<Talk<'_>> = Vec::new();
        for event in &self.events {
            if protocols.contains(&event.proto.as_str()) {
                talk(&mut talks, event.ends).events.push(event);
            }
        }
        for record in &self.records {
            if types.contains(&record.ty.as_str()) {
                talk(&mut talks, record.ends).records.push(record);
            }
        }
        talks
    }
}

impl Talk<'_> {
    /// Whether both have told something of the protocol itself. Which flows are of it is another question.
    #[must_use]
    pub fn is_of_both(&self) -> bool {
        !self.events.is_empty() && self.records.iter().any(|record| record.ty != "anomaly")
    }
}

/// The talk between these endpoints, a new one if there is none.
fn talk<'a, 'b>(talks: &'b mut Vec<Talk<'a>>, ends: [SocketAddr; 2]) -> &'b mut Talk<'a> {
    let index = talks.iter().position(|talk| is_between(talk.ends, ends)).unwrap_or_else(|| {
        talks.push(Talk { ends, records: Vec::new(), events: Vec::new() });
        talks.len() - 1
    });
    &mut talks[index]
}

/// Whether these are the same endpoints, in either order.
#[must_use]
pub fn is_between(ends: [SocketAddr; 2], [one, other]: [SocketAddr; 2]) -> bool {
    ends == [one, other] || ends == [other, one]
}

impl Record {
    /// A field's text; nothing if it is absent.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.data[field].as_str()
    }

    /// A field's texts.
    #[must_use]
    pub fn texts(&self, field: &str) -> Vec<&str> {
        let list = self.data[field].as_array();
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// A field's number; nothing if it is absent.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<u64> {
        self.data[field].as_u64()
    }

    /// Whether a flag is set.
    #[must_use]
    pub fn is(&self, flag: &str) -> bool {
        self.data[flag] == true
    }
}

impl Event {
    /// A field's text; nothing if it is absent.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.data[field].as_str()
    }

    /// A field's number, which tshark gives as text; nothing if it is absent.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<u64> {
        self.text(field)?.parse().ok()
    }

    /// Whether it is of this kind.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.data["kind"] == kind
    }

    /// Its sender.
    #[must_use]
    pub fn sender(&self) -> SocketAddr {
        self.ends[0]
    }
}
