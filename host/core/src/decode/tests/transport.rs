//! TCP, UDP, ICMP, and their checksums.

use super::*;

#[test]
fn fields_of_tcp_are_read() {
    let bytes = ip4_tcp(b"data");
    let packet = packet(&frame(LinkType::RAW, &bytes));
    let Payload::Tcp(segment) = packet.payload else { panic!("not tcp") };
    assert_eq!((segment.src_port, segment.dst_port, segment.window), (4000, 25, 1024));
    assert_eq!((segment.seq, segment.ack, segment.flags), (SeqNo(77), SeqNo(99), TcpFlags::ACK));
    assert_eq!((packet.ip_len, packet.wire_len, segment.urgent), (44, 24, 0));
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
fn flags_and_urgent_pointer_are_read() {
    let mut bytes = ip4_tcp(b"");
    bytes[20 + 13] = 0xe8;
    bytes[20 + 18..20 + 20].copy_from_slice(&[1, 2]);
    let Payload::Tcp(segment) = packet(&frame(LinkType::RAW, &bytes)).payload else { panic!() };
    let all = [TcpFlags::PSH, TcpFlags::URG, TcpFlags::ECE, TcpFlags::CWR];
    assert!(all.iter().all(|flag| segment.flags.has(*flag)));
    assert!(!segment.flags.any(TcpFlags::ACK));
    assert_eq!(segment.urgent, 0x102);
}

#[test]
fn icmp_is_split_behind_eight_bytes() {
    let bytes = ip4(1, &[8, 3, 0, 0, 1, 2, 3, 4, 5, 6]);
    let Payload::Icmp(icmp) = packet(&frame(LinkType::RAW, &bytes)).payload else { panic!() };
    assert_eq!((icmp.v6, icmp.kind, icmp.code), (false, 8, 3));
    assert_eq!((icmp.payload, icmp.wire_len), (&[5, 6][..], 2));
}

#[test]
fn ports_of_icmp_are_types_and_codes() {
    let tuple = |protocol, kind, code| {
        let message = [kind, code, 0, 0, 0, 0, 0, 0];
        let bytes = if protocol == 1 { ip4(1, &message) } else { ip6(58, &message) };
        let tuple = packet(&frame(LinkType::RAW, &bytes)).tuple();
        (tuple.transport, tuple.orig.port, tuple.resp.port)
    };
    assert_eq!(tuple(1, 8, 5), (Transport::Icmp, 8, 0));
    assert_eq!(tuple(1, 0, 5), (Transport::Icmp, 0, 8));
    assert_eq!(tuple(1, 3, 5), (Transport::Icmp, 3, 5));
    assert_eq!(tuple(58, 128, 5), (Transport::Icmpv6, 128, 129));
    assert_eq!(tuple(58, 1, 5), (Transport::Icmpv6, 1, 5));
}

#[test]
fn counterparts_come_in_pairs() {
    for (v6, expected) in [(false, 10), (true, 12)] {
        let paired = (0..=255).filter_map(|kind| Some((kind, icmp_counterpart(v6, kind)?)));
        assert_eq!(paired.clone().count(), expected);
        for (kind, other) in paired {
            assert_eq!(icmp_counterpart(v6, other), Some(kind));
            assert_ne!(kind, other);
        }
    }
}

/// Checks a raw packet.
fn check(bytes: &[u8]) -> Checksum {
    packet(&frame(LinkType::RAW, bytes)).checksum()
}

/// Checks a raw packet with 16 bits changed.
fn check_with(mut bytes: Vec<u8>, at: usize, value: u16) -> Checksum {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
    check(&bytes)
}

fn icmp6(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv6([1; 16], [2; 16], 64);
    builder.icmpv6_echo_request(1, 2).write(&mut bytes, data).unwrap();
    bytes
}

fn icmp4(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4([1; 4], [2; 4], 64);
    builder.icmpv4_echo_request(1, 2).write(&mut bytes, data).unwrap();
    bytes
}

#[test]
fn right_checksums_are_good_and_others_bad() {
    for (bytes, at) in [
        (ip4_tcp(b"odd"), 36),
        (ip4_tcp(b"even"), 36),
        (ip4_udp(53, b"odd"), 26),
        (ip6_udp(b"odd"), 46),
        (icmp4(b"odd"), 22),
        (icmp6(b"odd"), 42),
        (ip6_with(60, &[6, 0, 0, 0, 0, 0, 0, 0]), 64),
    ] {
        let right = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        if bytes[0] >> 4 == 6 && bytes[6] == 60 {
            // The segment was made for other addresses.
            assert_eq!(check(&bytes), Checksum::Bad);
            continue;
        }
        assert_eq!(check(&bytes), Checksum::Good, "{bytes:x?}");
        assert_eq!(check_with(bytes, at, right ^ 0x0100), Checksum::Bad);
    }
}

#[test]
fn padding_has_no_part_in_checksums() {
    assert_eq!(check(&cat!(ip4_tcp(b"odd"), [9; 5])), Checksum::Good);
    // Nor what IP has behind the end of a datagram.
    let mut bytes = cat!(ip4_udp(53, b"odd"), [9; 5]);
    bytes[3] += 5;
    assert_eq!(check(&bytes), Checksum::Good);
}

#[test]
fn datagram_without_checksum() {
    assert_eq!(check_with(ip4_udp(53, b"x"), 26, 0), Checksum::Good);
    assert_eq!(check_with(ip6_udp(b"x"), 46, 0), Checksum::Bad);
    let mut tunnel =
        ip6(17, &cat!([200, 0, 0x12, 0xb5, 0, 20, 0, 0], [8, 0, 0, 0, 0, 0, 1, 0], [0; 4]));
    assert_eq!(check(&tunnel), Checksum::Good);
    tunnel[48] = 0;
    assert_eq!(check(&tunnel), Checksum::Bad);
}

#[test]
fn what_is_left_to_the_card_is_told_from_what_is_wrong() {
    assert_eq!(check_with(ip4_tcp(b"x"), 36, 0), Checksum::Offloaded);
    // The pseudo header of 10.0.0.1, 10.0.0.2, 6 and 21 bytes.
    let partial = 0x0a00 + 1 + 0x0a00 + 2 + 6 + 21;
    assert_eq!(check_with(ip4_tcp(b"x"), 36, partial), Checksum::Offloaded);
    assert_eq!(check_with(ip4_tcp(b"x"), 36, partial + 1), Checksum::Bad);
    let partial = 0x0a00 + 3 + 0x0a00 + 4 + 17 + 9;
    assert_eq!(check_with(ip4_udp(53, b"x"), 26, partial), Checksum::Offloaded);
    assert_eq!(check_with(ip4_tcp(&[7; 1460]), 36, 9), Checksum::Bad);
    assert_eq!(check_with(ip4_tcp(&[7; 1461]), 36, 9), Checksum::Offloaded);
    assert_eq!(check(&ip4_tcp(&[7; 1461])), Checksum::Good);
}

#[test]
fn what_can_not_be_checked_is_unknown() {
    let bytes = ip4_tcp(b"data");
    let cut = RawFrame { len: 44, ..frame(LinkType::RAW, &bytes[..43]) };
    assert_eq!(packet(&cut).checksum(), Checksum::Unknown);
    assert_eq!(check(&ip4(132, b"sctp has one, but another")), Checksum::Unknown);
    let cut = icmp4(b"");
    let cut = RawFrame { len: 28, ..frame(LinkType::RAW, &cut[..24]) };
    assert_eq!(packet(&cut).checksum(), Checksum::Unknown);
}

#[test]
fn routed_segment_has_the_checksum_of_its_final_destination() {
    let mut segment = Vec::new();
    let builder = PacketBuilder::ipv6([1; 16], [4; 16], 64);
    builder.tcp(1, 2, 3, 4).write(&mut segment, b"data").unwrap();
    let routing = cat!([6, 2, 0, 1, 0, 0, 0, 0], [4; 16]);
    assert_eq!(check(&ip6(43, &cat!(routing, segment[40..]))), Checksum::Good);
}
