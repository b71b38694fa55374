//! IPv4, IPv6, extension headers, fragments and lengths.

use super::*;

#[test]
fn padding_is_ignored() {
    let mut bytes = linked(&[7; 12], 0x0800, &ip4_tcp(b"ab"));
    bytes.extend([0; 20]);
    let packet = packet(&ethernet(&bytes));
    assert_eq!((payload(&packet), packet.ip_len), ((&b"ab"[..], 2), 42));
}

#[test]
fn ipv4_options_are_skipped() {
    let mut bytes = ip4_tcp(b"ab");
    bytes.splice(20..20, [1; 8]);
    bytes[0] = 0x47;
    bytes[3] += 8;
    assert_eq!(payload(&packet(&frame(LinkType::IPV4, &bytes))), (&b"ab"[..], 2));
}

#[test]
fn ipv4_total_length_zero_is_the_rest_of_the_frame() {
    let mut bytes = ip4_tcp(b"segmented later");
    bytes[2..4].fill(0);
    assert_eq!(payload(&packet(&frame(LinkType::RAW, &bytes))).0, b"segmented later");
}

#[test]
fn ipv6_payload_length_zero_is_the_rest_of_the_frame() {
    let mut bytes = ip6_with(6, &[]);
    bytes[4..6].fill(0);
    assert_eq!(payload(&packet(&frame(LinkType::RAW, &bytes))).0, b"data");
}

#[test]
fn cut_by_the_capture_yields_what_there_is() {
    let bytes = linked(&[7; 12], 0x0800, &ip4_tcp(b"payload"));
    let cut = RawFrame { len: bytes.len() as u32, ..ethernet(&bytes[..bytes.len() - 4]) };
    assert!(cut.truncated());
    assert_eq!(payload(&packet(&cut)), (&b"pay"[..], 7));
}

#[test]
fn cut_within_tcp_options_yields_the_header() {
    let mut bytes = Vec::new();
    let tcp = PacketBuilder::ipv4([1; 4], [2; 4], 64).tcp(1, 2, 3, 4);
    tcp.options_raw(&[1; 12]).unwrap().write(&mut bytes, b"data").unwrap();
    let cut = RawFrame { len: bytes.len() as u32, ..frame(LinkType::RAW, &bytes[..46]) };
    assert_eq!(payload(&packet(&cut)), (&b""[..], 4));
}

#[test]
fn fragments_of_ipv4_are_handed_back() {
    for (field, offset, more) in
        [([0x20, 0], 0, true), ([0, 1], 8, false), ([0x3f, 0xff], 65_528, true)]
    {
        let mut bytes = ip4_tcp(b"ab");
        bytes[4..6].copy_from_slice(&[1, 2]);
        bytes[6..8].copy_from_slice(&field);
        bytes[10..12].fill(0);
        let f = fragment(&frame(LinkType::RAW, &bytes));
        assert_eq!((f.id, f.protocol, f.offset, f.more), (0x102, 6, offset, more));
        assert_eq!((f.bytes, f.wire_len, f.ip_len), (&bytes[20..], 22, 42));
        assert_eq!((f.src, f.dst), ([10, 0, 0, 1].into(), [10, 0, 0, 2].into()));
        assert!(f.header_checksum_ok && !f.length_exceeds_frame);
    }
}

#[test]
fn fragments_of_ipv6_are_handed_back() {
    for (field, offset, more) in [([0, 1], 0, true), ([0xff, 0xf8], 65_528, false)] {
        let header = [6, 0, field[0], field[1], 1, 2, 3, 4];
        let bytes = ip6_with(60, &cat!([44, 0, 0, 0, 0, 0, 0, 0], header));
        let f = fragment(&frame(LinkType::RAW, &bytes));
        assert_eq!((f.id, f.protocol, f.offset, f.more), (0x0102_0304, 6, offset, more));
        assert_eq!((f.bytes, f.wire_len, f.ip_len), (&bytes[56..], 24, 80));
    }
}

#[test]
fn fragment_cut_by_the_capture_tells_both_lengths() {
    let mut bytes = ip4_tcp(b"abcdef");
    bytes[6] = 0x20;
    let f = fragment(&RawFrame { len: 46, ..frame(LinkType::RAW, &bytes[..30]) });
    assert_eq!((f.bytes.len(), f.wire_len), (10, 26));
}

#[test]
fn reassembled_packet_goes_on_at_its_protocol() {
    let whole = ip4_tcp(b"payload");
    let (src, dst) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let reassembled =
        |protocol, bytes| decode_reassembled(VlanTags::default(), src, dst, protocol, bytes, 99);
    assert_eq!(tell(reassembled(6, &whole[20..])), TCP);
    assert_eq!(tell(reassembled(4, &whole)), format!("ip_in_ip | {TCP}"));
    let Ok(Decoded::Packet(packet)) = reassembled(6, &whole[20..]) else { panic!() };
    assert_eq!((packet.ip_len, packet.wire_len), (99, 27));
    assert_eq!(packet.checksum(), Checksum::Good);
    let error = reassembled(6, &whole[20..30]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tcp header at byte 0: needs 20 bytes, but only 10 were on the wire"
    );
    // The rest of an IPv6 chain may have been in fragments, too.
    let (src, dst) = ([1; 16].into(), [2; 16].into());
    let chain = cat!([17, 0, 0, 0, 0, 0, 0, 0], ip6_udp(b"x")[40..]);
    let decoded = decode_reassembled(VlanTags::default(), src, dst, 60, &chain, 0);
    let Ok(Decoded::Packet(packet)) = decoded else { panic!("{decoded:?}") };
    assert_eq!((payload(&packet).0, packet.checksum()), (&b"x"[..], Checksum::Good));
}

