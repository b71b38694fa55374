//! What a bundle says, as it stands in its file: `docs/repro.md`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::json;
use crate::runtime::{self, FlowState};

/// The version of the format that is written, and the only one that is read.
pub const FORMAT: u32 = 1;

/// What the names of bundles end in.
pub const EXTENSION: &str = "flowrepro";

/// Longest message of a fault that is kept, in bytes.
pub(super) const MAX_MESSAGE: usize = 16 << 10;

/// All that a flow's parser was given before it faulted, and the fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The first line.
    pub header: Header,
    /// What was delivered, in order.
    pub inputs: Vec<Input>,
}

/// The first line of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub flowrepro: u32,
    /// The version of the program that wrote it.
    pub flowcell: String,
    /// Whose fault it is.
    pub parser: ParserId,
    /// The limits of its cell that were in force, by name and in their own units.
    pub limits: BTreeMap<String, u64>,
    /// Its instructions were counted instead of its time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deterministic: bool,
    /// The flow's id in the records of the run.
    pub uid: String,
    /// What `open` was called with.
    pub flow: Flow,
    /// What happened.
    pub fault: FaultSeen,
    /// How many lines follow.
    pub inputs: u64,
    /// What was delivered as well and is not here, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
}

/// One version of a parser.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParserId {
    /// As it calls itself.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Of its file, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// A fault as it stood in the records of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSeen {
    /// The name of its class.
    pub class: String,
    /// What the guest said, or what happened.
    pub message: String,
    /// Names of the guest's functions, innermost first.
    pub backtrace: Vec<String>,
}

/// What is missing at the end of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truncated {
    /// The limit that was hit: `repro_bytes` or `repro_total`.
    pub limit: String,
    /// Deliveries that are not here.
    pub inputs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The flow as its parser knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Address and port.
    pub client: SocketAddr,
    /// Address and port.
    pub server: SocketAddr,
    /// How it is carried.
    pub transport: Transport,
    /// When its parser was started.
    pub at: Time,
    /// Its start was not seen.
    pub midstream: bool,
    /// An instance of the parser had it before, and has confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
    /// The operator wanted secrets in the records as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secrets: bool,
    /// Who sent the first packet seen.
    pub originator: Side,
    /// What the parser that expected it has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Payload>,
}

/// One delivery; as in `wit/parser.wit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Bytes of one side.
    Data(Chunk),
    /// Bytes that will never come.
    Gap(Gap),
    /// Nothing more comes from a side.
    End(End),
}

/// Bytes of one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// Who sent them.
    pub side: Side,
    /// Stream offset of the first.
    pub offset: u64,
    /// Time of the packet that completed them.
    pub at: Time,
    /// The packets that brought them, where they were more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Box<[Segment]>>,
    /// The bytes themselves.
    pub bytes: Payload,
}

/// A packet's share of a delivery: its length in bytes, and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment(pub u32, pub Time);

/// Bytes that were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Whose.
    pub side: Side,
    /// Stream offset of the first.
    pub offset: u64,
    /// How many.
    pub length: u64,
    /// Why.
    pub reason: GapReason,
}

/// The end of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Which.
    pub side: Side,
    /// When.
    pub at: Time,
    /// Why.
    pub reason: EndReason,
}

/// Declares an enumeration that is the contract's, with names for a file.
macro_rules! as_in_the_contract {
    ($(#[$doc:meta])+ $name:ident { $($(#[$variant_doc:meta])+ $variant:ident,)+ }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])+ $variant,)+ }

        impl From<runtime::$name> for $name {
            fn from(value: runtime::$name) -> Self {
                match value { $(runtime::$name::$variant => Self::$variant,)+ }
            }
        }

        impl From<$name> for runtime::$name {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant,)+ }
            }
        }
    };
}

as_in_the_contract! {
    /// An endpoint.
    Side {
        /// Who opened the connection, as far as is known.
        Client,
        /// The other.
        Server,
    }
}

as_in_the_contract! {
    /// What carries the flow.
    Transport {
        /// A stream.
        Tcp,
        /// Datagrams.
        Udp,
    }
}

as_in_the_contract! {
    /// Why bytes are missing.
    GapReason {
        /// Not in the capture.
        Lost,
        /// A limit on what is held back.
        Memory,
        /// A limit on what is reassembled.
        Depth,
        /// Cut off by the capture.
        Snaplen,
    }
}

as_in_the_contract! {
    /// Why a side ended.
    EndReason {
        /// In order.
        Fin,
        /// By a reset.
        Reset,
        /// By silence.
        Idle,
        /// For want of room.
        Evicted,
        /// With the run.
        Shutdown,
    }
}

