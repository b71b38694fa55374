//! The two packets of SSH-1 that are not encrypted and tell something (draft-ylonen-ssh-protocol-00).

use crate::digest::md5_hex;

/// SSH_SMSG_PUBLIC_KEY.
pub(crate) const PUBLIC_KEY: u8 = 2;
/// SSH_CMSG_SESSION_KEY.
pub(crate) const SESSION_KEY: u8 = 3;
/// SSH_MSG_IGNORE and SSH_MSG_DEBUG.
pub(crate) const IDLE: [u8; 2] = [32, 36];

/// Longest packet that is read, in bytes: keys of 16,384 bits, and room to spare.
pub(crate) const MAX_LENGTH: usize = 16_384;

/// How many bytes of padding stand between the length field and the type (§"The Binary Packet Protocol").
pub(crate) fn padding(length: usize) -> usize {
    8 - length % 8
}

/// The fingerprint of the host key in a public key packet: MD5 over modulus and exponent.
pub(crate) fn host_key(data: &[u8]) -> Option<Vec<u8>> {
    let rest = data.get(8 + 4..)?; // cookie, bits of the server key
    let (_, rest) = number(rest)?;
    let (_, rest) = number(rest)?;
    let (exponent, rest) = number(rest.get(4..)?)?;
    let (modulus, _) = number(rest)?;
    Some(md5_hex(&[modulus, exponent], Some(b':')))
}

/// A number and what is behind it: its length in bits, then its bytes.
fn number(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let bits = data.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))?;
    data.get(2..)?.split_at_checked(usize::from(bits).div_ceil(8))
}

/// The cipher that the client has chosen in its session key packet.
pub(crate) fn cipher(data: &[u8]) -> Option<&'static str> {
    Some(match data.first()? {
        0 => "none",
        1 => "idea",
        2 => "des",
        3 => "3des",
        5 => "arcfour",
        6 => "blowfish",
        _ => return None,
    })
}
