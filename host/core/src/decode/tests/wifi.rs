//! IEEE 802.11.

use super::*;

const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

/// A data frame with the two bytes of frame control, and `more` bytes behind the first 24.
fn data(control: [u8; 2], more: &[u8]) -> Vec<u8> {
    cat!(control, [0; 22], more, SNAP, ip4_tcp(b"payload"))
}

#[test]
fn data_frames_of_any_header_length_decode() {
    for (control, more) in [
        ([0x08, 0x01], 0),
        ([0x08, 0x02], 0),
        ([0x08, 0x03], 6),
        ([0x88, 0x01], 2),
        ([0x88, 0x03], 8),
        ([0x88, 0x83], 12),
        // Without quality of service the order bit means something else.
        ([0x08, 0x81], 0),
        // Data with an acknowledgment for the access point.
        ([0x18, 0x02], 0),
    ] {
        let told = tell_frame(LinkType::IEEE802_11, &data(control, &[0; 12][..more]));
        assert_eq!(told, TCP, "{control:x?}");
    }
}

#[test]
fn frames_that_can_not_be_read_are_told() {
    let mut second_fragment = data([0x08, 0x01], &[]);
    second_fragment[22] = 0x11;
    for (bytes, text) in [
        (data([0x80, 0], &[]), "unsupported 0x8000"),
        (data([0xd4, 0], &[]), "unsupported 0xd400"),
        (data([0x48, 0], &[]), "unsupported 0x4800"),
        (data([0xc8, 0], &[]), "unsupported 0xc800"),
        (data([0x08, 0x41], &[]), "unsupported 0x0841"),
        (data([0x08, 0x05], &[]), "unsupported 0x0805"),
        (data([0x88, 0x01], &[0x80, 0]), "unsupported 0x8801"),
        (second_fragment, "unsupported 0x0801"),
    ] {
        assert_eq!(tell_frame(LinkType::IEEE802_11, &bytes), text);
    }
}

#[test]
fn radiotap_flags_tell_of_padding_and_check_sequence() {
    let padded = data([0x88, 0x01], &[0; 4]);
    // Present: time and flags, and a second word of nothing.
    let header = cat!([0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0], [0; 4], [9; 8], [0x30],);
    let bytes = cat!(header, padded, [0xee; 4]);
    assert_eq!(tell_frame(LinkType::IEEE802_11_RADIOTAP, &bytes), TCP);
    // The check sequence is not part of what IP can claim.
    let mut claims_more = bytes.clone();
    let at = bytes.len() - 4 - 47;
    claims_more[at + 3] += 4;
    let packet = packet(&frame(LinkType::IEEE802_11_RADIOTAP, &claims_more));
    assert_eq!((payload(&packet).0, packet.length_exceeds_frame), (&b"payload"[..], true));
    // No flags.
    let bytes = cat!([0, 0, 8, 0, 0, 0, 0, 0], data([0x08, 0x01], &[]));
    assert_eq!(tell_frame(LinkType::IEEE802_11_RADIOTAP, &bytes), TCP);
}
