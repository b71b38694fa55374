//! Sample frames, whole and cut, and the errors.

use etherparse::{IpNumber, PacketBuilder};

use super::*;
use crate::SeqNo;

fn frame(link: LinkType, bytes: &[u8]) -> RawFrame<'_> {
    RawFrame { number: 1, ts: Timestamp(0), link, len: bytes.len() as u32, bytes }
}

fn ethernet(bytes: &[u8]) -> RawFrame<'_> {
    frame(LinkType::ETHERNET, bytes)
}

#[track_caller]
fn packet<'a>(frame: &RawFrame<'a>) -> Packet<'a> {
    match decode(frame) {
        Ok(Decoded::Packet(packet)) => packet,
        other => panic!("no packet: {other:?}"),
    }
}

fn payload<'a>(packet: &Packet<'a>) -> (&'a [u8], u64) {
    match packet.payload {
        Payload::Tcp(segment) => (segment.payload, segment.wire_len),
        Payload::Udp(datagram) => (datagram.payload, datagram.wire_len),
    }
}

fn ip4_tcp(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
    builder.tcp(4000, 25, 77, 1024).ack(99).write(&mut bytes, data).unwrap();
    bytes
}

fn ip6_udp(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv6([1; 16], [2; 16], 64);
    builder.udp(5353, 53).write(&mut bytes, data).unwrap();
    bytes
}

/// An IPv6 packet with the given extension headers in front of a TCP segment with data "data".
fn ip6_with(first: u8, extensions: &[u8]) -> Vec<u8> {
    let tcp = &ip4_tcp(b"data")[20..];
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend(((extensions.len() + tcp.len()) as u16).to_be_bytes());
    bytes.extend([first, 64]);
    bytes.extend([[1; 16], [2; 16]].concat());
    bytes.extend(extensions);
    bytes.extend(tcp);
    bytes
}

fn linked(header: &[u8], ether_type: u16, packet: &[u8]) -> Vec<u8> {
    [header, &ether_type.to_be_bytes(), packet].concat()
}

