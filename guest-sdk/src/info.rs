//! What is known of a flow before its first byte.

use std::net::SocketAddr;

use crate::record::Timestamp;

/// Which endpoint sent the bytes. For TCP the client is the endpoint that opened the connection;
/// where the opening was not seen, and for datagrams, the host decides by what is said and by port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The endpoint that opened the connection.
    Client,
    /// The endpoint that was connected to.
    Server,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The sides, client first.
    pub(crate) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    pub(crate) fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What records show in the place of a password or another secret.
pub const MASK: &str = "***";

/// What records show of passwords and other secrets; [`Flow::secrets`](crate::Flow::secrets) says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Secrets {
    /// [`MASK`] in the place of each.
    #[default]
    Masked,
    /// Themselves: the operator has asked for them.
    Shown,
}

impl Secrets {
    /// What a record shows of this secret: [`MASK`], or the secret itself if the operator wants it. What is
    /// not shown need not be kept.
    #[must_use]
    pub fn show(self, secret: &[u8]) -> &[u8] {
        match self {
            Self::Masked => MASK.as_bytes(),
            Self::Shown => secret,
        }
    }

    /// They stand in the records as they are.
    #[must_use]
    pub fn are_shown(self) -> bool {
        self == Self::Shown
    }
}

/// The transport protocol of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Two byte streams.
    Tcp,
    /// Datagrams.
    Udp,
}

/// Severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The parser is at a loss.
    Error,
    /// Something the operator should look at.
    Warn,
    /// Of interest.
    Info,
    /// For the parser's author.
    Debug,
}

/// What is known of a flow when its parser starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowInfo {
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server.
    pub server: SocketAddr,
    /// TCP or UDP.
    pub transport: Transport,
    /// Time of the packet that the parser is started for.
    pub at: Timestamp,
    /// The start was not seen: the first bytes of either side may be anywhere in the conversation,
    /// and who is client is a guess.
    pub midstream: bool,
    /// An instance of this parser had the flow before, has confirmed it, and was freed while it was
    /// [resting](crate::Datagrams::next_resting).
    pub confirmed: bool,
    /// What records show of passwords and other secrets.
    pub secrets: Secrets,
    /// The endpoint that sent the first packet seen.
    pub originator: Side,
    /// If another flow's parser has expected this flow: what it said of it.
    pub context: Option<Vec<u8>>,
}

/// A flow that is about to begin, and who gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation<'a> {
    /// Name of the parser.
    pub parser: &'a str,
    /// TCP or UDP.
    pub transport: Transport,
    /// Where the client of that flow will connect to: one of the two hosts of the flow at hand.
    pub server: SocketAddr,
    /// What that flow's parser is told, at most 1,024 bytes.
    pub context: &'a [u8],
}
