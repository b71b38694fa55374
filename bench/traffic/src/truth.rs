//! What a flow really carried.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::tuple::{Application, Side, Transport, Tuple};

/// How a flow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Both sides say FIN, this side first. UDP flows just stop, and have no ending.
    Fin(Side),
    /// The client resets.
    Reset,
    /// Nothing more comes.
    Open,
}

/// What one side sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SideTruth {
    /// Payload bytes, each counted once.
    pub bytes: u64,
    /// SHA-256 of these bytes; of datagrams, one after the other, each once even where it comes
    /// twice.
    pub sha256: [u8; 32],
    /// Frames of this side in the capture.
    pub frames: u64,
    /// Payload bytes that the capture lacks.
    pub lost_bytes: u64,
    /// Ranges of neighbouring lost bytes. For UDP, lost datagrams.
    pub lost_ranges: u64,
}

/// What a flow really carried, and what of it the capture lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The flow's number within its mix, from 0.
    pub flow: u64,
    /// Its endpoints.
    pub tuple: Tuple,
    /// Its transport.
    pub transport: Transport,
    /// What it carries.
    pub application: Application,
    /// How it ends.
    pub ending: Ending,
    /// What the client sent.
    pub client: SideTruth,
    /// What the server sent.
    pub server: SideTruth,
}

/// One line of JSON, as `flowcell-traffic mix --truth` writes it.
impl fmt::Display for Truth {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match self.ending {
            _ if self.transport == Transport::Udp => "none",
            Ending::Fin(_) => "fin",
            Ending::Reset => "reset",
            Ending::Open => "open",
        };
        write!(to, "{{\"flow\":{},", self.flow)?;
        for (role, end) in [("client", self.tuple.client), ("server", self.tuple.server)] {
            write!(to, "\"{role}_ip\":\"{}\",\"{role}_port\":{},", end.ip(), end.port())?;
        }
        let (transport, application) = (self.transport, self.application);
        write!(
            to,
            "\"transport\":\"{}\",\"application\":\"{}\",\"ending\":\"{ending}\",",
            format!("{transport:?}").to_lowercase(),
            format!("{application:?}").to_lowercase()
        )?;
        write!(to, "\"client\":{},\"server\":{}}}", self.client, self.server)
    }
}

impl fmt::Display for SideTruth {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, sha256, frames, lost_bytes, lost_ranges } = self;
        write!(to, "{{\"bytes\":{bytes},\"sha256\":\"")?;
        for byte in sha256 {
            write!(to, "{byte:02x}")?;
        }
        write!(
            to,
            "\",\"frames\":{frames},\"lost_bytes\":{lost_bytes},\"lost_ranges\":{lost_ranges}}}"
        )
    }
}

/// Counts one side of a flow while it goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) frames: u32,
    pub(crate) lost_ranges: u32,
    pub(crate) lost_bytes: u64,
    /// The end of the last range that was lost.
    pub(crate) lost_to: u64,
    /// Only where somebody asks for the truth: it costs time and memory.
    pub(crate) hash: Option<Box<Sha256>>,
}

impl Tally {
    pub(crate) fn new(hashed: bool) -> Self {
        Self { hash: hashed.then(Box::default), ..Self::default() }
    }

    /// Bytes are sent for the first time.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.sent += bytes.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
    }

    /// The last `len` bytes that were sent are lost.
    pub(crate) fn lose_last(&mut self, len: u64, whole_datagram: bool) {
        if self.lost_to + len != self.sent || self.lost_ranges == 0 || whole_datagram {
            self.lost_ranges += 1;
        }
        self.lost_to = self.sent;
        self.lost_bytes += len;
    }

    pub(crate) fn truth(&mut self) -> SideTruth {
        SideTruth {
            bytes: self.sent,
            sha256: self.hash.take().map(|hash| hash.finalize().into()).unwrap_or_default(),
            frames: self.frames.into(),
            lost_bytes: self.lost_bytes,
            lost_ranges: self.lost_ranges.into(),
        }
    }
}
