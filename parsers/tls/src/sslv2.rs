//! The hellos of SSL 2.0: clients that offered TLS in one (RFC 5246 §E.2), and servers that answer in it.

use flowcell_sdk::Side;

use crate::bytes::Bytes;
use crate::client_hello::{ClientHello, MAX_LIST};

/// Bytes by which a hello is recognised: the record's header, and the message's first three.
pub(crate) const START: usize = 5;

/// Whether these can be the first bytes of a hello of this side, up to [`START`].
pub(crate) fn may_open(side: Side, prefix: &[u8]) -> bool {
    prefix.iter().enumerate().all(|(at, byte)| match (at, side) {
        (0, _) => byte & 0x80 != 0, // a header of two bytes: the record has no padding
        (2, Side::Client) => *byte == 1, // CLIENT-HELLO
        (2, Side::Server) => *byte == 4, // SERVER-HELLO
        (3, Side::Client) => matches!(byte, 0 | 3), // the version: 0x0002, or one of TLS
        (4, Side::Client) => match prefix.get(3) {
            Some(3) => *byte <= 4,
            _ => *byte == 2,
        },
        (3 | 4, Side::Server) => *byte <= 1, // a session is resumed; there is a certificate
        _ => true,
    })
}

/// Bytes of the message that a header announces.
pub(crate) fn length(header: [u8; 2]) -> usize {
    usize::from(u16::from_be_bytes(header) & 0x7fff)
}

/// Reads a client's hello. `None` if it does not add up.
pub(crate) fn read(message: &[u8]) -> Option<ClientHello> {
    let mut body = Bytes(message);
    let _client_hello = body.u8()?;
    let version = body.u16()?;
    let ciphers = usize::from(body.u16()?);
    let session_id = usize::from(body.u16()?);
    let challenge = usize::from(body.u16()?);
    let mut list = Bytes(body.take(ciphers)?);
    let session_id = body.take(session_id)?.to_vec();
    let _challenge = body.take(challenge)?;
    let sound = ciphers > 0
        && ciphers.is_multiple_of(3)
        && session_id.len() <= 32
        && matches!(challenge, 16..=32)
        && body.is_empty();
    if !sound {
        return None;
    }
    let mut hello =
        ClientHello { sslv2: true, whole: true, version, session_id, ..ClientHello::default() };
    while let Some(code) = list.u24() {
        // The suites of SSL 2.0 itself have a first byte that is not zero.
        let Ok(code) = u16::try_from(code) else { continue };
        if hello.ciphers.len() < MAX_LIST {
            hello.ciphers.push(code);
        } else if hello.cut.is_empty() {
            hello.cut.push("client_ciphers");
        }
    }
    Some(hello)
}
