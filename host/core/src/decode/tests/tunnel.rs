//! Packets inside of packets.

use super::*;

/// Tells what is inside of an IPv4 packet of this protocol.
fn inside(protocol: u8, header: &[u8], inner: &[u8]) -> String {
    tell_frame(LinkType::RAW, &ip4(protocol, &cat!(header, inner)))
}

/// Tells what is inside of a datagram.
fn in_udp(port: u16, header: &[u8], inner: &[u8]) -> String {
    tell_frame(LinkType::RAW, &ip4_udp(port, &cat!(header, inner)))
}

/// What an ordinary datagram to this port is told to be.
fn ordinary(port: u16) -> String {
    format!("udp 10.0.0.3:50000 -> 10.0.0.4:{port} ")
}

#[test]
fn outer_packet_is_there_as_well() {
    let bytes = ip4(47, &cat!([0, 0, 8, 0], ip4_tcp(b"payload")));
    let outer = packet(&frame(LinkType::RAW, &bytes));
    assert_eq!(outer.tuple().to_string(), "gre 10.0.0.3:0 -> 10.0.0.4:0");
    assert_eq!((outer.wire_len, outer.ip_len), (51, 71));
    let bytes = ip4_udp(4789, &cat!([8, 0, 0, 0, 0, 0, 5, 0], eth(0x0800, &ip4_tcp(b"payload"))));
    let outer = packet(&frame(LinkType::RAW, &bytes));
    assert_eq!(outer.tuple().to_string(), "udp 10.0.0.3:50000 -> 10.0.0.4:4789");
    assert_eq!(outer.inner.map(|inner| (inner.kind, inner.id)), Some((TunnelKind::Vxlan, Some(5))));
}

#[test]
fn offsets_of_inner_errors_count_from_the_frame() {
    let bytes = ip4(47, &cat!([0, 0, 8, 0], [0x45; 10]));
    let told = tell_frame(LinkType::RAW, &bytes);
    assert_eq!(told, "gre | ipv4 header at byte 24: needs 20 bytes, but only 10 were on the wire");
}

#[test]
fn vlan_tags_are_those_of_the_inner_frame() {
    let inner = eth(0x8100, &cat!([0, 9, 8, 0], ip4_tcp(b"")));
    let bytes = eth(0x8100, &cat!([0, 1, 8, 0], ip4(47, &cat!([0, 0, 0x65, 0x58], inner))));
    let outer = packet(&ethernet(&bytes));
    assert_eq!(outer.vlan.ids(), [1]);
    let Ok(Decoded::Packet(inner)) = outer.inner.unwrap().decode() else { panic!() };
    assert_eq!(inner.vlan.ids(), [9]);
}

#[test]
fn ip_in_ip_of_all_versions() {
    let (v4, v6) = (ip4_tcp(b"payload"), ip6_udp(b"payload"));
    let udp = tell_frame(LinkType::RAW, &v6);
    assert_eq!(inside(4, &[], &v4), format!("ip_in_ip | {TCP}"));
    assert_eq!(inside(41, &[], &v6), format!("ip_in_ip | {udp}"));
    assert_eq!(tell_frame(LinkType::RAW, &ip6(4, &v4)), format!("ip_in_ip | {TCP}"));
    assert_eq!(tell_frame(LinkType::RAW, &ip6(41, &v6)), format!("ip_in_ip | {udp}"));
    assert_eq!(inside(41, &[], &v4), "ip_in_ip | ipv6 header at byte 20: wrong version 4");
}

#[test]
fn gre_with_any_options_and_ether_type() {
    let v4 = ip4_tcp(b"payload");
    let key = [0, 0, 1, 0];
    let plain = format!("gre | {TCP}");
    let keyed = format!("gre 256 | {TCP}");
    assert_eq!(inside(47, &[0, 0, 8, 0], &v4), plain);
    assert_eq!(inside(47, &cat!([0x80, 0, 8, 0], [9; 4]), &v4), plain);
    assert_eq!(inside(47, &cat!([0x10, 0, 8, 0], [9; 4]), &v4), plain);
    assert_eq!(inside(47, &cat!([0x20, 0, 8, 0], key), &v4), keyed);
    assert_eq!(inside(47, &cat!([0xb0, 0, 8, 0], [9; 4], key, [9; 4]), &v4), keyed);
    assert_eq!(inside(47, &[0, 0, 0x65, 0x58], &eth(0x0800, &v4)), plain);
    assert_eq!(inside(47, &[0, 0, 0x88, 0x47, 0, 0, 1, 64], &v4), plain);
    assert_eq!(inside(47, &[0, 0, 0x88, 0x0b, 0xff, 3, 0, 0x21], &v4), plain);
    assert_eq!(inside(47, &[0, 0, 0x81, 0, 0, 1, 8, 0], &v4), plain);
    let v6 = ip6_udp(b"payload");
    let udp = tell_frame(LinkType::RAW, &v6);
    assert_eq!(inside(47, &[0, 0, 0x86, 0xdd], &v6), format!("gre | {udp}"));
    assert_eq!(inside(47, &[0, 0, 0, 50], &v4), "gre | unsupported 0x0032");
}