fn samples() -> Vec<(LinkType, Vec<u8>)> {
    let (v4, v6) = (ip4_tcp(b"payload"), ip6_udp(b"payload"));
    let extended = ip6_with(
        0,
        &[
            &[43, 0, 1, 4, 0, 0, 0, 0][..],
            &[60, 0, 0, 0, 0, 0, 0, 0],
            &[6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat(),
    );
    let tags = [0x81, 0, 0, 100, 0x88, 0xa8, 0x20, 200, 0x91, 0, 0xf1, 0x2c];
    vec![
        (LinkType::ETHERNET, linked(&[7; 12], 0x0800, &v4)),
        (LinkType::ETHERNET, linked(&[7; 12], 0x86dd, &v6)),
        (LinkType::ETHERNET, linked(&[7; 12], 0x86dd, &extended)),
        (LinkType::ETHERNET, linked(&[&[7; 12][..], &tags].concat(), 0x0800, &v4)),
        (LinkType::RAW, v4.clone()),
        (LinkType::RAW_BSD, v6.clone()),
        (LinkType::RAW_OPENBSD, v6.clone()),
        (LinkType::IPV4, v4.clone()),
        (LinkType::IPV6, v6.clone()),
        (LinkType::NULL, [&[2, 0, 0, 0], &v4[..]].concat()),
        (LinkType::NULL, [&[0, 0, 0, 30], &v6[..]].concat()),
        (LinkType::LOOP, [&[0, 0, 0, 24], &v6[..]].concat()),
        (LinkType::LINUX_SLL, linked(&[0; 14], 0x0800, &v4)),
        (LinkType::LINUX_SLL2, [&[0x86, 0xdd], &[0; 18][..], &v6].concat()),
    ]
}

#[test]
fn every_sample_decodes() {
    for (link, bytes) in samples() {
        let packet = packet(&frame(link, &bytes));
        let (data, len) = payload(&packet);
        assert!(data == b"payload" || data == b"data", "{link}");
        assert_eq!(data.len() as u64, len);
    }
}

#[test]
fn every_prefix_of_every_sample_is_survived() {
    for (link, bytes) in samples() {
        for cut in 0..bytes.len() {
            let captured = &bytes[..cut];
            // Cut on the wire: strict. Cut by the capture: lax, but never beyond what is there.
            for len in [cut as u32, bytes.len() as u32] {
                let frame = RawFrame { len, ..frame(link, captured) };
                match decode(&frame) {
                    Err(error) => assert!(error.offset <= cut, "{link} {cut}: {error}"),
                    Ok(Decoded::Packet(packet)) => {
                        let (data, wire) = payload(&packet);
                        assert!(data.len() as u64 <= wire);
                        assert!(len as usize > cut, "{link}: {cut} bytes decoded in full");
                    }
                    Ok(other) => panic!("{link} {cut}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn fields_of_tcp_are_read() {
    let bytes = ip4_tcp(b"data");
    let packet = packet(&frame(LinkType::RAW, &bytes));
    let Payload::Tcp(segment) = packet.payload else { panic!("not tcp") };
    assert_eq!((segment.src_port, segment.dst_port, segment.window), (4000, 25, 1024));
    assert_eq!((segment.seq, segment.ack, segment.flags), (SeqNo(77), SeqNo(99), TcpFlags::ACK));
    assert_eq!(packet.ip_len, 44);
    assert_eq!(packet.tuple().to_string(), "tcp 10.0.0.1:4000 -> 10.0.0.2:25");
}

#[test]
fn window_scale_is_found_among_options() {
    let mut bytes = Vec::new();
    let tcp = PacketBuilder::ipv4([1; 4], [2; 4], 64).tcp(1, 2, 3, 4).syn();
    let options = [2, 4, 5, 0xb4, 1, 3, 3, 15, 0, 0, 0, 0];
    tcp.options_raw(&options).unwrap().write(&mut bytes, &[]).unwrap();
    let Payload::Tcp(segment) = packet(&frame(LinkType::RAW, &bytes)).payload else { panic!() };
    assert_eq!(segment.window_scale, Some(14));
}

#[test]
fn vlan_ids_are_outermost_first() {
    let (link, bytes) = &samples()[3];
    assert_eq!(packet(&frame(*link, bytes)).vlan.ids(), [100, 200, 300]);
}

#[test]
fn vlan_stack_is_capped() {
    let bytes = linked(&[&[7; 12][..], &[0x81, 0, 0, 1].repeat(5)].concat(), 0x0800, &ip4_tcp(b""));
    let error = decode(&ethernet(&bytes)).unwrap_err();
    assert_eq!(error.to_string(), "vlan tag at byte 30: more than 4 in a row");
}

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
fn fragments_are_told() {
    for field in [[0x20, 0], [0, 1], [0x3f, 0xff]] {
        let mut bytes = ip4_tcp(b"ab");
        bytes[6..8].copy_from_slice(&field);
        assert!(matches!(decode(&frame(LinkType::RAW, &bytes)), Ok(Decoded::Fragment)));
    }
    for field in [[0, 1], [0, 8]] {
        let bytes = ip6_with(44, &[6, 0, field[0], field[1], 0, 0, 0, 9]);
        assert!(matches!(decode(&frame(LinkType::RAW, &bytes)), Ok(Decoded::Fragment)));
    }
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
    let bytes = ip6_with(60, &[60, 0, 0, 0, 0, 0, 0, 0].repeat(9));
    let error = decode(&frame(LinkType::RAW, &bytes)).unwrap_err();
    assert_eq!(error.to_string(), "ip extension header at byte 104: more than 8 in a row");
}

#[test]
fn what_is_not_followed_is_told() {
    let arp = linked(&[7; 12], 0x0806, &[0; 28]);
    assert!(matches!(decode(&ethernet(&arp)), Ok(Decoded::UnsupportedEtherType(0x0806))));
    let mut icmp = ip4_tcp(b"");
    icmp[9] = 1;
    let decoded = decode(&frame(LinkType::RAW, &icmp));
    assert!(matches!(decoded, Ok(Decoded::UnsupportedProtocol(1))));
    let decoded = decode(&frame(LinkType(147), &icmp));
    assert!(matches!(decoded, Ok(Decoded::UnsupportedLink(LinkType(147)))));
    let decoded = decode(&frame(LinkType::NULL, &[7, 0, 0, 0]));
    assert!(matches!(decoded, Ok(Decoded::UnsupportedEtherType(0))));
}

#[test]
fn link_types_have_names() {
    assert_eq!(LinkType::ETHERNET.to_string(), "ETHERNET (1)");
    assert_eq!(LinkType(147).to_string(), "unknown (147)");
    assert!(LinkType::LINUX_SLL2.is_supported() && !LinkType(147).is_supported());
}

/// Changes one byte of a raw packet and returns what the error says.
fn message(mut bytes: Vec<u8>, at: usize, value: u8) -> String {
    bytes[at] = value;
    decode(&frame(LinkType::RAW, &bytes)).unwrap_err().to_string()
}

#[test]
fn errors_say_where_and_why() {
    let (v4, v6) = (ip4_tcp(b"ab"), ip6_udp(b"ab"));
    let at = |text: &str, message: String| assert_eq!(message, text);
    at("ipv4 header at byte 0: wrong version 3", message(v4.clone(), 0, 0x35));
    at(
        "ipv4 header at byte 0: says it is 16 bytes long, less than the 20 it takes",
        message(v4.clone(), 0, 0x44),
    );
    at(
        "ipv4 header at byte 0: says it is 19 bytes long, less than the 20 it takes",
        message(v4.clone(), 3, 19),
    );
    at(
        "ipv4 header at byte 0: says it is 43 bytes long, but only 42 were on the wire",
        message(v4.clone(), 3, 43),
    );
    at(
        "tcp header at byte 20: needs 20 bytes, but only 9 were on the wire",
        message(v4.clone(), 3, 29),
    );
    at(
        "tcp header at byte 20: says it is 16 bytes long, less than the 20 it takes",
        message(v4.clone(), 32, 0x40),
    );
    at(
        "tcp header at byte 20: says it is 24 bytes long, but only 22 were on the wire",
        message(v4.clone(), 32, 0x60),
    );
    at(
        "ipv6 header at byte 0: says it is 51 bytes long, but only 50 were on the wire",
        message(v6.clone(), 5, 11),
    );
    at(
        "udp header at byte 40: says it is 7 bytes long, less than the 8 it takes",
        message(v6.clone(), 45, 7),
    );
    at(
        "udp header at byte 40: says it is 11 bytes long, but only 10 were on the wire",
        message(v6.clone(), 45, 11),
    );
    let cut = RawFrame { len: 42, ..frame(LinkType::RAW, &v4[..30]) };
    at(
        "tcp header at byte 20: needs 20 bytes, but only 10 were captured",
        decode(&cut).unwrap_err().to_string(),
    );
    at(
        "link header at byte 0: needs 14 bytes, but only 3 were on the wire",
        decode(&ethernet(&[1, 2, 3])).unwrap_err().to_string(),
    );
}
