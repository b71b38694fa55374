//! What parsers and others tell of the conversations in a capture.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

use super::{Capture, Corpus, endpoint, flowcell_with, number, socket, text};

/// The two endpoints of a conversation, the smaller one first.
pub type Ends = [SocketAddr; 2];

/// The endpoints, in the order in which they are keys.
#[must_use]
pub fn ends(one: SocketAddr, other: SocketAddr) -> Ends {
    [one.min(other), one.max(other)]
}

/// A record of a flow, and whose it is.
#[derive(Debug, Clone)]
pub struct Told {
    /// The flow's id.
    pub uid: String,
    /// `tcp` or `udp`.
    pub proto: String,
    /// The originator.
    pub orig: SocketAddr,
    /// The responder.
    pub resp: SocketAddr,
    /// The frame that led to the record.
    pub packet: u64,
    /// The record's own fields.
    pub data: Value,
}

impl Told {
    /// A field's text; nothing if it is absent.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.data[field].as_str()
    }

    /// A field's number; nothing if it is absent.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<u64> {
        self.data[field].as_u64()
    }

    /// A field's texts.
    #[must_use]
    pub fn texts(&self, field: &str) -> Vec<&str> {
        let list = self.data[field].as_array();
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether a field is true.
    #[must_use]
    pub fn is(&self, field: &str) -> bool {
        self.data[field] == true
    }
}

/// The records of this type that a run over a capture brings, by the endpoints of their flows, in
/// order. Flows without ports are left out.
///
/// # Panics
///
/// If the run fails, or a record is not as documented.
#[must_use]
pub fn told(capture: &Capture, ty: &str) -> BTreeMap<Ends, Vec<Told>> {
    let run = flowcell_with("run", &capture.path, &["-q", "--types", ty]);
    let mut conversations: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in run.of_type(ty).into_iter().filter(|record| record["orig_port"].is_u64()) {
        let told = Told {
            uid: text(record, "/uid").into(),
            proto: text(record, "/proto").into(),
            orig: endpoint(record, "orig"),
            resp: endpoint(record, "resp"),
            packet: number(record, "/packet"),
            data: record["data"].clone(),
        };
        conversations.entry(ends(told.orig, told.resp)).or_default().push(told);
    }
    conversations
}

/// What tshark tells of a frame.
#[derive(Debug, Clone)]
pub struct Event {
    /// The frame's number.
    pub frame: u64,
    /// `tcp` or `udp`.
    pub l4: String,
    /// The sender.
    pub src: SocketAddr,
    /// The receiver.
    pub dst: SocketAddr,
    /// All that it tells.
    pub data: Value,
}

impl Event {
    /// A field's text; nothing if it is absent.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.data[field].as_str()
    }

    /// Whether it is of this kind.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.data["kind"] == kind
    }
}

impl Corpus {
    /// What tshark tells of a protocol in a capture, by endpoints, in frame order.
    ///
    /// # Panics
    ///
    /// If its file is not as documented.
    #[must_use]
    pub fn events(&self, capture: &Capture, proto: &str) -> BTreeMap<Ends, Vec<Event>> {
        let name = format!("captures/{}.events.jsonl", capture.name);
        let lines = fs::read_to_string(self.path(&name)).unwrap_or_default();
        let mut conversations: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for line in lines.lines() {
            let data: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"));
            if data["proto"] == proto {
                let event = Event {
                    frame: number(&data, "/frame"),
                    l4: text(&data, "/l4").into(),
                    src: socket(text(&data, "/src")),
                    dst: socket(text(&data, "/dst")),
                    data,
                };
                conversations.entry(ends(event.src, event.dst)).or_default().push(event);
            }
        }
        conversations
    }

    /// The endpoints of the TCP conversations of which bytes are missing in a capture.
    ///
    /// # Panics
    ///
    /// If its file is not as documented.
    #[must_use]
    pub fn torn(&self, capture: &Capture) -> BTreeSet<Ends> {
        let streams = self.json(&format!("captures/{}.tcp.json", capture.name)).unwrap_or_default();
        let streams = streams["tcp"].as_array().into_iter().flatten();
        let torn = streams.filter(|stream| {
            ["/a2b", "/b2a"].iter().any(|side| {
                let count =
                    |field| stream.pointer(&format!("{side}/{field}")).and_then(Value::as_u64);
                count("ngaps").is_some_and(|gaps| gaps > 0)
                    || count("snap_missing").is_some_and(|missing| missing > 0)
            })
        });
        torn.map(|stream| ends(socket(text(stream, "/a")), socket(text(stream, "/b")))).collect()
    }

    /// The logs of this name that Zeek made of a capture: their paths below the corpus.
    #[must_use]
    pub fn zeek_logs(&self, capture: &Capture, log: &str) -> Vec<String> {
        let folder = format!("zeek/{}", capture.name);
        let logs = self.list(&folder).into_iter();
        let named = logs.filter(|name| {
            name.trim_end_matches(".cut").strip_suffix(log).is_some_and(|rest| rest.ends_with('.'))
        });
        named.map(|name| format!("{folder}/{name}")).collect()
    }
}

/// The endpoints of a row of Zeek's, originator and responder; nothing if the log lacks them.
#[must_use]
pub fn row_ends(row: &crate::zeek::Row) -> Option<(SocketAddr, SocketAddr)> {
    let end = |side: &str| {
        let address: IpAddr = row.get(&format!("id.{side}_h"))?.parse().ok()?;
        Some(SocketAddr::new(address, row.get(&format!("id.{side}_p"))?.parse().ok()?))
    };
    Some((end("orig")?, end("resp")?))
}
