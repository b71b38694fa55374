//! JA4: what a client's hello looks like, whatever the order of its lists.
//!
//! The method is FoxIO's (BSD 3-clause; of their family of fingerprints only this one is). It is three
//! parts: what can be read at once, a digest of the cipher suites, and a digest of the extensions with the
//! signature algorithms.

use flowcell_sdk::hex;

use crate::client_hello::ClientHello;
use crate::digest;
use crate::names::is_grease;

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// The fingerprint. `None` if the hello is not all there, or has another form.
pub(crate) fn client(hello: &ClientHello) -> Option<String> {
    if !hello.whole || hello.sslv2 {
        return None;
    }
    let shortened = |text: &str| match text {
        "" => "0".repeat(12),
        text => digest::sha256(text.as_bytes()).chars().take(12).collect(),
    };
    let [readable, ciphers, extensions] = parts(hello);
    Some([&readable, "_", &shortened(&ciphers), "_", &shortened(&extensions)].concat())
}

/// The first part, and what the digests of the other two are of.
fn parts(hello: &ClientHello) -> [String; 3] {
    let ciphers = meaningful(&hello.ciphers);
    let extensions = meaningful(&hello.extensions);
    let mut readable = String::from("t");
    readable.push_str(version(hello));
    readable.push(if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' });
    push_count(ciphers.len(), &mut readable);
    push_count(extensions.len(), &mut readable);
    let protocol = hello.alpn.iter().find(|name| !is_grease_name(name));
    push_protocol(protocol.map_or(&[], Vec::as_slice), &mut readable);

    let others = extensions.into_iter().filter(|code| !matches!(*code, SERVER_NAME | ALPN));
    let mut extensions = sorted(others.collect());
    let algorithms = meaningful(&hello.signature_algorithms);
    if !extensions.is_empty() && !algorithms.is_empty() {
        extensions.push('_');
        extensions.push_str(&listed(&algorithms));
    }
    [readable, sorted(ciphers), extensions]
}

/// RFC 8701 §2: protocols are two bytes.
fn is_grease_name(name: &[u8]) -> bool {
    <[u8; 2]>::try_from(name).is_ok_and(|name| is_grease(u16::from_be_bytes(name)))
}

fn meaningful(list: &[u16]) -> Vec<u16> {
    list.iter().copied().filter(|code| !is_grease(*code)).collect()
}

fn sorted(mut list: Vec<u16>) -> String {
    list.sort_unstable();
    listed(&list)
}

fn listed(list: &[u16]) -> String {
    let mut text = String::new();
    for code in list {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&hex(&code.to_be_bytes()));
    }
    text
}

/// The highest version of extension supported_versions, or else that of the hello.
fn version(hello: &ClientHello) -> &'static str {
    let highest = meaningful(&hello.versions).into_iter().max();
    match highest.unwrap_or(hello.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

fn push_count(count: usize, text: &mut String) {
    let count = count.min(99);
    for digit in [count / 10, count % 10] {
        text.push(char::from_digit(u32::try_from(digit).unwrap_or(0), 10).unwrap_or('0'));
    }
}

/// First and last character of a protocol's name, or, if one of them is no letter and no digit, the first
/// and last digit of its hexadecimal form.
fn push_protocol(name: &[u8], text: &mut String) {
    let (Some(first), Some(last)) = (name.first(), name.last()) else {
        text.push_str("00");
        return;
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        text.push(char::from(*first));
        text.push(char::from(*last));
        return;
    }
    let digits = hex(&[*first, *last]);
    text.extend(digits.chars().next());
    text.extend(digits.chars().last());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the published description, with GREASE added.
    fn example() -> ClientHello {
        ClientHello {
            whole: true,
            version: 0x0303,
            versions: vec![0xfafa, 0x0303, 0x0304],
            alpn: vec![b"\x6a\x6a".to_vec(), b"h2".to_vec(), b"http/1.1".to_vec()],
            ciphers: vec![
                0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005,
                0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
            ],
            signature_algorithms: vec![
                0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
            ],
            ..ClientHello::default()
        }
    }

    fn of(hello: &ClientHello) -> String {
        client(hello).expect("fingerprint")
    }

    #[test]
    fn the_published_example() {
        assert_eq!(of(&example()), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn without_signature_algorithms() {
        let hello = ClientHello { signature_algorithms: vec![], ..example() };
        assert_eq!(of(&hello), "t13d1516h2_8daaf6152771_6d807ffa2a79");
    }

    #[test]
    fn empty_lists_are_zeros() {
        let hello = ClientHello { whole: true, version: 0x0300, ..ClientHello::default() };
        assert_eq!(of(&hello), "ts3i000000_000000000000_000000000000");
        let hello = ClientHello { extensions: vec![0, 16], ..hello };
        assert_eq!(of(&hello), "ts3d000200_000000000000_000000000000");
    }

    #[test]
    fn protocols() {
        for (name, wanted) in [
            (&b""[..], "00"),
            (b"h2", "h2"),
            (b"http/1.1", "h1"),
            (b"x", "xx"),
            (b"\xab", "ab"),
            (b"\xab\xcd", "ad"),
            (b"\x30\xab", "3b"),
            (b"\x30\x31\xab\xcd", "3d"),
            (b"\x30\xab\xcd\x31", "01"),
        ] {
            let mut text = String::new();
            push_protocol(name, &mut text);
            assert_eq!(text, wanted, "{name:x?}");
        }
    }

    #[test]
    fn counts_end_at_99() {
        let hello = ClientHello { ciphers: (1..=150).collect(), ..example() };
        assert!(of(&hello).starts_with("t13d9916h2_"));
    }

    #[test]
    fn no_fingerprint_of_what_is_not_all_there() {
        assert_eq!(client(&ClientHello { whole: false, ..example() }), None);
        assert_eq!(client(&ClientHello { sslv2: true, ..example() }), None);
    }
}
