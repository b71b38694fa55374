//! From frames to packets, each with the shard that it belongs to.
//!
//! This is the part that sees every frame, in the order of the capture: whatever concerns more than
//! one flow is done here, so that what shards do can't depend on how many of them there are.

use crate::decode::{DecodeErrorKind, Decoded, RawFrame, decode};
use crate::{
    Arrival, Counters, DecodeError, EngineConfig, FlowKey, KeyOptions, Timestamp,
};

/// Takes packets to their shards.
pub trait Outlets {
    /// Takes the next packet. Its bytes are valid during the call only.
    fn packet(&mut self, arrival: Arrival<'_>);
}

/// Decodes frames.
#[derive(Debug)]
pub struct Dispatcher {
    hash_key: [u64; 2],
    key: KeyOptions,
    counters: Counters,
    now: Timestamp,
}

impl Dispatcher {
    /// Makes a dispatcher.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        Self {
            hash_key: config.hash_key,
            key: config.key,
            counters: Counters::default(),
            now: Timestamp(0),
        }
    }

    /// Returns what was counted so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Returns the latest time of any frame.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Takes the next frame and hands on the packets in it, the outermost first.
    pub fn handle_frame(&mut self, frame: &RawFrame<'_>, outlets: &mut dyn Outlets) {
        self.counters.frames += 1;
        self.counters.bytes += u64::from(frame.len);
        self.counters.frames_truncated += u64::from(frame.truncated());
        if frame.ts < self.now {
            self.counters.time_went_back += 1;
        } else {
            self.now = frame.ts;
        }
        match decode(frame) {
            Ok(Decoded::Packet(packet)) => {
                let hash = FlowKey::new(&packet.tuple()).hash(self.hash_key);
                let Self { now, .. } = *self;
                let (number, ts) = (frame.number, frame.ts);
                outlets.packet(Arrival { number, ts, now, hash, scope: 0, packet, tunnel: None });
            }
            Ok(Decoded::Fragment) => self.counters.fragments += 1,
            Ok(Decoded::UnsupportedLink(_)) => self.counters.unsupported_link += 1,
            Ok(Decoded::UnsupportedEtherType(_)) => self.counters.unsupported_ethertype += 1,
            Ok(Decoded::UnsupportedProtocol(_)) => self.counters.unsupported_protocol += 1,
            Err(error) => self.count_error(&error),
        }
    }

    #[cold]
    fn count_error(&mut self, error: &DecodeError) {
        *match error.kind {
            DecodeErrorKind::TooShort { .. } => &mut self.counters.decode_too_short,
            DecodeErrorKind::Truncated { .. } => &mut self.counters.decode_truncated,
            DecodeErrorKind::Version { .. } => &mut self.counters.decode_bad_version,
            DecodeErrorKind::LengthTooSmall { .. } | DecodeErrorKind::LengthTooLarge { .. } => {
                &mut self.counters.decode_bad_length
            }
            DecodeErrorKind::TooMany { .. } => &mut self.counters.decode_too_deep,
        } += 1;
    }
}
