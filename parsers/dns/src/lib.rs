//! The Domain Name System.
//!
//! RFC 1035 over UDP and TCP, with EDNS (RFC 6891), and its relatives on the local network: multicast DNS
//! (RFC 6762) and LLMNR (RFC 4795).
//!
//! `source` finds the messages of both sides; `message` reads one, with the help of `name`, `rdata`
//! and `edns`; `pending` finds the query that a reply answers; `records` shows both.

mod edns;
mod header;
mod location;
mod message;
mod name;
mod pending;
mod rdata;
mod records;
mod service;
mod source;
mod text;
mod types;

use std::net::IpAddr;

use flowcell_sdk::prelude::*;

use crate::message::{Manner, Message};
use crate::pending::Pending;
use crate::records::Transaction;
use crate::source::Source;

/// Ports of multicast DNS, of all that is read here, and of a relative that looks like it and is not:
/// the NetBIOS name service (RFC 1002).
const MDNS: u16 = 5353;
const DNS: [u16; 3] = [53, MDNS, 5355];
const NETBIOS: u16 = 137;

/// So many messages without a header of DNS may come first on other ports. On those of DNS, where nothing
/// else is likely, junk does not end the search: it would hide what comes behind it.
const MAX_STRANGE: usize = 3;

/// The Domain Name System: queries and replies, also of multicast DNS and LLMNR.
///
/// On other ports, a query begins with a header that has one question, no answers and at most two
/// additional records, a reply with one question and a response code below 6; and then the name. Not one
/// of 32 letters of the first half of the alphabet, which is NetBIOS (RFC 1001 §14.1).
#[parser(
    name = "dns",
    tcp = [53, 5355],
    udp = [53, 5353, 5355],
    client = r"^[\x00\x01].{3}[\x00\x01][\x00\x10\x20\x30]\x00\x01\x00{5}[\x00-\x02](?:\x00\x00|[\x01-\x1f\x21-\x3f][0-9A-Za-z_*-]|\x20[0-9Q-Za-z_*-])",
    server = r"^.{4}[\x80-\x87][\x00-\x05\x10-\x15\x20-\x25\x30-\x35\x80-\x85\x90-\x95\xa0-\xa5\xb0-\xb5]\x00\x01(?:\x00.){3}(?:\x00\x00|[\x01-\x1f\x21-\x3f][0-9A-Za-z_*-]|\x20[0-9Q-Za-z_*-])",
    udp_client = r"^..[\x00\x01][\x00\x10\x20\x30]\x00\x01\x00{5}[\x00-\x02](?:\x00\x00|[\x01-\x1f\x21-\x3f][0-9A-Za-z_*-]|\x20[0-9Q-Za-z_*-])",
    udp_server = r"^..[\x80-\x87][\x00-\x05\x10-\x15\x20-\x25\x30-\x35\x80-\x85\x90-\x95\xa0-\xa5\xb0-\xb5]\x00\x01(?:\x00.){3}(?:\x00\x00|[\x01-\x1f\x21-\x3f][0-9A-Za-z_*-]|\x20[0-9Q-Za-z_*-])",
    records = [Transaction],
)]
async fn dns(mut flow: Flow) -> Result<()> {
    let info = flow.info();
    let ends = [info.client, info.server];
    let datagrams = info.transport == Transport::Udp;
    let mut known = info.confirmed;
    let on_port = |port| ends.iter().any(|end| end.port() == port);
    if on_port(NETBIOS) {
        return Err(Error::decline("the NetBIOS name service"));
    }
    let mdns = datagrams && on_port(MDNS);
    let expected = DNS.into_iter().any(on_port);
    // Who answers answers from an address of its own: that is another flow.
    let to_group = ends.iter().any(|end| is_group(end.ip()));

    let mut source = Source::new(&mut flow);
    let mut pending = Pending::new(&flow);
    let mut strange = 0usize;
    loop {
        let resting = pending.is_empty() && (known || strange == 0);
        let arrived = match source.next(resting).await {
            Ok(Some(arrived)) => arrived,
            Ok(None) => break,
            Err(error) => {
                pending.finish();
                return Err(error);
            }
        };
        let manner = Manner { mdns, cut: arrived.cut };
        let message = Message::read(&source.message, flow.now(), manner);
        if !known && !message.is_believable(mdns, expected) {
            strange = strange.saturating_add(1);
            if strange > MAX_STRANGE && !expected {
                break;
            }
            continue;
        }
        known = true;
        flow.confirm();
        if to_group {
            let (query, reply) = message.by_kind();
            records::emit(&flow, query, reply, 0);
        } else {
            pending.take(arrived.sender, message);
        }
    }
    if !known && (strange > 0 || source.lost) {
        return Err(Error::decline("no message of DNS"));
    }
    pending.finish();
    Ok(())
}

/// Multicast or broadcast.
fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}
