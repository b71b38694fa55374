//! The fixed header: type, flags and remaining length (MQTT 3.1.1 §2.2).

use flowcell_sdk::prelude::*;

/// Longest topic that is looked at where it is not certain that there is one, in bytes.
const MAX_PROBED: usize = 512;

/// The types of packets (MQTT 5 §2.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Connect,
    ConnAck,
    Publish,
    PubAck,
    PubRec,
    PubRel,
    PubComp,
    Subscribe,
    SubAck,
    Unsubscribe,
    UnsubAck,
    PingReq,
    PingResp,
    Disconnect,
    Auth,
}

impl Kind {
    fn of(first: u8) -> Option<Self> {
        Some(match first >> 4 {
            1 => Self::Connect,
            2 => Self::ConnAck,
            3 => Self::Publish,
            4 => Self::PubAck,
            5 => Self::PubRec,
            6 => Self::PubRel,
            7 => Self::PubComp,
            8 => Self::Subscribe,
            9 => Self::SubAck,
            10 => Self::Unsubscribe,
            11 => Self::UnsubAck,
            12 => Self::PingReq,
            13 => Self::PingResp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// Whether this side sends such packets.
    pub(crate) fn comes_from(self, side: Side) -> bool {
        match self {
            Self::Connect | Self::Subscribe | Self::Unsubscribe | Self::PingReq => {
                side == Side::Client
            }
            Self::ConnAck | Self::SubAck | Self::UnsubAck | Self::PingResp => side == Side::Server,
            _ => true,
        }
    }
}

/// A fixed header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) dup: bool,
    /// 0, 1 or 2.
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    /// Bytes behind the header; at most 268,435,455.
    pub(crate) remaining: u32,
    /// Bytes of the header itself.
    length: usize,
}

impl Head {
    /// Looks at the next header without reading it; `None` if it is none.
    pub(crate) async fn peek(stream: &mut ByteStream) -> Result<Option<Self>, ReadError> {
        let mut length = 2;
        loop {
            let bytes = stream.peek(length).await?;
            let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
                return Ok(None);
            };
            let Some(kind) = Kind::of(first) else {
                return Ok(None);
            };
            // §2.2.3: seven bits a byte, the lowest first, four bytes at most.
            if last & 0x80 != 0 {
                length += 1;
                if length > 5 {
                    return Ok(None);
                }
                continue;
            }
            let digits = bytes.get(1..).unwrap_or_default();
            let remaining =
                digits.iter().rev().fold(0, |sum, digit| sum << 7 | u32::from(digit & 0x7f));
            let qos = first >> 1 & 3;
            if kind == Kind::Publish && qos == 3 {
                return Ok(None);
            }
            let (dup, retain) = (first & 8 != 0, first & 1 != 0);
            return Ok(Some(Self { kind, dup, qos, retain, remaining, length }));
        }
    }

    /// Reads what was looked at.
    pub(crate) fn read(self, stream: &mut ByteStream) {
        stream.skip(self.length as u64);
    }

    /// Whether these bytes are the start of a packet, where that is not certain: more is asked of them
    /// than of one that was announced. For the types that say nothing, the length has to be right.
    pub(crate) async fn is_plausible(self, stream: &mut ByteStream) -> Result<bool, ReadError> {
        let flags = stream.peek(1).await?.first().copied().unwrap_or_default() & 15;
        let remaining = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        Ok(match self.kind {
            Kind::Connect => return self.is_connect(stream).await,
            Kind::Publish => return self.is_publish(stream).await,
            Kind::ConnAck => flags == 0 && (2..=128).contains(&remaining),
            Kind::PubAck | Kind::PubRec | Kind::PubComp => {
                flags == 0 && (2..=4).contains(&remaining)
            }
            Kind::PubRel => flags & 7 == 2 && (2..=4).contains(&remaining),
            Kind::Subscribe | Kind::Unsubscribe => {
                flags & 7 == 2 && (5..=4096).contains(&remaining)
            }
            Kind::SubAck | Kind::UnsubAck => flags == 0 && (2..=512).contains(&remaining),
            Kind::PingReq | Kind::PingResp | Kind::Disconnect => flags == 0 && remaining == 0,
            Kind::Auth => false,
        })
    }

    /// §3.1.2.1: the name of the protocol stands first.
    pub(crate) async fn is_connect(self, stream: &mut ByteStream) -> Result<bool, ReadError> {
        if self.kind != Kind::Connect || self.remaining < 10 {
            return Ok(false);
        }
        // The shorter of the names: 2 bytes of length, 4 of text.
        let bytes = stream.peek(self.length + 6).await?;
        let name = bytes.get(self.length..).unwrap_or_default();
        if name == b"\0\x04MQTT" {
            return Ok(true);
        }
        if name != b"\0\x06MQIs" {
            return Ok(false);
        }
        Ok(stream.peek(self.length + 8).await?.ends_with(b"dp"))
    }

    /// §3.3.2.1: a topic has no wildcards, and §1.5.3 no NUL.
    async fn is_publish(self, stream: &mut ByteStream) -> Result<bool, ReadError> {
        if self.remaining < 3 || (self.dup && self.qos == 0) {
            return Ok(false);
        }
        let bytes = stream.peek(self.length + 2).await?;
        let length = bytes.last_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
        let end = usize::from(length);
        if end == 0 || end > MAX_PROBED || u32::from(length) + 2 > self.remaining {
            return Ok(false);
        }
        let topic = stream.peek(self.length + 2 + end).await?;
        let topic = topic.get(self.length + 2..).unwrap_or_default();
        let is_allowed = |byte: &u8| *byte >= b' ' && !b"+#".contains(byte);
        Ok(topic.iter().all(is_allowed) && std::str::from_utf8(topic).is_ok())
    }
}
