//! What waits for its answer, as it is kept meanwhile.

use flowcell_sdk::prelude::*;

use crate::body::Kept;
use crate::names;
use crate::properties::Properties;
use crate::records;

/// A CONNECT without its answer.
#[derive(Debug, Default)]
pub(crate) struct Connect {
    pub(crate) name: Option<Kept>,
    pub(crate) level: Option<u8>,
    pub(crate) flags: Option<u8>,
    pub(crate) keep_alive: Option<u16>,
    pub(crate) client_id: Option<Kept>,
    pub(crate) will_topic: Option<Kept>,
    pub(crate) will_payload: Option<Kept>,
    pub(crate) username: Option<Kept>,
    /// As it is to be shown.
    pub(crate) password: Option<Kept>,
    pub(crate) user_properties: u32,
    pub(crate) properties_cut: bool,
    pub(crate) incomplete: bool,
}

/// The server's answer to it.
#[derive(Debug, Default)]
pub(crate) struct ConnAck {
    pub(crate) session_present: bool,
    pub(crate) code: u8,
    pub(crate) properties: Properties,
}

/// Flags of CONNECT (MQTT 3.1.1 §3.1.2.3).
pub(crate) mod flag {
    pub(crate) const CLEAN: u8 = 0x02;
    pub(crate) const WILL: u8 = 0x04;
    pub(crate) const WILL_RETAIN: u8 = 0x20;
    pub(crate) const PASSWORD: u8 = 0x40;
    pub(crate) const USERNAME: u8 = 0x80;
}

/// The bit that a bridge adds to the level of the protocol.
pub(crate) const BRIDGE: u8 = 0x80;

impl Connect {
    /// Takes note of properties, its own or those of its will.
    pub(crate) fn add(&mut self, properties: &Properties) {
        self.user_properties = self.user_properties.saturating_add(properties.user);
        self.properties_cut |= properties.cut;
    }

    pub(crate) fn emit(&self, flow: &Flow, answer: Option<&ConnAck>) {
        let will = self.flags.filter(|flags| flags & flag::WILL != 0);
        let level = self.level.unwrap_or(0) & !BRIDGE;
        let digits = [b'0' + level / 100, b'0' + level / 10 % 10, b'0' + level % 10];
        let leading = digits.iter().take(2).take_while(|digit| **digit == b'0').count();
        let number = Text::from(digits.get(leading..).unwrap_or_default());
        let version = names::version(level).map_or(number, Text::from);
        let reason = answer.and_then(|answer| answer.properties.reason_string.as_ref());
        let assigned = answer.and_then(|answer| answer.properties.assigned_client_id.as_ref());
        let mut truncated = cut(&[
            ("client_id", self.client_id.as_ref()),
            ("reason_string", reason),
            ("assigned_client_id", assigned),
            ("username", self.username.as_ref()),
            ("password", self.password.as_ref()),
            ("will_topic", self.will_topic.as_ref()),
            ("will_payload", self.will_payload.as_ref()),
        ]);
        if self.properties_cut || answer.is_some_and(|answer| answer.properties.cut) {
            truncated.push("properties");
        }
        flow.emit(&records::Connect {
            proto_name: self.name.as_ref().map(Kept::text),
            proto_version: self.level.map(|_| version),
            client_id: self.client_id.as_ref().map(Kept::text),
            connect_status: answer.map(|answer| Text::from(names::connect_status(answer.code))),
            reason_code: answer.map(|answer| answer.code),
            reason_string: reason.map(Kept::text),
            session_present: answer.map(|answer| answer.session_present),
            assigned_client_id: assigned.map(Kept::text),
            clean: self.flags.map(|flags| flags & flag::CLEAN != 0),
            keep_alive: self.keep_alive,
            username: self.username.as_ref().map(Kept::text),
            password: self.password.as_ref().map(Kept::text),
            will_topic: self.will_topic.as_ref().map(Kept::text),
            will_payload: self.will_payload.as_ref().map(Kept::text),
            will_payload_len: self.will_payload.as_ref().map(|payload| payload.length),
            will_qos: will.map(|flags| names::qos(flags >> 3 & 3)),
            will_retain: will.map(|flags| flags & flag::WILL_RETAIN != 0),
            bridge: self.level.is_some_and(|level| level & BRIDGE != 0),
            user_properties: self
                .user_properties
                .saturating_add(answer.map_or(0, |answer| answer.properties.user)),
            incomplete: self.incomplete,
            truncated,
        });
    }
}

