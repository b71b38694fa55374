//! Flows of ours, and who they are between.

use std::fmt;
use std::net::IpAddr;

use flowcell_tests::command::Run;
use flowcell_tests::zeek::Row;
use serde_json::Value;

/// Who a connection is between. For ICMP the ports are type and code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// Empty where a log does not tell.
    pub(crate) proto: String,
    orig: (IpAddr, u64),
    resp: (IpAddr, u64),
}

impl Key {
    /// The key of a log's row, if the log has it.
    pub(crate) fn of(row: &Row) -> Option<Self> {
        let end = |side: &str| {
            let address = row.get(&format!("id.{side}_h"))?.parse().ok()?;
            Some((address, row.get(&format!("id.{side}_p"))?.parse().ok()?))
        };
        let proto = row.get("proto").cloned().unwrap_or_default();
        Some(Self { proto, orig: end("orig")?, resp: end("resp")? })
    }

    fn of_record(record: &Value) -> Option<Self> {
        let end = |side: &str| {
            let address = record[format!("{side}_ip")].as_str()?.parse().ok()?;
            Some((address, record[format!("{side}_port")].as_u64().unwrap_or(0)))
        };
        let proto = record["proto"].as_str()?.to_owned();
        Some(Self { proto, orig: end("orig")?, resp: end("resp")? })
    }

    /// Whether this is what a log's key tells.
    pub(crate) fn fits(&self, told: &Self) -> bool {
        let proto = told.proto.is_empty() || told.proto == self.proto;
        proto && (self.orig, self.resp) == (told.orig, told.resp)
    }

    /// The same in the other direction.
    pub(crate) fn flipped(&self) -> Self {
        Self { proto: self.proto.clone(), orig: self.resp, resp: self.orig }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (orig, resp) = (self.orig, self.resp);
        write!(f, "{} {} port {} to {} port {}", self.proto, orig.0, orig.1, resp.0, resp.1)
    }
}

/// A `flow` record.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) key: Key,
    packet: u64,
    pub(crate) data: Value,
}

impl Flow {
    /// The ids of its VLANs, outermost first.
    pub(crate) fn vlans(&self) -> Vec<u64> {
        self.data["vlan"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
    }
}

/// The flows of a run, in order of their first packets.
pub(crate) fn flows(run: &Run) -> Vec<Flow> {
    let mut flows: Vec<Flow> = run
        .of_type("flow")
        .into_iter()
        .map(|record| Flow {
            key: Key::of_record(record).unwrap_or_else(|| panic!("no endpoints in {record}")),
            packet: record["packet"].as_u64().unwrap_or(0),
            data: record["data"].clone(),
        })
        .collect();
    flows.sort_by_key(|flow| flow.packet);
    flows
}
