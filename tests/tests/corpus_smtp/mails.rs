//! The `smtp.mail` records of a capture.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use flowcell_tests::corpus::{self, number, text};
use serde_json::Value;

/// A mail and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    ends: [SocketAddr; 2],
    pub(crate) data: Value,
}

/// The mails of a capture, in the order of their records.
pub(crate) fn read(capture: &Path) -> Vec<Mail> {
    let run = corpus::flowcell("run", capture);
    run.of_type("smtp.mail").into_iter().map(mail).collect()
}

fn mail(record: &Value) -> Mail {
    let end = |side: &str| {
        let address: IpAddr = text(record, &format!("/{side}_ip")).parse().expect("an address");
        let port = number(record, &format!("/{side}_port"));
        SocketAddr::new(address, u16::try_from(port).expect("a port"))
    };
    Mail { ends: [end("orig"), end("resp")], data: record["data"].clone() }
}

impl Mail {
    /// Whether it was sent between these endpoints.
    pub(crate) fn is_between(&self, one: SocketAddr, other: SocketAddr) -> bool {
        self.ends == [one, other] || self.ends == [other, one]
    }

    /// Whether it was sent between this endpoint and any.
    pub(crate) fn is_of(&self, end: SocketAddr) -> bool {
        self.ends.contains(&end)
    }

    /// Whether anything of a message was sent.
    pub(crate) fn has_content(&self) -> bool {
        self.data["size"].is_u64()
    }

    /// A field's text; nothing if it is absent.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.data[field].as_str()
    }

    /// A field's texts.
    pub(crate) fn texts(&self, field: &str) -> Vec<&str> {
        let list = self.data[field].as_array();
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The recipients that the server did not refuse.
    pub(crate) fn accepted(&self) -> Vec<&str> {
        let mut refused = self.texts("rcpt_refused");
        let mut accepted = self.texts("rcptto");
        accepted.retain(|rcpt| match refused.iter().position(|other| other == rcpt) {
            Some(index) => {
                refused.remove(index);
                false
            }
            None => true,
        });
        accepted
    }
}