/// A message whose exchange is not over.
#[derive(Debug)]
pub(crate) struct Publish {
    pub(crate) from_client: bool,
    pub(crate) dup: bool,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) topic: Option<Kept>,
    pub(crate) id: Option<u16>,
    pub(crate) payload: Kept,
    pub(crate) properties: Properties,
    pub(crate) incomplete: bool,
    /// The receiver has said that it has it, the sender that it knows that (exactly once).
    pub(crate) received: bool,
    pub(crate) released: bool,
}

impl Publish {
    pub(crate) fn emit(&self, flow: &Flow, status: &'static str, reason_code: Option<u8>) {
        let mut truncated = cut(&[
            ("topic", self.topic.as_ref()),
            // A payload of which bytes are missing is not cut at the limit.
            ("payload", Some(&self.payload).filter(|_| !self.incomplete)),
            ("content_type", self.properties.content_type.as_ref()),
            ("response_topic", self.properties.response_topic.as_ref()),
        ]);
        if self.properties.cut {
            truncated.push("properties");
        }
        flow.emit(&records::Publish {
            from_client: self.from_client,
            retain: self.retain,
            dup: self.dup,
            qos: names::qos(self.qos),
            status,
            reason_code,
            topic: self.topic.as_ref().map(Kept::text),
            topic_alias: self.properties.topic_alias,
            payload: self.payload.text(),
            payload_len: self.payload.length,
            packet_id: self.id,
            content_type: self.properties.content_type.as_ref().map(Kept::text),
            response_topic: self.properties.response_topic.as_ref().map(Kept::text),
            user_properties: self.properties.user,
            incomplete: self.incomplete,
            truncated,
        });
    }

    /// The bytes that it takes to remember it, roughly.
    pub(crate) fn weight(&self) -> usize {
        let optional = [
            &self.topic,
            &self.properties.content_type,
            &self.properties.response_topic,
            &self.properties.reason_string,
        ];
        let texts = optional.into_iter().flatten().map(|kept| kept.bytes.len());
        128 + self.payload.bytes.len() + texts.sum::<usize>()
    }
}

/// A request without its answer.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) unsubscribe: bool,
    pub(crate) id: u16,
    pub(crate) topics: Vec<Kept>,
    pub(crate) qos_levels: Vec<u16>,
    pub(crate) user_properties: u32,
    pub(crate) properties_cut: bool,
    /// There were more topics than are kept, or longer ones.
    pub(crate) topics_cut: bool,
    pub(crate) incomplete: bool,
}

impl Request {
    pub(crate) fn new(unsubscribe: bool) -> Self {
        Self {
            unsubscribe,
            id: 0,
            topics: Vec::new(),
            qos_levels: Vec::new(),
            user_properties: 0,
            properties_cut: false,
            topics_cut: false,
            incomplete: false,
        }
    }

    pub(crate) fn emit(&self, flow: &Flow, answer: Option<&[u16]>) {
        let mut truncated = Vec::new();
        if self.topics_cut || self.topics.iter().any(Kept::is_cut) {
            truncated.push("topics");
        }
        if self.properties_cut {
            truncated.push("properties");
        }
        let granted = answer.unwrap_or_default();
        flow.emit(&records::Subscribe {
            action: if self.unsubscribe { "unsubscribe" } else { "subscribe" },
            topics: self.topics.iter().map(Kept::text).collect(),
            qos_levels: self.qos_levels.clone(),
            granted_qos_level: granted.first().filter(|_| !self.unsubscribe).copied(),
            granted_qos_levels: granted.to_vec(),
            ack: answer.is_some(),
            packet_id: self.id,
            user_properties: self.user_properties,
            incomplete: self.incomplete,
            truncated,
        });
    }
}

/// The names of the fields that are longer than what is kept of them.
fn cut(fields: &[(&'static str, Option<&Kept>)]) -> Vec<&'static str> {
    let cut = fields.iter().filter(|(_, kept)| kept.is_some_and(Kept::is_cut));
    cut.map(|(name, _)| *name).collect()
}