/// Nanoseconds since the Unix epoch; in a file RFC 3339 with nine digits behind the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub u64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&json::timestamp(self.0, 9))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = humantime::parse_rfc3339(&text).ok();
        let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let nanos = since.as_ref().map(Duration::as_nanos).and_then(|nanos| nanos.try_into().ok());
        nanos.map(Self).ok_or_else(|| {
            de::Error::custom("a time is to be like \"2024-01-31T23:59:59.123456789Z\"")
        })
    }
}

/// Bytes; in a file base64 with padding (RFC 4648 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(pub Box<[u8]>);

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text);
        let bytes = bytes.map_err(|error| de::Error::custom(format!("not base64: {error}")))?;
        Ok(Self(bytes.into()))
    }
}

impl Bundle {
    /// The name of its file. All parts are made of letters, digits and `.+-_`, and bounded.
    #[must_use]
    pub fn file_name(&self) -> String {
        let Header { parser, fault, uid, .. } = &self.header;
        format!("{}-{}-{}-{uid}.{EXTENSION}", parser.name, parser.version, fault.class)
    }

    /// All times in it, in nanoseconds since the Unix epoch.
    pub fn times(&self) -> impl Iterator<Item = u64> {
        let of_input = |input: &Input| match input {
            Input::Data(chunk) => Some(chunk.at.0),
            Input::End(end) => Some(end.at.0),
            Input::Gap(_) => None,
        };
        [self.header.flow.at.0].into_iter().chain(self.inputs.iter().filter_map(of_input))
    }

    /// The content of its file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        line(&mut lines, &self.header);
        self.inputs.iter().for_each(|input| line(&mut lines, input));
        lines
    }
}

fn line(lines: &mut Vec<u8>, value: &impl Serialize) {
    // Structs of numbers and strings into memory: this can not fail.
    let _ = serde_json::to_writer(&mut *lines, value);
    lines.push(b'\n');
}

/// How many bytes a delivery has.
pub(super) fn payload(input: &runtime::Input<'_>) -> u64 {
    match input {
        runtime::Input::Data(runtime::Chunk { bytes, .. }) => bytes.len() as u64,
        runtime::Input::Gap(_) | runtime::Input::End(_) => 0,
    }
}

impl From<&runtime::Input<'_>> for Input {
    fn from(input: &runtime::Input<'_>) -> Self {
        match *input {
            runtime::Input::Data(runtime::Chunk { side, offset, at, segments, bytes }) => {
                let bytes = Payload(bytes.into());
                let segment = |of: &runtime::Segment| Segment(of.length, Time(of.at));
                let segments = segments.map(|segments| segments.iter().map(segment).collect());
                Self::Data(Chunk { side: side.into(), offset, at: Time(at), segments, bytes })
            }
            runtime::Input::Gap(runtime::Gap { side, offset, length, reason }) => {
                Self::Gap(Gap { side: side.into(), offset, length, reason: reason.into() })
            }
            runtime::Input::End(runtime::End { side, at, reason }) => {
                Self::End(End { side: side.into(), at: Time(at), reason: reason.into() })
            }
        }
    }
}

impl From<&runtime::Flow<'_>> for Flow {
    fn from(flow: &runtime::Flow<'_>) -> Self {
        Self {
            client: runtime::socket_address(&flow.client),
            server: runtime::socket_address(&flow.server),
            transport: flow.transport.into(),
            at: Time(flow.at),
            midstream: flow.state.contains(FlowState::MIDSTREAM),
            confirmed: flow.state.contains(FlowState::CONFIRMED),
            secrets: flow.state.contains(FlowState::SECRETS),
            originator: flow.originator.into(),
            context: flow.context.map(|bytes| Payload(bytes.into())),
        }
    }
}

impl<'a> From<&'a Flow> for runtime::Flow<'a> {
    fn from(flow: &'a Flow) -> Self {
        Self {
            client: runtime::endpoint(flow.client),
            server: runtime::endpoint(flow.server),
            transport: flow.transport.into(),
            at: flow.at.0,
            state: runtime::flow_state(flow.midstream, flow.confirmed, flow.secrets),
            originator: flow.originator.into(),
            context: flow.context.as_ref().map(|bytes| &*bytes.0),
        }
    }
}

impl From<&runtime::Fault> for FaultSeen {
    fn from(fault: &runtime::Fault) -> Self {
        Self {
            class: fault.class.name().into(),
            message: runtime::clipped(&fault.message, MAX_MESSAGE),
            backtrace: fault.backtrace.clone(),
        }
    }
}
