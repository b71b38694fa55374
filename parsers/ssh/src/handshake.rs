//! The record of a handshake, made of what both sides have said.

use flowcell_sdk::prelude::*;

use crate::digest::md5_hex;
use crate::kexinit::{KexInit, List, choose, is_aead};
use crate::known::{Peer, version};
use crate::records::Handshake;

/// Longest list of algorithms that is shown, in bytes.
const MAX_SHOWN: usize = 4_096;

/// What a side's offer says of its implementation.
struct Hassh {
    digest: Vec<u8>,
    algorithms: Vec<u8>,
}

impl Hassh {
    /// Of key exchange and these three: what the side offers for what it sends itself.
    fn new(offer: &KexInit, lists: [List; 3]) -> Self {
        let mut algorithms = offer.list(List::Kex).to_vec();
        for list in lists {
            algorithms.push(b';');
            algorithms.extend_from_slice(offer.list(list));
        }
        Self { digest: md5_hex(&[&algorithms], None), algorithms }
    }
}

/// What two offers come to.
#[derive(Default)]
struct Chosen<'a> {
    kex: Option<&'a [u8]>,
    host_key: Option<&'a [u8]>,
    // To the server, to the client.
    cipher: [Option<&'a [u8]>; 2],
    mac: [Option<&'a [u8]>; 2],
    compression: [Option<&'a [u8]>; 2],
    no_match: Vec<&'static str>,
}

impl<'a> Chosen<'a> {
    fn new(client: &'a KexInit, server: &'a KexInit) -> Self {
        let mut no_match = Vec::new();
        let mut choose = |name, list| {
            let chosen = choose(client, server, list);
            if chosen.is_none() && !no_match.contains(&name) {
                no_match.push(name);
            }
            chosen
        };
        let kex = choose("kex_alg", List::Kex);
        let host_key = choose("host_key_alg", List::HostKey);
        let cipher = [List::CipherToServer, List::CipherToClient].map(|l| choose("cipher_alg", l));
        let mac = [(cipher[0], List::MacToServer), (cipher[1], List::MacToClient)];
        let mac = mac.map(|(cipher, list)| match cipher {
            Some(cipher) if is_aead(cipher) => Some(&b"<implicit>"[..]),
            _ => choose("mac_alg", list),
        });
        let compression = [List::CompressionToServer, List::CompressionToClient];
        let compression = compression.map(|list| choose("compression_alg", list));
        Self { kex, host_key, cipher, mac, compression, no_match }
    }
}

/// Emits what is known.
pub(crate) fn emit(flow: &Flow, client: &Peer, server: &Peer, incomplete: bool) {
    let offers = client.kexinit.as_ref().zip(server.kexinit.as_ref());
    let chosen = offers.map(|(client, server)| Chosen::new(client, server)).unwrap_or_default();
    let strict_kex = offers.map(|(client, server)| {
        client.has(List::Kex, b"kex-strict-c-v00@openssh.com")
            && server.has(List::Kex, b"kex-strict-s-v00@openssh.com")
    });
    let to_server = [List::CipherToServer, List::MacToServer, List::CompressionToServer];
    let to_client = [List::CipherToClient, List::MacToClient, List::CompressionToClient];
    let hassh = client.kexinit.as_ref().map(|offer| Hassh::new(offer, to_server));
    let hassh_server = server.kexinit.as_ref().map(|offer| Hassh::new(offer, to_client));
    let key = server.host_key(client);

    let mut truncated = Vec::new();
    for (peer, name) in [(client, "client"), (server, "server")] {
        if peer.truncated {
            truncated.push(name);
        }
    }
    let algorithms = |hassh: &'_ Option<Hassh>| hassh.as_ref().map(|hassh| hassh.algorithms.len());
    let host_keys = |peer: &'_ Peer| peer.kexinit.as_ref().map(|kex| kex.list(List::HostKey).len());
    for (length, name) in [
        (algorithms(&hassh), "hassh_algorithms"),
        (algorithms(&hassh_server), "hassh_server_algorithms"),
        (host_keys(client), "cshka"),
        (host_keys(server), "sshka"),
    ] {
        if length.is_some_and(|length| length > MAX_SHOWN) {
            truncated.push(name);
        }
    }

    flow.emit(&Handshake {
        version: version(client, server),
        client: client.identification.as_ref().map(|(line, _)| shown(line)),
        server: server.identification.as_ref().map(|(line, _)| shown(line)),
        server_lines: server.lines,
        cipher_alg: chosen.cipher[0].map(shown).or(client.cipher.map(Text::from)),
        cipher_alg_to_client: other(chosen.cipher),
        mac_alg: chosen.mac[0].map(shown),
        mac_alg_to_client: other(chosen.mac),
        compression_alg: chosen.compression[0].map(shown),
        compression_alg_to_client: other(chosen.compression),
        kex_alg: chosen.kex.map(shown),
        host_key_alg: chosen.host_key.map(shown),
        host_key: key.map(|key| shown(&key.md5)),
        host_key_fingerprint: key.and_then(|key| key.sha256.as_deref()).map(shown),
        host_key_type: key.and_then(|key| key.format.as_deref()).map(shown),
        hassh: hassh.as_ref().map(|hassh| shown(&hassh.digest)),
        hassh_algorithms: hassh.as_ref().map(|hassh| shown(&hassh.algorithms)),
        hassh_server: hassh_server.as_ref().map(|hassh| shown(&hassh.digest)),
        hassh_server_algorithms: hassh_server.as_ref().map(|hassh| shown(&hassh.algorithms)),
        cshka: client.kexinit.as_ref().map(|offer| shown(offer.list(List::HostKey))),
        sshka: server.kexinit.as_ref().map(|offer| shown(offer.list(List::HostKey))),
        strict_kex,
        no_match: chosen.no_match,
        incomplete,
        truncated,
    });
}

/// Bytes as a value, cut at the limit.
fn shown(bytes: &[u8]) -> Text<'_> {
    Text::from(bytes.get(..MAX_SHOWN).unwrap_or(bytes))
}

/// The algorithm to the client, if it is another than that to the server.
fn other([to_server, to_client]: [Option<&[u8]>; 2]) -> Option<Text<'_>> {
    to_client.filter(|name| to_server != Some(name)).map(shown)
}