#[test]
fn gre_that_is_not_followed_is_an_ordinary_packet() {
    let v4 = ip4_tcp(b"");
    // Source routes, a version from the future.
    for flags in [[0x40, 0], [0, 2]] {
        assert!(inside(47, &cat!(flags, [8, 0], [0; 8]), &v4).starts_with("gre 10.0.0.3:0"));
    }
}

#[test]
fn pptp_carries_ppp() {
    let ppp = cat!([0xff, 3, 0x21], ip4_tcp(b"payload"));
    let len = ppp.len() as u8;
    let text = format!("gre 513 | {TCP}");
    let numbered = [0x30, 1, 0x88, 0x0b, 0, len, 2, 1, 0, 0, 0, 7];
    assert_eq!(inside(47, &numbered, &cat!(ppp, b"behind")), text);
    let both = [0x30, 0x81, 0x88, 0x0b, 0, len, 2, 1, 0, 0, 0, 7, 0, 0, 0, 6];
    assert_eq!(inside(47, &both, &ppp), text);
    let acknowledgment = [0x20, 0x81, 0x88, 0x0b, 0, 0, 2, 1, 0, 0, 0, 7];
    assert!(inside(47, &acknowledgment, &[]).starts_with("gre 10.0.0.3:0"));
}

#[test]
fn erspan_of_all_versions() {
    let mirrored = eth(0x0800, &ip4_tcp(b"payload"));
    let one = [0, 0, 0x88, 0xbe];
    assert_eq!(inside(47, &one, &mirrored), format!("erspan | {TCP}"));
    let two = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 7, 0x10, 5, 0xfd, 2, 0, 0, 0, 3];
    assert_eq!(inside(47, &two, &mirrored), format!("erspan 258 | {TCP}"));
    let three = |high, low| {
        cat!([0x10, 0, 0x22, 0xeb, 0, 0, 0, 7], [0x20, 5, 0xfd, 2, 1, 1, 1, 1, 0, 0, high, low])
    };
    assert_eq!(inside(47, &three(0, 0), &mirrored), format!("erspan 258 | {TCP}"));
    let extended = cat!(three(0, 1), [9; 8]);
    assert_eq!(inside(47, &extended, &mirrored), format!("erspan 258 | {TCP}"));
    assert_eq!(inside(47, &three(2 << 2, 0), &ip4_tcp(b"payload")), format!("erspan 258 | {TCP}"));
    assert_eq!(inside(47, &three(3 << 2, 0), &mirrored), "erspan 258 | unsupported 0x0003");
}

#[test]
fn vxlan_on_its_ports() {
    let inner = eth(0x0800, &ip4_tcp(b"payload"));
    let text = format!("vxlan 66051 | {TCP}");
    for port in [4789, 8472] {
        assert_eq!(in_udp(port, &[8, 0, 0, 0, 1, 2, 3, 0], &inner), text);
        assert_eq!(in_udp(port, &[0x88, 0x40, 1, 1, 1, 2, 3, 0], &inner), text);
        for odd in [[0, 0, 0, 0, 1, 2, 3, 0], [8, 0, 0, 0, 1, 2, 3, 4], [8, 1, 0, 0, 1, 2, 3, 0]] {
            assert!(in_udp(port, &odd, &inner).starts_with(&ordinary(port)));
        }
    }
    assert!(in_udp(4788, &[8, 0, 0, 0, 1, 2, 3, 0], &inner).starts_with(&ordinary(4788)));
    assert!(in_udp(4789, &[8, 0, 0, 0, 1, 2, 3], &[]).starts_with(&ordinary(4789)));
}

#[test]
fn either_port_makes_a_tunnel() {
    let mut bytes =
        ip4_udp(50_001, &cat!([8, 0, 0, 0, 1, 2, 3, 0], eth(0x0800, &ip4_tcp(b"payload"))));
    bytes[20..22].copy_from_slice(&4789u16.to_be_bytes());
    assert_eq!(tell_frame(LinkType::RAW, &bytes), format!("vxlan 66051 | {TCP}"));
}

#[test]
fn vxlan_gpe_tells_the_protocol() {
    let v4 = ip4_tcp(b"payload");
    let header = |flags, protocol| [flags, 0, 0, protocol, 0, 0, 7, 0];
    let text = format!("vxlan 7 | {TCP}");
    assert_eq!(in_udp(4790, &header(0x0c, 1), &v4), text);
    assert_eq!(in_udp(4790, &header(0x0c, 3), &eth(0x0800, &v4)), text);
    assert_eq!(in_udp(4790, &header(0x08, 0), &eth(0x0800, &v4)), text);
    assert_eq!(in_udp(4790, &header(0x0c, 5), &cat!([0, 0, 1, 64], v4)), text);
    let v6 = ip6_udp(b"payload");
    let udp = tell_frame(LinkType::RAW, &v6);
    assert_eq!(in_udp(4790, &header(0x0c, 2), &v6), format!("vxlan 7 | {udp}"));
    for (flags, protocol) in [(0x04, 1), (0x0d, 1), (0x3c, 1), (0x0c, 4), (0x08, 1)] {
        assert!(in_udp(4790, &header(flags, protocol), &v4).starts_with(&ordinary(4790)));
    }
}

