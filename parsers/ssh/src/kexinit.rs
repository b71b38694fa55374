//! SSH_MSG_KEXINIT (RFC 4253 §7.1): what a side offers, and what two offers come to.

/// Most names of a list that are compared with the other side's.
const MAX_NAMES: usize = 256;

/// Type, cookie, ten empty lists, `first_kex_packet_follows` and the reserved word, in bytes.
pub(crate) const MIN_PAYLOAD: usize = 1 + 16 + 10 * 4 + 1 + 4;

/// Which list, in the order of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Kex,
    HostKey,
    CipherToServer,
    CipherToClient,
    MacToServer,
    MacToClient,
    CompressionToServer,
    CompressionToClient,
}

/// The offer of one side.
#[derive(Debug)]
pub(crate) struct KexInit {
    payload: Vec<u8>,
    /// Where each list starts and ends in `payload`, those for languages included.
    lists: [(usize, usize); 10],
    /// A packet of a guessed key exchange follows.
    pub(crate) guess_follows: bool,
}

impl KexInit {
    /// Reads the payload of a packet, from the message's type on; `None` if its lengths lie.
    pub(crate) fn parse(payload: Vec<u8>) -> Option<Self> {
        let mut lists = [(0, 0); 10];
        let mut at = 1 + 16;
        for list in &mut lists {
            let length =
                payload.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))?;
            let start = at + 4;
            let end = start.checked_add(usize::try_from(length).ok()?)?;
            if end > payload.len() {
                return None;
            }
            *list = (start, end);
            at = end;
        }
        let guess_follows = *payload.get(at)? != 0;
        Some(Self { payload, lists, guess_follows })
    }

    /// One of the lists: names separated by commas.
    pub(crate) fn list(&self, list: List) -> &[u8] {
        let (start, end) = self.lists.get(list as usize).copied().unwrap_or_default();
        self.payload.get(start..end).unwrap_or_default()
    }

    fn names(&self, list: List) -> impl Iterator<Item = &[u8]> {
        let names = self.list(list).split(|byte| *byte == b',');
        names.filter(|name| !name.is_empty()).take(MAX_NAMES)
    }

    pub(crate) fn has(&self, list: List, wanted: &[u8]) -> bool {
        self.names(list).any(|name| name == wanted)
    }

    fn first(&self, list: List) -> Option<&[u8]> {
        self.names(list).next()
    }
}

/// RFC 4253 §7.1: the first algorithm of the client's list that the server has as well.
pub(crate) fn choose<'a>(client: &'a KexInit, server: &'a KexInit, list: List) -> Option<&'a [u8]> {
    client.names(list).find(|name| !is_signal(name) && server.has(list, name))
}

/// RFC 4253 §7: the guess is right if both sides prefer the same methods.
pub(crate) fn guess_is_right(client: &KexInit, server: &KexInit) -> bool {
    [List::Kex, List::HostKey].into_iter().all(|list| client.first(list) == server.first(list))
}

/// Names that say something about the sender and are no methods (RFC 8308 §2.1, OpenSSH's PROTOCOL §1.10).
fn is_signal(name: &[u8]) -> bool {
    name.starts_with(b"kex-strict-") || name == b"ext-info-c" || name == b"ext-info-s"
}

/// Whether the cipher authenticates, so that the negotiated MAC is not used (RFC 5647 §5.1 and OpenSSH's
/// PROTOCOL §1.6).
pub(crate) fn is_aead(cipher: &[u8]) -> bool {
    const AEAD: [&[u8]; 8] = [
        b"chacha20-poly1305@openssh.com",
        b"chacha20-poly1305",
        b"aes128-gcm@openssh.com",
        b"aes256-gcm@openssh.com",
        b"aes128-gcm",
        b"aes256-gcm",
        b"AEAD_AES_128_GCM",
        b"AEAD_AES_256_GCM",
    ];
    AEAD.contains(&cipher)
}

#[cfg(test)]
mod tests {
    use super::{KexInit, List, choose, guess_is_right};

    fn kexinit(kex: &str, follows: u8) -> KexInit {
        let mut payload = vec![20; 17];
        payload.extend(u32::try_from(kex.len()).unwrap().to_be_bytes());
        payload.extend(kex.as_bytes());
        payload.extend([0; 36]);
        payload.extend([follows, 0, 0, 0, 0]);
        KexInit::parse(payload).unwrap()
    }

    #[test]
    fn the_clients_first_that_the_server_has() {
        let client = kexinit("ext-info-c,a,b,kex-strict-c-v00@openssh.com", 0);
        let server = kexinit("c,b,a,ext-info-c,kex-strict-c-v00@openssh.com", 1);
        assert_eq!(choose(&client, &server, List::Kex), Some(&b"a"[..]));
        assert_eq!(choose(&client, &server, List::HostKey), None);
        assert!(server.guess_follows && !guess_is_right(&client, &server));
        assert_eq!(choose(&client, &kexinit("ext-info-c,,", 0), List::Kex), None);
    }

    #[test]
    fn lengths_that_lie() {
        let whole = kexinit("abc", 0).payload;
        for length in 0..whole.len() - 4 {
            assert!(KexInit::parse(whole[..length].to_vec()).is_none(), "{length}");
        }
        let mut long = whole;
        long[17..21].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(KexInit::parse(long).is_none());
    }
}
