//! What we and tshark tell of the conversations in a capture, by their endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;

use serde_json::Value;

use super::{Capture, Corpus, flowcell_with, socket, text};
use crate::talk::{self, Event, Record};

/// The two endpoints of a conversation, the smaller one first.
pub type Ends = [SocketAddr; 2];

/// The endpoints, in the order in which they are keys.
#[must_use]
pub fn ends([one, other]: [SocketAddr; 2]) -> Ends {
    [one.min(other), one.max(other)]
}

/// The records of this type that a run over a capture brings, by the endpoints of their flows, in
/// order.
///
/// # Panics
///
/// If the run fails, or a record is not as documented.
#[must_use]
pub fn told(capture: &Capture, ty: &str) -> BTreeMap<Ends, Vec<Record>> {
    let run = flowcell_with("run", &capture.path, &["-q", "--types", ty]);
    let mut conversations: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in run.records.iter().filter_map(talk::record) {
        conversations.entry(ends(record.ends)).or_default().push(record);
    }
    conversations
}

impl Corpus {
    /// What tshark tells of some protocols in a capture, by endpoints, in frame order.
    ///
    /// # Panics
    ///
    /// If its file is not as documented.
    #[must_use]
    pub fn events(&self, capture: &Capture, protocols: &[&str]) -> BTreeMap<Ends, Vec<Event>> {
        let name = format!("captures/{}.events.jsonl", capture.name);
        let lines = fs::read_to_string(self.path(&name)).unwrap_or_default();
        let mut conversations: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for line in lines.lines() {
            let event =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"));
            let event = talk::event(event);
            if let Some(event) = event.filter(|event| protocols.contains(&event.proto.as_str())) {
                conversations.entry(ends(event.ends)).or_default().push(event);
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
                count("ngaps") > Some(0) || count("snap_missing") > Some(0)
            })
        });
        torn.map(|stream| ends([socket(text(stream, "/a")), socket(text(stream, "/b"))])).collect()
    }
}
