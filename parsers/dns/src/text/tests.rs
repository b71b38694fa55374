use std::net::{IpAddr, Ipv6Addr};

use super::*;

fn made(make: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    make(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

#[test]
fn numbers() {
    assert_eq!(made(|out| decimal(out, 0)), "0");
    assert_eq!(made(|out| decimal(out, u64::MAX)), u64::MAX.to_string());
    assert_eq!(made(|out| padded(out, 7, 3)), "007");
    assert_eq!(made(|out| padded(out, 1234, 3)), "1234");
}

/// RFC 4648 §10.
#[test]
fn base_64_and_32() {
    for (bytes, in_64, in_32) in [
        ("", "", ""),
        ("f", "Zg==", "CO"),
        ("fo", "Zm8=", "CPNG"),
        ("foo", "Zm9v", "CPNMU"),
        ("foob", "Zm9vYg==", "CPNMUOG"),
        ("fooba", "Zm9vYmE=", "CPNMUOJ1"),
        ("foobar", "Zm9vYmFy", "CPNMUOJ1E8"),
    ] {
        assert_eq!(made(|out| base64(out, bytes.as_bytes())), in_64);
        assert_eq!(made(|out| base32(out, bytes.as_bytes())), in_32);
    }
}

/// Against the standard library, over every pattern of zero groups.
#[test]
fn addresses() {
    for pattern in 0..256u16 {
        let groups: [u16; 8] =
            std::array::from_fn(|index| if pattern >> index & 1 == 1 { 0x0a0 << index } else { 0 });
        let address_6 = Ipv6Addr::from(groups);
        let shown = made(|out| address(out, IpAddr::V6(address_6)));
        assert_eq!(shown, address_6.to_string());
    }
    assert_eq!(made(|out| address(out, IpAddr::from([192, 0, 2, 255]))), "192.0.2.255");
    let mapped: Ipv6Addr = "::ffff:192.0.2.1".parse().unwrap_or(Ipv6Addr::UNSPECIFIED);
    assert_eq!(made(|out| address(out, mapped.into())), "::ffff:192.0.2.1");
}

#[test]
fn times() {
    for (seconds, shown) in [
        (0, "19700101000000"),
        (951_782_399, "20000228235959"),
        (951_782_400, "20000229000000"),
        (951_868_800, "20000301000000"),
        (1_709_251_199, "20240229235959"),
        (u32::MAX, "21060207062815"),
    ] {
        assert_eq!(made(|out| time(out, seconds)), shown);
    }
}

#[test]
fn texts_in_quotes() {
    assert_eq!(made(|out| quoted(out, b"a \"b\" \\ \xc3\0")), r#""a \"b\" \\ \195\000""#);
}
