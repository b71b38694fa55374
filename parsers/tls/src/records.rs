//! What the parser emits.

use std::net::IpAddr;

use flowcell_sdk::prelude::*;

/// A handshake of TLS or SSL: what was offered, what was chosen, and who presented which certificates.
///
/// Emitted once a connection: when both sides have begun to encrypt, or else when the connection ends.
/// What only a side says that was not captured is absent.
#[derive(Debug, Record)]
pub(crate) struct Handshake<'a> {
    /// The version that the server chose: `SSLv3`, `TLSv10` to `TLSv13`; `SSLv2` if it answered in that.
    pub(crate) version: Option<String>,
    /// The cipher suite that the server chose, by IANA's name.
    pub(crate) cipher: Option<String>,
    /// The group of the key exchange that the server chose: a curve, or one of RFC 7919 or ML-KEM.
    pub(crate) curve: Option<String>,
    /// The host name that the client asks for (RFC 6066); with ECH (RFC 9849) the one that everybody may see.
    pub(crate) server_name: Option<Text<'a>>,
    /// An earlier session was resumed, by id, by ticket or by pre-shared key.
    pub(crate) resumed: bool,
    /// What the last alert says that was not encrypted.
    pub(crate) last_alert: Option<String>,
    /// The protocol that the server chose by ALPN (RFC 7301). TLS 1.3 encrypts it.
    pub(crate) next_protocol: Option<Text<'a>>,
    /// The handshake was completed. Up to TLS 1.2: both sides have changed ciphers and sent Finished. TLS 1.3,
    /// which encrypts that: both have sent encrypted records after the ServerHello, the client one that is
    /// large enough to be its Finished and no alert.
    pub(crate) established: bool,
    /// Zeek's letters for messages that were not encrypted, in the order of capture, the client's in upper
    /// case: C, S hellos, J HelloRetryRequest, X certificates, K, G key exchanges, R certificate request,
    /// Y certificate verify, N ServerHelloDone, T ticket, U certificate status, I change of cipher, L alert,
    /// B heartbeat. It begins with `^` if the endpoint that was connected to is the client. At most 100.
    pub(crate) ssl_history: String,
    /// The server's certificates, in the order sent. TLS 1.3 encrypts them.
    pub(crate) cert_chain: Vec<Certificate<'a>>,
    /// The client's certificates, likewise.
    pub(crate) client_cert_chain: Vec<Certificate<'a>>,
    /// The version in the client's hello, which is at most that of TLS 1.2 (771); 2 in one of SSL 2.0.
    pub(crate) client_version: Option<u16>,
    /// The versions in the client's extension supported_versions.
    pub(crate) client_supported_versions: &'a Numbers,
    /// The cipher suites that the client offers, without those of SSL 2.0.
    pub(crate) client_ciphers: &'a Numbers,
    /// The client's extensions, in the order of its hello.
    pub(crate) ssl_client_exts: &'a Numbers,
    /// The groups that the client supports.
    pub(crate) client_curves: &'a Numbers,
    /// The groups for which the client sent a key share.
    pub(crate) client_key_share_groups: &'a Numbers,
    /// The point formats that the client supports.
    pub(crate) point_formats: &'a Numbers,
    /// The signature algorithms that the client supports.
    pub(crate) sigalgs: &'a Numbers,
    /// The protocols that the client offers by ALPN.
    pub(crate) orig_alpn: Vec<Text<'a>>,
    /// The server's extensions, in the order of its hello.
    pub(crate) ssl_server_exts: &'a Numbers,
    /// JA3 of the client's first hello. Absent, as the following, if the hello is not all there or has the form of
    /// SSL 2.0.
    pub(crate) ja3: Option<String>,
    /// The line of which `ja3` is the MD5.
    pub(crate) ja3_full: Option<String>,
    /// JA3S of the server's hello.
    pub(crate) ja3s: Option<String>,
    /// The line of which `ja3s` is the MD5.
    pub(crate) ja3s_full: Option<String>,
    /// JA4 of the client's first hello.
    pub(crate) ja4: Option<String>,
    /// The alerts that were not encrypted.
    pub(crate) alerts: Vec<Alert>,
    /// The server asked for another hello (HelloRetryRequest).
    pub(crate) hello_retry: bool,
    /// The client offers to send data before the handshake is completed.
    pub(crate) early_data: bool,
    /// The client's hello has another one in it, encrypted (ECH), or pretends so.
    pub(crate) ech: bool,
    /// The client's hello has the form of SSL 2.0.
    pub(crate) sslv2: bool,
    /// Bytes of the handshake are missing from the capture, or a message was cut off. A side of which nothing was
    /// captured does not count.
    pub(crate) incomplete: bool,
    /// Names of the fields that were cut at a limit.
    pub(crate) truncated: Vec<&'static str>,
}

/// A list of numbers.
pub(crate) type Numbers = Vec<u16>;

/// An alert.
#[derive(Debug, Clone, Record)]
pub(crate) struct Alert {
    /// Who sent it: `client` or `server`.
    pub(crate) from: &'static str,
    /// `warning` or `fatal`.
    pub(crate) level: String,
    /// What it says, for instance `handshake_failure`.
    pub(crate) description: String,
}

/// An X.509 certificate. What it does not say, or not in a way that can be understood, is absent.
#[derive(Debug, Record)]
pub(crate) struct Certificate<'a> {
    /// SHA-256 of the certificate, in hexadecimal; absent if bytes of it are missing.
    pub(crate) fingerprint: Option<&'a str>,
    /// 1, 2 or 3.
    pub(crate) version: Option<u64>,
    /// The serial number in hexadecimal.
    pub(crate) serial: Option<&'a str>,
    /// The subject's name, in the form of RFC 4514: the last part first, `\` before what has a meaning, other
    /// than ASCII as `\` and two digits a byte of UTF-8.
    pub(crate) subject: Option<&'a str>,
    /// The issuer's name, likewise.
    pub(crate) issuer: Option<&'a str>,
    /// Start of validity, in UTC (RFC 3339).
    pub(crate) not_valid_before: Option<&'a str>,
    /// End of validity, likewise.
    pub(crate) not_valid_after: Option<&'a str>,
    /// The key's algorithm, by OpenSSL's name, for instance `rsaEncryption`.
    pub(crate) key_alg: Option<&'a str>,
    /// The signature's algorithm, by OpenSSL's name, for instance `sha256WithRSAEncryption`.
    pub(crate) sig_alg: Option<&'a str>,
    /// `rsa`, `dsa`, `ecdsa`, `ed25519` or `ed448`.
    pub(crate) key_type: Option<&'a str>,
    /// Bits of an RSA modulus, a DSA prime or a curve's order.
    pub(crate) key_length: Option<u64>,
    /// The exponent of an RSA key.
    pub(crate) exponent: Option<u64>,
    /// The curve of an ECDSA key, by OpenSSL's name.
    pub(crate) curve: Option<&'a str>,
    /// Alternative names: DNS.
    pub(crate) san_dns: Vec<Text<'a>>,
    /// Alternative names: URIs.
    pub(crate) san_uri: Vec<Text<'a>>,
    /// Alternative names: mail addresses.
    pub(crate) san_email: Vec<Text<'a>>,
    /// Alternative names: IP addresses.
    pub(crate) san_ip: Vec<IpAddr>,
    /// Basic constraints: it is a certificate authority's. Absent if there are none.
    pub(crate) basic_constraints_ca: Option<bool>,
    /// Basic constraints: how many authorities may follow below it.
    pub(crate) basic_constraints_path_len: Option<u64>,
    /// It can not be understood to its end.
    pub(crate) malformed: bool,
}
