//! What others read from a capture: `<name>.tcp.json`.

use std::net::SocketAddr;

use flowcell_tests::corpus::{number, socket, text};
use serde_json::Value;

/// A conversation as the oracle sees it.
pub(crate) struct Stream {
    pub(crate) proto: &'static str,
    pub(crate) a: SocketAddr,
    pub(crate) b: SocketAddr,
    /// The number of its first frame.
    pub(crate) first: u64,
    /// From a to b, and back.
    pub(crate) sides: [Side; 2],
}

/// One direction of it.
pub(crate) struct Side {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// Bytes in holes between those that are there; not known of UDP.
    pub(crate) missing: Option<u64>,
}

/// The streams of a capture in time order, TCP first.
pub(crate) fn streams(oracle: &Value) -> Vec<Stream> {
    let of = |proto, list: &str| {
        let list = oracle[list].as_array().expect("a list of streams");
        list.iter().map(|stream| read(proto, stream)).collect::<Vec<_>>()
    };
    let mut streams = of("tcp", "tcp");
    streams.extend(of("udp", "udp"));
    streams
}

fn read(proto: &'static str, stream: &Value) -> Stream {
    let side = |name: &str| {
        let side = &stream[name];
        Side {
            bytes: number(side, if proto == "tcp" { "/len" } else { "/bytes" }),
            sha256: text(side, "/sha256").into(),
            missing: (proto == "tcp").then(|| side["missing"].as_u64().unwrap_or(0)),
        }
    };
    Stream {
        proto,
        a: socket(text(stream, "/a")),
        b: socket(text(stream, "/b")),
        first: number(stream, "/first_frame"),
        sides: [side("a2b"), side("b2a")],
    }
}
