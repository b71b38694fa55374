//! What the parser emits.

use flowcell_sdk::prelude::*;

/// The handshake of a connection: as much of it as was seen.
///
/// Emitted once: as soon as both sides have said which algorithms they have and the host key is there, else when
/// encryption starts in both directions or the connection ends.
#[derive(Debug, Record)]
pub(crate) struct Handshake<'a> {
    /// Major version of the protocol that both sides speak, 1 or 2; absent if they have none in
    /// common or it is not known.
    pub(crate) version: Option<u8>,
    /// The client's identification, without the line end.
    pub(crate) client: Option<Text<'a>>,
    /// The server's identification, without the line end.
    pub(crate) server: Option<Text<'a>>,
    /// Lines that the server sent before its identification.
    pub(crate) server_lines: u32,
    /// Cipher; from client to server, if `cipher_alg_to_client` is there too.
    pub(crate) cipher_alg: Option<Text<'a>>,
    /// Cipher from server to client; absent if it is the same.
    pub(crate) cipher_alg_to_client: Option<Text<'a>>,
    /// Message authentication, `<implicit>` if the cipher does it; from client to server, if
    /// `mac_alg_to_client` is there too.
    pub(crate) mac_alg: Option<Text<'a>>,
    /// Message authentication from server to client; absent if it is the same.
    pub(crate) mac_alg_to_client: Option<Text<'a>>,
    /// Compression; from client to server, if `compression_alg_to_client` is there too.
    pub(crate) compression_alg: Option<Text<'a>>,
    /// Compression from server to client; absent if it is the same.
    pub(crate) compression_alg_to_client: Option<Text<'a>>,
    /// Key exchange method.
    pub(crate) kex_alg: Option<Text<'a>>,
    /// Algorithm of the server's signature.
    pub(crate) host_key_alg: Option<Text<'a>>,
    /// MD5 of the server's host key, in hexadecimal with colons.
    pub(crate) host_key: Option<Text<'a>>,
    /// `SHA256:` and the SHA-256 of the server's host key in base64, as OpenSSH shows it; absent for
    /// SSH-1.
    pub(crate) host_key_fingerprint: Option<Text<'a>>,
    /// Format of the server's host key; absent for SSH-1.
    pub(crate) host_key_type: Option<Text<'a>>,
    /// MD5 over `hassh_algorithms`, in hexadecimal: the client's implementation.
    pub(crate) hassh: Option<Text<'a>>,
    /// What the client offers from client to server: key exchange, ciphers, message authentication and
    /// compression, separated by semicolons.
    pub(crate) hassh_algorithms: Option<Text<'a>>,
    /// MD5 over `hassh_server_algorithms`, in hexadecimal: the server's implementation.
    pub(crate) hassh_server: Option<Text<'a>>,
    /// What the server offers from server to client, as in `hassh_algorithms`.
    pub(crate) hassh_server_algorithms: Option<Text<'a>>,
    /// Host key algorithms that the client takes.
    pub(crate) cshka: Option<Text<'a>>,
    /// Host key algorithms that the server has.
    pub(crate) sshka: Option<Text<'a>>,
    /// Both sides insist on a strict key exchange (`kex-strict-*-v00@openssh.com`); absent unless both
    /// offers were seen.
    pub(crate) strict_kex: Option<bool>,
    /// Names of the fields for which the sides have no algorithm in common.
    pub(crate) no_match: Vec<&'static str>,
    /// Not all of the handshake was seen: bytes or a side are missing from the capture, or the
    /// connection ended early.
    pub(crate) incomplete: bool,
    /// Names of the fields that were cut at a limit.
    pub(crate) truncated: Vec<&'static str>,
}
