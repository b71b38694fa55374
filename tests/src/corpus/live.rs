//! Captures of live connections whose endpoints wrote down what they sent, and versions of one of
//! them that were made to be harder.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde_json::Value;

use super::{Corpus, number, socket, text};

/// A connection as its endpoints know it.
#[derive(Debug)]
pub struct TrueFlow {
    /// `smtp`, `http` or `echo`.
    pub proto: String,
    /// The client.
    pub client: SocketAddr,
    /// The server's port.
    pub port: u16,
    /// Length and SHA-256 of what client and server sent.
    pub sides: [(u64, String); 2],
    /// The mails of an SMTP connection.
    pub mails: Vec<TrueMail>,
}

/// A mail as its sender knows it.
#[derive(Debug, PartialEq, Eq)]
pub struct TrueMail {
    /// The sender's address.
    pub from: String,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// Bytes of the message as sent, with the dots that the transport doubles.
    pub sent: u64,
}

/// A version of `live-mini-open`.
#[derive(Debug)]
pub struct Variant {
    /// What it is called.
    pub name: String,
    /// The capture.
    pub path: PathBuf,
    /// What of it is still true.
    pub truth: Truth,
}

/// How much of a connection a variant of its capture shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Truth {
    /// All of it.
    Same,
    /// All of it, if it was over IPv4; else nothing.
    SameV4,
    /// What the client sent.
    ClientOnly,
    /// What the server sent.
    ServerOnly,
    /// All but these ranges, offset and length, of a side, by the client's endpoint.
    Without(BTreeMap<(usize, SocketAddr), Vec<(u64, u64)>>),
    /// The first bytes of each segment.
    CutSegments,
    /// The first part of the capture.
    CutCapture,
    /// All of it for those who verify checksums.
    Checksums,
}

impl Corpus {
    /// The truth about a live capture, or nothing if there is no such capture.
    #[must_use]
    pub fn truth(&self, name: &str) -> Option<Vec<TrueFlow>> {
        let truth = self.json(&format!("live/{name}.truth.json"))?;
        Some(truth["flows"].as_array().into_iter().flatten().map(flow).collect())
    }

    /// The variants of `live-mini-open`.
    ///
    /// # Panics
    ///
    /// If the list of variants is not as documented.
    #[must_use]
    pub fn variants(&self) -> Vec<Variant> {
        let list = self.json("variants/variants.json").unwrap_or_default();
        let files = self.list("variants");
        let variants = list["variants"].as_object().into_iter().flatten();
        variants
            .map(|(name, variant)| {
                let file = files.iter().find(|file| file.starts_with(&format!("{name}.pcap")));
                let file = file.unwrap_or_else(|| panic!("variants.json: no capture of {name}"));
                Variant {
                    name: name.clone(),
                    path: self.path(&format!("variants/{file}")),
                    truth: what_is_true(name, &variant["truth"]),
                }
            })
            .collect()
    }
}

fn what_is_true(name: &str, truth: &Value) -> Truth {
    if let Some(missing) = truth["same_except_missing_ranges"].as_object() {
        let side = |key: &str| match key.split_once(' ') {
            Some(("c2s", client)) => (0, socket(client)),
            Some(("s2c", client)) => (1, socket(client)),
            _ => panic!("{name}: a range of `{key}`"),
        };
        let ranges = |list: &Value| {
            let list = list.as_array().into_iter().flatten();
            list.map(|range| (number(range, "/0"), number(range, "/1"))).collect()
        };
        let missing = missing.iter().map(|(key, list)| (side(key), ranges(list)));
        return Truth::Without(missing.collect());
    }
    match truth.as_str() {
        Some("same") => Truth::Same,
        Some("same (v4 flows)") => Truth::SameV4,
        Some("c2s only") => Truth::ClientOnly,
        Some("s2c only") => Truth::ServerOnly,
        Some("prefix of each segment only") => Truth::CutSegments,
        Some("prefix") => Truth::CutCapture,
        Some("same if checksums verified") => Truth::Checksums,
        _ => panic!("{name}: what is true of it? {truth}"),
    }
}

fn flow(flow: &Value) -> TrueFlow {
    let proto = text(flow, "/proto");
    let side = |name| {
        (number(flow, &format!("/{name}_len")), text(flow, &format!("/{name}_sha256")).to_owned())
    };
    let mails = flow["info"].as_array().into_iter().flatten().filter(|_| proto == "smtp");
    let port = number(flow, "/port");
    TrueFlow {
        proto: proto.into(),
        client: socket(text(flow, "/client")),
        port: u16::try_from(port).unwrap_or_else(|error| panic!("port {port}: {error}")),
        sides: ["c2s", "s2c"].map(side),
        mails: mails.map(mail).collect(),
    }
}

fn mail(mail: &Value) -> TrueMail {
    let to = mail[1].as_array().into_iter().flatten().map(|rcpt| text(rcpt, "").to_owned());
    TrueMail {
        from: text(mail, "/0").into(),
        to: to.collect(),
        subject: text(mail, "/2").into(),
        sent: number(mail, "/3"),
    }
}

impl TrueFlow {
    /// Whether the addresses are IPv4.
    #[must_use]
    pub fn is_v4(&self) -> bool {
        matches!(self.client.ip(), IpAddr::V4(_))
    }
}
