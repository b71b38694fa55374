//! What the parser emits.

use flowcell_sdk::prelude::*;

/// A client that asks for a session, and the server's answer.
///
/// Emitted with the answer, or when none will come.
#[derive(Debug, Record)]
pub(crate) struct Connect<'a> {
    /// Name of the protocol: `MQTT`, or `MQIsdp` for 3.1. Absent if only the answer was seen.
    pub(crate) proto_name: Option<Text<'a>>,
    /// Version of the protocol: `3.1`, `3.1.1` or `5.0`; the level as a number if it is another.
    pub(crate) proto_version: Option<Text<'a>>,
    /// The client's identifier; empty if it lets the server choose one.
    pub(crate) client_id: Option<Text<'a>>,
    /// What the server answered, in words; absent if it did not answer.
    pub(crate) connect_status: Option<Text<'a>>,
    /// What the server answered, as a code: 0 is acceptance.
    pub(crate) reason_code: Option<u8>,
    /// The server's reason in its own words (5).
    pub(crate) reason_string: Option<Text<'a>>,
    /// The server had kept a session of this client.
    pub(crate) session_present: Option<bool>,
    /// The identifier that the server chose (5).
    pub(crate) assigned_client_id: Option<Text<'a>>,
    /// The client wants to start without an earlier session.
    pub(crate) clean: Option<bool>,
    /// Longest time between two packets of the client, in seconds; 0 is no limit.
    pub(crate) keep_alive: Option<u16>,
    /// The user's name.
    pub(crate) username: Option<Text<'a>>,
    /// `***` if the client sent a password; where secrets are shown, its first 256 bytes.
    pub(crate) password: Option<Text<'a>>,
    /// Topic of the message that the server is to publish when the connection breaks.
    pub(crate) will_topic: Option<Text<'a>>,
    /// That message, its first 256 bytes.
    pub(crate) will_payload: Option<Text<'a>>,
    /// Bytes of that message.
    pub(crate) will_payload_len: Option<u64>,
    /// Quality of service of that message.
    pub(crate) will_qos: Option<&'static str>,
    /// The server is to keep that message for the topic.
    pub(crate) will_retain: Option<bool>,
    /// The client is another server (a bridge).
    pub(crate) bridge: bool,
    /// User properties in request, will and answer (5).
    pub(crate) user_properties: u32,
    /// The end of the request is missing from the capture, was never sent, or makes no sense.
    pub(crate) incomplete: bool,
    /// Names of the fields that were cut at a limit; `properties` if those were too long to be read.
    pub(crate) truncated: Vec<&'static str>,
}

/// A message that was published to a topic.
///
/// Emitted when the exchange that its quality of service demands is over, or can not be any more.
#[derive(Debug, Record)]
pub(crate) struct Publish<'a> {
    /// The client published it; else the server passed it on to the client.
    pub(crate) from_client: bool,
    /// The server is to keep it for the topic, or has kept it.
    pub(crate) retain: bool,
    /// Sent again.
    pub(crate) dup: bool,
    /// Quality of service: `at most once`, `at least once` or `exactly once`.
    pub(crate) qos: &'static str,
    /// `ok` if the exchange was seen to its end, `refused` if the receiver did not take the message
    /// (5), else `incomplete_qos`.
    pub(crate) status: &'static str,
    /// The receiver's reason code, if it gave one (5).
    pub(crate) reason_code: Option<u8>,
    /// The topic; absent if the message names it by an alias that was not seen before.
    pub(crate) topic: Option<Text<'a>>,
    /// The number that stands for the topic (5).
    pub(crate) topic_alias: Option<u16>,
    /// The message, its first 256 bytes.
    pub(crate) payload: Text<'a>,
    /// Bytes of the message, as announced.
    pub(crate) payload_len: u64,
    /// Identifier of the exchange; absent for `at most once`.
    pub(crate) packet_id: Option<u16>,
    /// The content's type (5).
    pub(crate) content_type: Option<Text<'a>>,
    /// Where answers should be published (5).
    pub(crate) response_topic: Option<Text<'a>>,
    /// User properties of the message (5).
    pub(crate) user_properties: u32,
    /// The end of the message is missing from the capture or was never sent.
    pub(crate) incomplete: bool,
    /// Names of the fields that were cut at a limit; `properties` if those were too long to be read.
    pub(crate) truncated: Vec<&'static str>,
}

/// A client that subscribes to topics or unsubscribes from them, and the server's answer.
///
/// Emitted with the answer, or when none will come.
#[derive(Debug, Record)]
pub(crate) struct Subscribe<'a> {
    /// `subscribe` or `unsubscribe`.
    pub(crate) action: &'static str,
    /// The topics, or patterns of topics.
    pub(crate) topics: Vec<Text<'a>>,
    /// Quality of service asked for, for each of the topics; empty for `unsubscribe`.
    pub(crate) qos_levels: Vec<u16>,
    /// The first of `granted_qos_levels`.
    pub(crate) granted_qos_level: Option<u16>,
    /// The server's answer for each of the topics: the quality of service, or 128 and more for a
    /// refusal. For `unsubscribe` the reason code (5).
    pub(crate) granted_qos_levels: Vec<u16>,
    /// The server has answered.
    pub(crate) ack: bool,
    /// Identifier of the exchange.
    pub(crate) packet_id: u16,
    /// User properties of the request (5).
    pub(crate) user_properties: u32,
    /// The end of the request is missing from the capture, was never sent, or makes no sense.
    pub(crate) incomplete: bool,
    /// Names of the fields that were cut at a limit; `properties` if those were too long to be read.
    pub(crate) truncated: Vec<&'static str>,
}
