//! Data as the RFCs show it.

use super::*;

/// Data of a type behind a message's header, and `example.` at byte 12 for pointers.
fn shown(rtype: u16, data: &[u8]) -> (String, Result<(), &'static str>) {
    let before = b"\0\0\0\0\0\0\0\0\0\0\0\0\x07example\0";
    let message = [before, data, b"\x03not\x02of\x02it\0"].concat();
    let mut out = b"before".to_vec();
    let at = before.len();
    let outcome = show(Rdata { message: &message, at, end: at + data.len() }, rtype, &mut out);
    let text = String::from_utf8_lossy(out.strip_prefix(b"before").unwrap_or(b"?"));
    (text.into_owned(), outcome)
}

#[track_caller]
fn shows(rtype: u16, data: &[u8], text: &str) {
    assert_eq!(shown(rtype, data), (text.into(), Ok(())));
}

#[track_caller]
fn faulty(rtype: u16, data: &[u8], text: &str, fault: &'static str) {
    assert_eq!(shown(rtype, data), (text.into(), Err(fault)));
}

const SOA: u16 = 6;
const TXT: u16 = 16;
const SVCB: u16 = 64;

#[test]
fn addresses_and_names() {
    shows(1, &[192, 0, 2, 1], "192.0.2.1");
    shows(28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "2001:db8::1");
    shows(2, b"\x02ns\xc0\x0c", "ns.example");
    shows(5, b"\xc0\x0c", "example");
    shows(12, b"\0", ".");
    shows(15, b"\x00\x0a\x04mail\xc0\x0c", "10 mail.example");
    shows(33, b"\0\0\0\x05\x13\xc4\x03sip\xc0\x0c", "0 5 5060 sip.example");
    shows(17, b"\xc0\x0c\0", "example .");
}

/// Each of the five numbers is its own.
#[test]
fn start_of_authority() {
    let numbers = [11u32, 22, 33, 44, 55].map(u32::to_be_bytes).concat();
    let data = [b"\x02ns\xc0\x0c\x05a.b.c\xc0\x0c", &numbers[..]].concat();
    shows(SOA, &data, r"ns.example a\.b\.c.example 11 22 33 44 55");
}

