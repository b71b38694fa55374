//! The record that comes of a conversation.

use flowcell_sdk::prelude::*;

use crate::chain::{Chain, texts};
use crate::client_hello::ClientHello;
use crate::records::{Certificate, Handshake};
use crate::server_hello::ServerHello;
use crate::talk::Talk;
use crate::{ciphers, digest, ja3, ja4, names};

/// Emits what is known.
pub(crate) fn emit(talk: &Talk<'_>) {
    let (client, server) = talk.roles();
    let none = ClientHello::default();
    let offer = talk.client_hello.as_ref();
    let answer = talk.server_hello.as_ref().or(talk.retry.as_ref());
    let ja3_full = offer.and_then(ja3::client);
    let ja3s_full = talk.server_hello.as_ref().and_then(ja3::server);
    let hello = offer.unwrap_or(&none);
    let version = match answer {
        Some(answer) => Some(answer.version()),
        None => talk.sslv2.then_some(2),
    };
    talk.flow.emit(&Handshake {
        version: version.map(names::version),
        cipher: answer.and_then(|answer| answer.cipher).map(ciphers::name),
        curve: talk.curve.map(names::group),
        server_name: hello.server_name.as_deref().map(Text::from),
        resumed: resumed(talk),
        last_alert: talk.alerts.last().map(|alert| alert.description.clone()),
        next_protocol: answer.and_then(|answer| answer.protocol.as_deref()).map(Text::from),
        established: client.finished && server.finished,
        ssl_history: talk.history.iter().map(|letter| char::from(*letter)).collect(),
        cert_chain: certificates(server.chain.as_ref()),
        client_cert_chain: certificates(client.chain.as_ref()),
        client_version: offer.map(|hello| hello.version),
        client_supported_versions: &hello.versions,
        client_ciphers: &hello.ciphers,
        ssl_client_exts: &hello.extensions,
        client_curves: &hello.groups,
        client_key_share_groups: &hello.key_shares,
        point_formats: &hello.point_formats,
        sigalgs: &hello.signature_algorithms,
        orig_alpn: texts(&hello.alpn),
        ssl_server_exts: answer.map_or(&none.extensions, |answer| &answer.extensions),
        ja3: ja3_full.as_ref().map(|line| digest::md5(line.as_bytes())),
        ja3_full,
        ja3s: ja3s_full.as_ref().map(|line| digest::md5(line.as_bytes())),
        ja3s_full,
        ja4: offer.and_then(ja4::client),
        alerts: talk.alerts.clone(),
        hello_retry: talk.retry.is_some(),
        early_data: hello.early_data,
        ech: hello.ech,
        sslv2: hello.sslv2,
        incomplete: talk.incomplete,
        truncated: truncated(talk, hello),
    });
}

fn certificates(chain: Option<&Chain>) -> Vec<Certificate<'_>> {
    chain.map(Chain::shown).unwrap_or_default()
}

/// Whether a session was resumed.
fn resumed(talk: &Talk<'_>) -> bool {
    let (client, server) = talk.roles();
    let Some(answer) = &talk.server_hello else {
        return false;
    };
    if answer.is_tls13() {
        return answer.pre_shared_key; // RFC 8446 §4.2.11
    }
    // RFC 5246 §7.3, figure 2: an abbreviated handshake has no ServerHelloDone and no key exchange.
    let full = server.hello_done || server.chain.is_some() || client.key_exchange;
    // RFC 5246 §7.4.1.3: the server repeats the id. With a ticket, the client may have made one up for
    // that, or sent none (RFC 5077 §3.4): then it shows when the server changes ciphers.
    let repeats = talk
        .client_hello
        .as_ref()
        .is_some_and(|hello| !hello.session_id.is_empty() && hello.session_id == answer.session_id);
    !full && (repeats || server.changed_cipher && !server.torn)
}

fn truncated(talk: &Talk<'_>, hello: &ClientHello) -> Vec<&'static str> {
    let (client, server) = talk.roles();
    let mut names = hello.cut.clone();
    let cut = |chain: &Option<Chain>| chain.as_ref().is_some_and(|chain| chain.cut);
    let hello_cut = |hello: &Option<ServerHello>| hello.as_ref().is_some_and(|hello| hello.cut);
    let more = [
        (hello_cut(&talk.server_hello), "ssl_server_exts"),
        (cut(&server.chain), "cert_chain"),
        (cut(&client.chain), "client_cert_chain"),
        (talk.alerts_cut, "alerts"),
    ];
    names.extend(more.into_iter().filter_map(|(cut, name)| cut.then_some(name)));
    names
}
