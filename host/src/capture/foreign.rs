//! What a file is when it is not a capture, so that its error can say what to do.

/// How a kind of file starts, what it is, and what to do with it.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\xfd7zXZ\0", "it is xz-compressed; decompress it first (xz -dc FILE | flowcell run -r -)"),
    (b"BZh", "it is bzip2-compressed; decompress it first (bzip2 -dc FILE | flowcell run -r -)"),
    (
        b"\x02\x21\x4c\x18",
        "it is compressed with the legacy format of lz4; decompress it first (lz4 -dc FILE | flowcell run -r -)",
    ),
    (b"PK\x03\x04", "it is a zip archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive; unpack it first"),
    (
        b"btsnoop\0",
        "it is a Bluetooth btsnoop log; convert it first (editcap -F pcapng FILE new.pcapng)",
    ),
    (
        b"iptrace ",
        "it is an AIX iptrace capture; convert it first (editcap -F pcapng FILE new.pcapng)",
    ),
    (
        b"GMBU",
        "it is a Network Monitor capture; convert it first (editcap -F pcapng FILE new.pcapng)",
    ),
    (
        b"RTSS",
        "it is a Network Monitor capture; convert it first (editcap -F pcapng FILE new.pcapng)",
    ),
    (b"XCP\0", "it is a NetXRay capture; convert it first (editcap -F pcapng FILE new.pcapng)"),
    (b"\0asm", "it is a WebAssembly file; give parsers with --parsers, captures with -r"),
    (b"\x7fELF", "it is a program; check the path"),
];

/// How many bytes from the start of a file [`hint`] wants to see.
pub(super) const PEEK: usize = 512;

/// Says what a file that starts with `head` looks like, and the cure.
pub(super) fn hint(head: &[u8]) -> String {
    let head = head.get(..PEEK).unwrap_or(head);
    if let Some((_, hint)) = SIGNATURES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return (*hint).to_owned();
    }
    if head.get(257..262) == Some(b"ustar") {
        return "it is a tar archive; unpack it first".to_owned();
    }
    if is_text(head) {
        return "it is a text file; check the path, or make a capture of a hex dump with text2pcap"
            .to_owned();
    }
    let start: Vec<String> = head.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!(
        "it starts with the bytes {}; check the path, or convert it with Wireshark's editcap -F \
         pcapng",
        start.join(" ")
    )
}

/// Whether all of `head` is printable text; a character cut off at its end is forgiven.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() && head.len() == PEEK => {
            std::str::from_utf8(head.get(..e.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_kinds_are_named_with_their_cure() {
        for (head, wanted) in [
            (&b"\xfd7zXZ\0\0"[..], "xz -dc"),
            (b"\x02\x21\x4c\x18\0", "legacy format of lz4"),
            (b"btsnoop\0\0\0\0\x01", "btsnoop"),
            (b"\0asm\x01\0\0\0", "--parsers"),
            (b"{\"ts\": \"2026\"}\n", "text file"),
            (b"\xde\xad\xbe\xef\0", "de ad be ef"),
        ] {
            assert!(hint(head).contains(wanted), "{head:?}: {}", hint(head));
        }
    }

    #[test]
    fn text_may_be_cut_inside_a_character() {
        let mut head = "é".repeat(PEEK / 2 + 1).into_bytes();
        head.insert(0, b'x');
        head.truncate(PEEK);
        assert!(is_text(&head));
        assert!(!is_text(b"\xff\xfe"));
        assert!(!is_text(b"\0\0\0\0"));
    }
}