#[test]
fn texts() {
    shows(TXT, b"\x06v=spf1\x00\x04a\"\\\xe9", r#""v=spf1" "" "a\"\\\233""#);
    shows(13, b"\x03PDP\x04UNIX", r#""PDP" "UNIX""#);
    shows(35, b"\0\x64\0\x32\x01s\x08SIPS+D2T\0\0", r#"100 50 "s" "SIPS+D2T" "" ."#);
    shows(257, b"\x80\x05issueca.example; a=b", r#"128 issue "ca.example; a=b""#);
    shows(256, b"\0\x0a\0\x01https://example/", r#"10 1 "https://example/""#);
}

/// RFC 4034 §2.3, §3.3, §4.3, §5.4; RFC 5155 §3.3.
#[test]
fn signatures() {
    shows(48, &[1, 0, 3, 5, 1, 2, 3, 4], "256 3 5 AQIDBA==");
    shows(43, &[0xec, 0x45, 5, 1, 0x2b, 0xb1], "60485 5 1 2BB1");
    let times = [1_045_803_783u32, 1_043_211_783].map(u32::to_be_bytes).concat();
    let rrsig =
        [&[0, 1, 5, 3, 0, 1, 0x51, 0x80], &times[..], &[0x0a, 0x52], b"\xc0\x0c\xff\xff"].concat();
    shows(46, &rrsig, "A 5 3 86400 20030221050303 20030122050303 2642 example //8=");
    // alfa.example.com. 86400 IN NSEC host.example.com. ( A MX RRSIG NSEC TYPE1234 )
    let bitmaps = [&[0, 6, 0x40, 1, 0, 0, 0, 3, 4, 0x1b][..], &[0; 0x1a], &[0x20]];
    let nsec = [b"\x04host\xc0\x0c", &bitmaps.concat()[..]].concat();
    shows(47, &nsec, "host.example A MX RRSIG NSEC TYPE1234");
    shows(47, b"\xc0\x0c", "example");
    let nsec3 = [&[1, 1, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd, 5][..], b"fooba\0\x01\x40"].concat();
    shows(50, &nsec3, "1 1 12 AABBCCDD CPNMUOJ1 A");
    shows(51, &[1, 0, 0, 0, 0], "1 0 0 -");
    faulty(47, b"\0\0\0", r"\# 3 000000", "a type bitmap is not of 1 to 32 bytes");
}

#[test]
fn keys_and_certificates() {
    shows(52, &[3, 1, 1, 0xab, 0xcd], "3 1 1 ABCD");
    shows(44, &[4, 2, 0x12], "4 2 12");
    shows(37, &[0, 1, 0, 2, 8, b'f'], "1 2 8 Zg==");
    shows(61, b"foobar", "Zm9vYmFy");
    shows(108, &[0, 0x11, 0x22, 0xab, 0xcd, 0xef], "00-11-22-AB-CD-EF");
    shows(104, &[0, 10, 0, 0x14, 0x4f, 0xff, 0xff, 0x20, 0xee, 0x64], "10 0014:4FFF:FF20:EE64");
    let tsig =
        [b"\xc0\x0c\0\0", &1_000_000u32.to_be_bytes()[..], b"\x01\x2c\0\x03foo\0\x07\0\0\0\0"];
    shows(250, &tsig.concat(), "example 1000000 300 3 Zm9v 7 0 0");
}

/// RFC 9460 appendix D.
#[test]
fn services() {
    shows(SVCB, b"\0\0\x03foo\xc0\x0c", "0 foo.example");
    shows(65, b"\0\x01\0", "1 .");
    shows(SVCB, b"\0\x10\x03foo\xc0\x0c\0\x03\0\x02\0\x35", "16 foo.example port=53");
    shows(SVCB, b"\0\x01\x03foo\xc0\x0c\x02\x9b\0\x05hello", "1 foo.example key667=\"hello\"");
    shows(
        SVCB,
        b"\0\x01\x03foo\xc0\x0c\x02\x9b\0\x09hello\xd2qoo",
        r#"1 foo.example key667="hello\210qoo""#,
    );
    let hints = b"\0\x06\0\x20\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x53\0\x01";
    shows(
        SVCB,
        &[b"\0\x01\x03foo\xc0\x0c", &hints[..]].concat(),
        "1 foo.example ipv6hint=2001:db8::1,2001:db8::53:1",
    );
    shows(
        SVCB,
        b"\0\x10\xc0\x0c\0\0\0\x04\0\x01\0\x04\0\x01\0\x09\x02h2\x05h3-19\0\x04\0\x04\xc0\0\x02\x01",
        "16 example mandatory=alpn,ipv4hint alpn=h2,h3-19 ipv4hint=192.0.2.1",
    );
    shows(
        SVCB,
        b"\0\x10\xc0\x0c\0\x01\0\x0c\x08f\\oo,bar\x02h2\0\x02\0\0",
        r"16 example alpn=f\\\\oo\\,bar,h2 no-default-alpn",
    );
    faulty(
        SVCB,
        b"\0\x01\0\0\x03\0\x03\0\x35\0",
        r"\# 10 00010000030003003500",
        "a service parameter is too long",
    );
}

/// RFC 1876 §4.
#[test]
fn locations() {
    let angle = |degrees: u32, minutes: u32, seconds: u32| {
        ((degrees * 60 + minutes) * 60 + seconds) * 1_000
    };
    let middle = 1u32 << 31;
    let place = [middle + angle(42, 21, 54), middle - angle(71, 6, 18), 10_000_000 - 2_400];
    let place = place.map(u32::to_be_bytes).concat();
    let data = [&[0, 0x33, 0x16, 0x13], &place[..]].concat();
    shows(29, &data, "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m");
    let data = [&[1, 0x33, 0x16, 0x13], &place[..]].concat();
    assert!(shown(29, &data).1.is_err());
    assert!(shown(29, &data[..15]).1.is_err());
}

/// RFC 3597 §5.
#[test]
fn unknown_types() {
    shows(731, &[0xab, 0xcd, 0xef, 1, 0x23, 0x45], r"\# 6 ABCDEF012345");
    shows(62347, b"", r"\# 0");
    shows(10, b"a", r"\# 1 61");
}

#[test]
fn data_that_is_too_short_or_too_long() {
    faulty(1, &[1, 2, 3], r"\# 3 010203", SHORT);
    faulty(1, &[1, 2, 3, 4, 5], r"\# 5 0102030405", "the data is too long for its type");
    faulty(15, b"\x00\x0a\x04mail", r"\# 7 000A046D61696C", SHORT);
    faulty(TXT, b"\x05abc", r"\# 4 05616263", SHORT);
    faulty(5, b"", r"\# 0", SHORT);
    faulty(2, b"\xc0\x17", r"\# 2 C017", "a compression pointer does not lead backwards");
}
