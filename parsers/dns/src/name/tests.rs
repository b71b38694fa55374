use super::*;

/// The name at `start` of a message with these bytes behind its header.
fn name(bytes: &[u8], start: usize) -> Result<(String, usize), &'static str> {
    let message = [&[0; HEADER], bytes].concat();
    let mut out = Vec::new();
    let behind = read(&message, HEADER + start, &mut out)?;
    Ok((String::from_utf8_lossy(&out).into_owned(), behind - HEADER))
}

#[test]
fn labels() {
    assert_eq!(name(b"\x03www\x07example\0", 0), Ok(("www.example".into(), 13)));
    assert_eq!(name(b"\0", 0), Ok((".".into(), 1)));
}

#[test]
fn escapes() {
    let shown = r"a\.b.\\\;\@\$\(\)\034";
    let shown = shown.replace(r"\034", "\\\"");
    assert_eq!(name(b"\x03a.b\x07\\;@$()\"\0", 0), Ok((shown, 13)));
    assert_eq!(name(b"\x04 \0\xff\x7f\0", 0), Ok((r"\032\000\255\127".into(), 6)));
}

#[test]
fn pointers_lead_backwards() {
    let bytes = b"\x03com\0\x01a\xc0\x0c\x01b\xc0\x11";
    assert_eq!(name(bytes, 5), Ok(("a.com".into(), 9)));
    assert_eq!(name(bytes, 9), Ok(("b.a.com".into(), 13)));
}

#[test]
fn loops_are_refused() {
    let backwards = Err("a compression pointer does not lead backwards");
    assert_eq!(name(b"\xc0\x0c", 0), backwards, "to itself");
    assert_eq!(name(b"\x01a\xc0\x0c", 0), backwards, "to the start of the same labels");
    assert_eq!(name(b"\x01a\xc0\x0e", 0), backwards, "to within the same labels");
    assert_eq!(name(b"\xc0\x10\0\0\x01a\0", 0), backwards, "forwards");
    assert_eq!(name(b"\xc0\x0e\xc0\x0c", 2), backwards, "of two to each other");
    assert_eq!(name(b"\xc0\x00", 0), Err("a compression pointer leads into the header"));
}

#[test]
fn long_ways_are_refused() {
    // The root, and pointers that each lead to the one before.
    let chain = |pointers: u16| {
        let steps = (0..pointers).flat_map(|index| (0xc000 | (12 + 2 * index)).to_be_bytes());
        let bytes: Vec<u8> = [0, 0].into_iter().chain(steps).collect();
        name(&bytes, bytes.len() - 2).map(|(name, _)| name)
    };
    assert_eq!(chain(127), Ok(".".into()));
    assert_eq!(chain(128), Err("a name has too many compression pointers"));
}

#[test]
fn length_limits() {
    // Three labels of 63 and one of 61 make 255 octets with the root.
    let label = |length: u8| [&[length][..], &vec![b'a'; usize::from(length)]].concat();
    let fits = [label(63), label(63), label(63), label(61), vec![0]].concat();
    assert_eq!(name(&fits, 0).map(|(_, behind)| behind), Ok(255));
    let over = [label(63), label(63), label(63), label(62), vec![0]].concat();
    assert_eq!(name(&over, 0), Err("a name is longer than 255 bytes"));
}

#[test]
fn cut_off_anywhere() {
    let bytes = b"\x03www\x07example\xc0\x0c";
    for length in 0..bytes.len() {
        assert_eq!(name(&bytes[..length], 0), Err(CUT), "{length} bytes");
    }
    assert_eq!(name(b"\x80", 0), Err("a label is of unknown type"));
    assert_eq!(name(b"\x41\x08", 0), Err("a label is of unknown type"));
}