#[test]
fn geneve_with_options() {
    let inner = eth(0x0800, &ip4_tcp(b"payload"));
    let text = format!("geneve 258 | {TCP}");
    assert_eq!(in_udp(6081, &[0, 0, 0x65, 0x58, 0, 1, 2, 0], &inner), text);
    let options = cat!([2, 0x40, 0x65, 0x58, 0, 1, 2, 0], [9; 8]);
    assert_eq!(in_udp(6081, &options, &inner), text);
    assert_eq!(in_udp(6081, &[0, 0, 8, 0, 0, 1, 2, 0], &ip4_tcp(b"payload")), text);
    // Another version, control, reserved bits, options beyond the end.
    for odd in [
        [0x40, 0, 0x65, 0x58, 0, 1, 2, 0],
        [0, 0x80, 0x65, 0x58, 0, 1, 2, 0],
        [0, 1, 0x65, 0x58, 0, 1, 2, 0],
        [0, 0, 0x65, 0x58, 0, 1, 2, 1],
        [0x3f, 0, 0x65, 0x58, 0, 1, 2, 0],
    ] {
        assert!(in_udp(6081, &odd, &inner).starts_with(&ordinary(6081)));
    }
}

#[test]
fn gtpu_with_options_and_extensions() {
    let (v4, v6) = (ip4_tcp(b"payload"), ip6_udp(b"payload"));
    let gpdu = |flags, options: &[u8], inner: &[u8]| {
        let len = (options.len() + inner.len()) as u8;
        in_udp(2152, &cat!([flags, 0xff, 0, len, 0, 0, 4, 1], options), inner)
    };
    let text = format!("gtpu 1025 | {TCP}");
    assert_eq!(gpdu(0x30, &[], &v4), text);
    assert_eq!(gpdu(0x32, &[0, 9, 0, 0], &v4), text);
    // The type of an extension without the flag for it is not one.
    assert_eq!(gpdu(0x32, &[0, 9, 0, 0x85], &v4), text);
    let extensions = [0, 9, 0, 0x85, 1, 0, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(gpdu(0x36, &extensions, &v4), text);
    let udp = tell_frame(LinkType::RAW, &v6);
    assert_eq!(gpdu(0x30, &[], &v6), format!("gtpu 1025 | {udp}"));
    // GTP', version 2, a spare bit, something else than IP.
    for flags in [0x20, 0x50, 0x38] {
        assert!(gpdu(flags, &[], &v4).starts_with(&ordinary(2152)));
    }
    assert!(gpdu(0x30, &[], &[0xff, 3]).starts_with(&ordinary(2152)));
    // An echo request; a length beyond the end.
    assert!(in_udp(2152, &[0x32, 1, 0, 4, 0, 0, 0, 0], &[0; 4]).starts_with(&ordinary(2152)));
    assert!(in_udp(2152, &[0x30, 0xff, 9, 4, 0, 0, 0, 0], &v4).starts_with(&ordinary(2152)));
}

#[test]
fn teredo_with_its_indications() {
    let v6 = ip6_udp(b"payload");
    let text = format!("teredo | {}", tell_frame(LinkType::RAW, &v6));
    let origin = [0, 0, 1, 2, 3, 4, 5, 6];
    let authentication = cat!([0, 1, 2, 3], [9; 5], [8; 8], [0]);
    assert_eq!(in_udp(3544, &[], &v6), text);
    assert_eq!(in_udp(3544, &origin, &v6), text);
    assert_eq!(in_udp(3544, &authentication, &v6), text);
    assert_eq!(in_udp(3544, &cat!(authentication, origin), &v6), text);
    let told = in_udp(3544, &[], &v6[..v6.len() - 1]);
    assert!(told.starts_with(&ordinary(3544)), "{told}");
    assert!(in_udp(3544, &[], &ip4_tcp(b"")).starts_with(&ordinary(3544)));
}

#[test]
fn a_tunnel_in_a_tunnel_is_handed_back_in_turn() {
    let mut bytes = ip4_tcp(b"payload");
    for _ in 0..3 {
        bytes = ip4(4, &bytes);
    }
    let told = tell_frame(LinkType::RAW, &bytes);
    assert_eq!(told, format!("ip_in_ip | ip_in_ip | ip_in_ip | {TCP}"));
}

#[test]
fn a_fragment_in_a_tunnel_is_handed_back() {
    let mut bytes = ip4_tcp(b"payload");
    bytes[6] = 0x20;
    assert_eq!(inside(4, &[], &bytes), "ip_in_ip | fragment 0 of 6 at 0+, 27 bytes");
}
