//! Names of what TLS numbers: those of IANA's registries, in Zeek's spelling.

/// RFC 8701 §2: values that mean nothing and keep others from being rejected.
pub(crate) fn is_grease(code: u16) -> bool {
    code & 0x0f0f == 0x0a0a && code >> 8 == code & 0xff
}

pub(crate) fn grease(code: u16) -> String {
    let mut text = String::from("grease_0x");
    for shift in [12, 8, 4, 0] {
        let digit = char::from_digit(u32::from(code >> shift & 15), 16).unwrap_or('0');
        text.push(digit.to_ascii_uppercase());
    }
    text
}

pub(crate) fn unknown(code: u16) -> String {
    ["unknown-", &code.to_string()].concat()
}

pub(crate) const TLS13: u16 = 0x0304;

/// TLS 1.3 or one of its drafts: 0x7fNN, and Google's and Facebook's own.
pub(crate) fn is_tls13(version: u16) -> bool {
    matches!(version, TLS13..=0x03ff | 0x7e00..=0x7fff | 0xfb00..=0xfbff)
}

/// The name of a protocol version.
pub(crate) fn version(code: u16) -> String {
    let name = match code {
        0x0002 => "SSLv2",
        0x0300 => "SSLv3",
        0x0301 => "TLSv10",
        0x0302 => "TLSv11",
        0x0303 => "TLSv12",
        TLS13 => "TLSv13",
        0x7f00..=0x7fff => return ["TLSv13-draft", &(code & 0xff).to_string()].concat(),
        _ => return unknown(code),
    };
    name.to_owned()
}

/// The name of a group of a key exchange (RFC 8446 §4.2.7, RFC 8422, RFC 7919).
pub(crate) fn group(code: u16) -> String {
    const FROM_1: [&str; 41] = [
        "sect163k1",
        "sect163r1",
        "sect163r2",
        "sect193r1",
        "sect193r2",
        "sect233k1",
        "sect233r1",
        "sect239k1",
        "sect283k1",
        "sect283r1",
        "sect409k1",
        "sect409r1",
        "sect571k1",
        "sect571r1",
        "secp160k1",
        "secp160r1",
        "secp160r2",
        "secp192k1",
        "secp192r1",
        "secp224k1",
        "secp224r1",
        "secp256k1",
        "secp256r1",
        "secp384r1",
        "secp521r1",
        "brainpoolP256r1",
        "brainpoolP384r1",
        "brainpoolP512r1",
        "x25519",
        "x448",
        "brainpoolP256r1tls13",
        "brainpoolP384r1tls13",
        "brainpoolP512r1tls13",
        "GC256A",
        "GC256B",
        "GC256C",
        "GC256D",
        "GC512A",
        "GC512B",
        "GC512C",
        "curveSM2",
    ];
    let name = match code {
        1..=41 => FROM_1.get(usize::from(code) - 1).copied().unwrap_or_default(),
        256 => "ffdhe2048",
        257 => "ffdhe3072",
        258 => "ffdhe4096",
        259 => "ffdhe6144",
        260 => "ffdhe8192",
        512 => "MLKEM512",
        513 => "MLKEM768",
        514 => "MLKEM1024",
        4587 => "SecP256r1MLKEM768",
        4588 => "X25519MLKEM768",
        4589 => "SecP384r1MLKEM1024",
        4590 => "curveSM2MLKEM768",
        16696 => "CECPQ2",
        25497 => "X25519Kyber768Draft00",
        25498 => "SecP256r1Kyber768Draft00",
        0xff01 => "arbitrary_explicit_prime_curves",
        0xff02 => "arbitrary_explicit_char2_curves",
        _ if is_grease(code) => return grease(code),
        _ => return unknown(code),
    };
    name.to_owned()
}

/// The name of an alert's level (RFC 8446 §6).
pub(crate) fn alert_level(code: u8) -> String {
    match code {
        1 => "warning".to_owned(),
        2 => "fatal".to_owned(),
        _ => unknown(code.into()),
    }
}

/// What an alert says (RFC 8446 §6 and what it obsoletes).
pub(crate) fn alert(code: u8) -> String {
    known_alert(code).map_or_else(|| unknown(code.into()), str::to_owned)
}

pub(crate) fn known_alert(code: u8) -> Option<&'static str> {
    let name = match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        117 => "general_error",
        120 => "no_application_protocol",
        121 => "ech_required",
        _ => return None,
    };
    Some(name)
}

/// Zeek's letter for a handshake message, in lower case (`ssl_history`).
pub(crate) fn letter(message: u8) -> u8 {
    match message {
        0 => b'h',
        1 => b'c',
        2 => b's',
        3 => b'v',
        4 => b't',
        5 => b'e',
        6 => b'j',
        8 => b'o',
        11 => b'x',
        12 => b'k',
        13 => b'r',
        14 => b'n',
        15 => b'y',
        16 => b'g',
        20 => b'f',
        21 => b'w',
        22 => b'u',
        23 => b'a',
        24 => b'p',
        254 => b'm',
        _ => b'z',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_values_are_grease() {
        let all: Vec<u16> = (0..=u16::MAX).filter(|code| is_grease(*code)).collect();
        assert_eq!(all.len(), 16);
        assert_eq!((all[0], all[15]), (0x0a0a, 0xfafa));
        assert_eq!(grease(0xdada), "grease_0xDADA");
    }

    #[test]
    fn versions() {
        assert_eq!(version(0x0304), "TLSv13");
        assert_eq!(version(0x7f17), "TLSv13-draft23");
        assert_eq!(version(0xfefd), "unknown-65277");
        assert!(
            is_tls13(0x7f1c)
                && is_tls13(0x7e01)
                && is_tls13(0x0304)
                && !is_tls13(0x0303)
                && !is_tls13(0xfefc)
        );
    }

    #[test]
    fn groups() {
        assert_eq!(group(23), "secp256r1");
        assert_eq!(group(29), "x25519");
        assert_eq!(group(41), "curveSM2");
        assert_eq!(group(0x2a2a), "grease_0x2A2A");
        assert_eq!(group(42), "unknown-42");
    }
}
