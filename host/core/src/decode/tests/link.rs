//! Links, and what is between them and IP.

use super::*;

#[test]
fn vlan_ids_are_outermost_first() {
    let tags = [0x81, 0, 0, 100, 0x88, 0xa8, 0x20, 200, 0x91, 0, 0xf1, 0x2c, 0x92, 0, 0, 4];
    let bytes = linked(&cat!([7; 12], tags), 0x0800, &ip4_tcp(b""));
    assert_eq!(packet(&ethernet(&bytes)).vlan.ids(), [100, 200, 300, 4]);
}

#[test]
fn vlan_stack_is_capped() {
    let bytes = linked(&[&[7; 12][..], &[0x81, 0, 0, 1].repeat(5)].concat(), 0x0800, &ip4_tcp(b""));
    let error = decode(&ethernet(&bytes)).unwrap_err();
    assert_eq!(error.to_string(), "vlan tag at byte 30: more than 4 in a row");
}

#[test]
fn link_types_have_names() {
    assert_eq!(LinkType::ETHERNET.to_string(), "ETHERNET (1)");
    assert_eq!(LinkType(147).to_string(), "unknown (147)");
    assert!(LinkType::LINUX_SLL2.is_supported() && !LinkType(147).is_supported());
}

#[test]
fn numbers_of_link_types_are_those_of_the_registry() {
    let numbers: Vec<_> = LinkType::SUPPORTED.iter().map(|link| link.0).collect();
    let registered =
        [0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 127, 192, 204, 228, 229, 239, 258, 276];
    assert_eq!(numbers, registered);
}

#[test]
fn what_is_not_followed_is_told() {
    let arp = eth(0x0806, &[0; 28]);
    for (link, bytes, text) in [
        (LinkType::ETHERNET, arp, "unsupported 0x0806"),
        (LinkType::ETHERNET, eth(0, &[0; 46]), "unsupported 0x0000"),
        (LinkType::ETHERNET, eth(1501, &[0xaa; 46]), "unsupported 0x05dd"),
        (LinkType(147), vec![], "unsupported link unknown (147)"),
        (LinkType::NULL, vec![7, 0, 0, 0], "unsupported 0x0000"),
        (LinkType::ETHERNET, eth(0x8863, &[0x11, 9, 0, 0, 0, 0]), "unsupported 0x8863"),
        (LinkType::ETHERNET, eth(0x8864, &[0x11, 0xa7, 0, 0, 0, 0]), "unsupported 0x8863"),
        (LinkType::ETHERNET, eth(38, &[0x42, 0x42, 3, 0]), "unsupported 0x4242"),
        (LinkType::ETHERNET, eth(8, &[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0]), "unsupported 0x2000"),
        (LinkType::ETHERNET, eth(0x8847, &[0, 0, 1, 64, 0x10, 0, 0, 0]), "unsupported 0x8847"),
        (LinkType::PPP, vec![0xff, 3, 0xc0, 0x21], "unsupported 0xc021"),
        (LinkType::C_HDLC, vec![0x8f, 0, 0x80, 0x35], "unsupported 0x8035"),
        (LinkType::LINUX_SLL, cat!([0, 0, 3, 0x38], [0; 10], [8, 0]), "unsupported 0x0800"),
        (LinkType::LINUX_SLL, cat!([0; 14], [0, 1]), "unsupported 0x0001"),
        (LinkType::NFLOG, vec![7, 0, 0, 0, 4, 0, 9, 0], "unsupported 0x0007"),
        (LinkType::PKTAP, vec![12, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], "unsupported 0x0000"),
        (LinkType::PPI, vec![0, 0, 8, 0, 147, 0, 0, 0], "unsupported link unknown (147)"),
    ] {
        assert_eq!(tell_frame(link, &bytes), text);
    }
}

