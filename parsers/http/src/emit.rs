//! From an exchange to its record.

use flowcell_sdk::prelude::*;

use crate::anomalies::Anomalies;
use crate::body::Body;
use crate::header::{Field, Header, mark};
use crate::message::Exchange;
use crate::records::Transaction;
use crate::shown::{List, Shown};
use crate::target::authority;

/// Emits the record of an exchange.
pub(crate) fn emit(flow: &Flow, exchange: &Exchange) {
    let request = exchange.request.as_deref();
    let response = exchange.response.as_deref();
    let asked = request.map(|request| &request.header);
    let answered = response.map(|response| &response.header);
    let sent = request.map(|request| &request.body);
    let received = response.map(|response| &response.body);
    let line = request.map(|request| &request.line);
    let info = response.and_then(|response| response.info.as_ref());
    let user = request.and_then(|request| request.user.as_ref());
    let version = line.map(|line| line.version);

    let mut truncated = Vec::new();
    if line.is_some_and(|line| line.cut) {
        mark("uri", &mut truncated);
    }
    for name in [asked, answered].into_iter().flatten().flat_map(|header| &header.cut) {
        mark(name, &mut truncated);
    }
    let host = field(asked, Field::Host);
    let whole = exchange.ended
        && request.is_some_and(|request| request.whole)
        && response.is_some_and(|response| response.whole);

    flow.emit(&Transaction {
        trans_depth: exchange.depth,
        method: line.map(|line| Shown(&line.method)),
        host: host.or_else(|| authority(&line?.uri).map(Shown)),
        uri: line.map(|line| Shown(&line.uri)),
        referrer: field(asked, Field::Referer),
        version: response.and_then(|response| response.version).or(version),
        request_version: version,
        user_agent: field(asked, Field::UserAgent),
        origin: field(asked, Field::Origin),
        request_body_len: length(sent),
        response_body_len: length(received),
        status_code: response.and_then(|response| response.code),
        status_msg: response.and_then(|response| text(&response.reason)),
        info_code: info.map(|info| info.code),
        info_msg: info.and_then(|info| text(&info.reason)),
        username: user.map(|user| Shown(&user.name)),
        password: user.map(|user| Shown(&user.password)),
        proxied: List(asked.map_or(&[], |header| &header.proxied)),
        resp_filenames: List(response.map_or(&[], |response| &response.filenames)),
        request_content_length: declared(asked),
        response_content_length: declared(answered),
        request_content_type: field(asked, Field::ContentType),
        response_content_type: field(answered, Field::ContentType),
        request_content_encoding: field(asked, Field::ContentEncoding),
        response_content_encoding: field(answered, Field::ContentEncoding),
        request_transfer_encoding: field(asked, Field::TransferEncoding),
        response_transfer_encoding: field(answered, Field::TransferEncoding),
        request_sha256: digest(sent),
        response_sha256: digest(received),
        server: field(answered, Field::Server),
        location: field(answered, Field::Location),
        upgrade: response.and_then(|response| text(response.upgrade.as_ref()?.as_bytes())),
        request_ts: request.map(|request| request.at),
        response_ts: response.map(|response| response.at),
        request_anomalies: anomalies(asked),
        response_anomalies: anomalies(answered),
        missed_bytes: missed(sent).saturating_add(missed(received)),
        incomplete: !whole,
        truncated,
    });
}

#[inline(never)] // many fields need it
fn field(header: Option<&Header>, field: Field) -> Option<Shown<'_>> {
    header?.get(field).map(Shown)
}

fn text(text: &[u8]) -> Option<Shown<'_>> {
    (!text.is_empty()).then_some(Shown(text))
}

fn declared(header: Option<&Header>) -> Option<u64> {
    header?.declared
}

fn anomalies(header: Option<&Header>) -> Anomalies {
    header.map(|header| header.anomalies).unwrap_or_default()
}

fn length(body: Option<&Body>) -> u64 {
    body.map_or(0, |body| body.length)
}

fn missed(body: Option<&Body>) -> u64 {
    body.map_or(0, |body| body.missed)
}

fn digest(body: Option<&Body>) -> Option<Shown<'_>> {
    Some(Shown(body?.sha256.as_ref()?.as_bytes()))
}