#[test]
fn ipv4_length_beyond_the_frame_is_believed() {
    let mut bytes = ip4_tcp(b"payload");
    bytes[3] = 60;
    let packet = packet(&frame(LinkType::RAW, &bytes));
    assert_eq!((payload(&packet), packet.ip_len), ((&b"payload"[..], 20), 60));
    assert_eq!((packet.transport.len(), packet.wire_len), (27, 40));
    assert!(packet.length_exceeds_frame);
    assert_eq!(packet.checksum(), Checksum::Unknown);
}

#[test]
fn ipv6_length_beyond_the_frame_is_believed() {
    let mut bytes = ip6_with(6, &[]);
    bytes[5] += 1;
    let packet = packet(&frame(LinkType::RAW, &bytes));
    assert_eq!((payload(&packet), packet.ip_len), ((&b"data"[..], 5), 65));
    assert!(packet.length_exceeds_frame);
}

#[test]
fn header_beyond_the_frame_is_an_error_all_the_same() {
    let bytes = ip4_tcp(b"payload");
    let told = tell_frame(LinkType::RAW, &bytes[..30]);
    assert_eq!(told, "tcp header at byte 20: needs 20 bytes, but only 10 were captured");
}

#[test]
fn udp_length_beyond_the_packet_is_not_believed() {
    let mut bytes = ip6_udp(b"ab");
    bytes[45] = 11;
    let packet = packet(&frame(LinkType::RAW, &bytes));
    assert_eq!((payload(&packet), packet.wire_len), ((&b"ab"[..], 2), 10));
    assert!(!packet.length_exceeds_frame);
}

#[test]
fn header_checksum_is_checked() {
    let ok = |bytes: &[u8]| packet(&frame(LinkType::RAW, bytes)).header_checksum_ok;
    let mut bytes = ip4_tcp(b"ab");
    assert!(ok(&bytes));
    bytes[8] -= 1;
    assert!(!ok(&bytes));
    bytes[10..12].fill(0);
    assert!(ok(&bytes));
    assert!(ok(&ip6_udp(b"ab")));
}

#[test]
fn header_checksum_covers_options() {
    let mut bytes = ip4_tcp(b"ab");
    bytes.splice(20..20, [1; 4]);
    bytes[0] = 0x46;
    bytes[3] += 4;
    bytes[10..12].fill(0);
    let sum = !checksum::sum(&bytes[..24]);
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    assert!(packet(&frame(LinkType::RAW, &bytes)).header_checksum_ok);
    bytes[21] = 0;
    assert!(!packet(&frame(LinkType::RAW, &bytes)).header_checksum_ok);
}

#[test]
fn routing_header_tells_the_final_destination() {
    let dst = |header: &[u8]| packet(&frame(LinkType::RAW, &ip6_with(43, header))).dst;
    let header = |kind, left| cat!([6, 4, kind, left, 0, 0, 0, 0], [3; 16], [4; 16]);
    let (direct, last, first) =
        (IpAddr::from([2; 16]), IpAddr::from([4; 16]), IpAddr::from([3; 16]));
    assert_eq!(dst(&header(0, 1)), last);
    assert_eq!(dst(&header(2, 1)), last);
    assert_eq!(dst(&header(4, 1)), first);
    for arrived_or_unknown in [header(0, 0), header(4, 0), header(3, 1), header(99, 1)] {
        assert_eq!(dst(&arrived_or_unknown), direct);
    }
    assert_eq!(dst(&[6, 0, 0, 1, 0, 0, 0, 0]), direct);
}

#[test]
fn what_can_not_be_read_further_is_handed_back() {
    for (bytes, text) in [
        (ip4(50, b"esp"), "esp 10.0.0.3:0 -> 10.0.0.4:0 esp"),
        (ip4(108, b"comp"), "108 10.0.0.3:0 -> 10.0.0.4:0 comp"),
        // Extension headers are those of IPv6 only.
        (ip4(60, b"x"), "60 10.0.0.3:0 -> 10.0.0.4:0 x"),
        (ip4(44, b"x"), "44 10.0.0.3:0 -> 10.0.0.4:0 x"),
    ] {
        assert_eq!(tell_frame(LinkType::RAW, &bytes), text);
    }
    let bytes = ip6(59, b"");
    let Payload::Other(other) = packet(&frame(LinkType::RAW, &bytes)).payload else { panic!() };
    assert_eq!((other.protocol, other.payload, other.wire_len), (59, &b""[..], 0));
}

#[test]
fn dont_fragment_is_no_fragment() {
    let mut bytes = ip4_tcp(b"ab");
    bytes[6] = 0x40;
    packet(&frame(LinkType::RAW, &bytes));
}

#[test]
fn atomic_fragment_is_a_packet() {
    let bytes = ip6_with(44, &[6, 0, 0, 6, 0, 0, 0, 9]);
    assert_eq!(payload(&packet(&frame(LinkType::RAW, &bytes))).0, b"data");
}

#[test]
fn authentication_header_is_followed() {
    let header = [6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let bytes = ip6_with(51, &header);
    assert_eq!(payload(&packet(&frame(LinkType::RAW, &bytes))).0, b"data");
    let mut bytes = ip4_tcp(b"ab");
    bytes.splice(20..20, header);
    bytes[9] = IpNumber::AUTHENTICATION_HEADER.0;
    bytes[3] += 24;
    assert_eq!(payload(&packet(&frame(LinkType::RAW, &bytes))).0, b"ab");
}

#[test]
fn extension_chain_is_capped() {
    let bytes = ip6_with(60, &[60, 0, 0, 0, 0, 0, 0, 0].repeat(65));
    let error = decode(&frame(LinkType::RAW, &bytes)).unwrap_err();
    assert_eq!(error.to_string(), "ip extension header at byte 552: more than 64 in a row");
}