#[test]
fn length_of_an_802_3_frame_ends_it() {
    let snap = cat!([0xaa, 0xaa, 3, 0, 0, 0, 8, 0], ip4_tcp(b"ab"));
    let mut bytes = eth(snap.len() as u16, &cat!(snap, b"padding"));
    assert_eq!(packet(&ethernet(&bytes)).transport.len(), 22);
    // Even if IP says that there is more.
    bytes[14 + 8 + 3] += 7;
    let packet = packet(&ethernet(&bytes));
    assert_eq!((payload(&packet), packet.length_exceeds_frame), ((&b"ab"[..], 9), true));
}

#[test]
fn length_of_pppoe_ends_it() {
    let bytes = eth(0x8864, &cat!([0x11, 0, 0, 1, 0, 2 + 42, 0, 0x21], ip4_tcp(b"ab"), [0; 9]));
    assert_eq!(payload(&packet(&ethernet(&bytes))), (&b"ab"[..], 2));
}

#[test]
fn label_stack_is_capped() {
    let labels =
        |count: usize| cat!([0, 0, 0, 64].repeat(count - 1), [0, 0, 1, 64], ip4_tcp(b"payload"));
    assert_eq!(tell_frame(LinkType::ETHERNET, &eth(0x8847, &labels(16))), TCP);
    assert_eq!(
        tell_frame(LinkType::ETHERNET, &eth(0x8847, &labels(17))),
        "mpls label at byte 78: more than 16 in a row",
    );
}

#[test]
fn headers_in_front_of_ip_are_capped() {
    let ppi = [0, 0, 8, 0, 192, 0, 0, 0];
    let bytes = |count| cat!(ppi.repeat(count), [0, 0, 8, 0, 101, 0, 0, 0], ip4_tcp(b"payload"));
    assert_eq!(tell_frame(LinkType::PPI, &bytes(15)), TCP);
    let told = tell_frame(LinkType::PPI, &bytes(16));
    assert_eq!(told, "link header at byte 136: more than 16 in a row");
}

#[test]
fn pseudo_wires_may_have_a_control_word() {
    let label = [0, 0, 0x11, 64];
    for (mac, control) in [(0x07, &[][..]), (0x07, &[0, 0, 0, 9]), (0x00, &[0; 4]), (0x52, &[])] {
        let inner = linked(&[mac; 12], 0x0800, &ip4_tcp(b"payload"));
        let told = tell_frame(LinkType::ETHERNET, &eth(0x8847, &cat!(label, control, inner)));
        assert_eq!(told, TCP, "{mac}");
    }
    // Spanning tree, by its length.
    let inner = eth(38, &cat!([0x42, 0x42, 3], [0; 43]));
    let told = tell_frame(LinkType::ETHERNET, &eth(0x8847, &cat!(label, inner)));
    assert_eq!(told, "unsupported 0x4242");
}

#[test]
fn pseudo_wire_whose_address_begins_like_ip_is_taken_for_ip() {
    let inner = linked(&[0x42; 12], 0x0800, &ip4_tcp(b"payload"));
    let told = tell_frame(LinkType::ETHERNET, &eth(0x8847, &cat!([0, 0, 0x11, 64], inner)));
    assert!(told.starts_with("ipv4 header at byte 18: "), "{told}");
}

#[test]
fn order_of_bytes_in_an_nflog_header_is_found() {
    let packet = ip4_tcp(b"payload");
    let (prefix, hook) = (*b"\0", [0, 0, 0, 1]);
    let mut little = vec![2, 0, 0, 0, 5, 0, 10, 0];
    little.extend(cat!(prefix, [0; 3], [8, 0, 11, 0], hook));
    little.extend(cat!([4 + packet.len() as u8, 0, 9, 0], packet));
    let mut big = vec![2, 0, 0, 0, 0, 5, 0, 10];
    big.extend(cat!(prefix, [0; 3], [0, 8, 0, 11], hook));
    big.extend(cat!([0, 4 + packet.len() as u8, 0, 9], packet));
    assert_eq!(tell_frame(LinkType::NFLOG, &little), TCP);
    assert_eq!(tell_frame(LinkType::NFLOG, &big), TCP);
}
