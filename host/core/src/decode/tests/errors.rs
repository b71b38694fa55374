//! What errors say.

use super::*;

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
        "udp header at byte 40: says it is 7 bytes long, less than the 8 it takes",
        message(v6.clone(), 45, 7),
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

#[test]
fn errors_of_links_name_their_layer() {
    for (link, bytes, text) in [
        (
            LinkType::ETHERNET,
            eth(0x8100, &[0; 3]),
            "vlan tag at byte 14: needs 4 bytes, but only 3",
        ),
        (LinkType::ETHERNET, eth(100, &[0xaa]), "llc header at byte 14: needs 3 bytes, but only 1"),
        (LinkType::ETHERNET, eth(0x8847, &[0; 3]), "mpls label at byte 14: needs 4 bytes"),
        (LinkType::ETHERNET, eth(0x8864, &[0x11; 5]), "pppoe header at byte 14: needs 6 bytes"),
        (LinkType::ETHERNET, eth(0x8864, &[0x21; 6]), "pppoe header at byte 14: wrong version 2"),
        (LinkType::PPP, vec![0xff, 3, 0], "ppp header at byte 2: needs 2 bytes, but only 1"),
        // One byte of the address, which must not pass for a short protocol number.
        (LinkType::PPP, vec![0xff], "ppp header at byte 0: needs 2 bytes, but only 1"),
        (LinkType::PPP_HDLC, vec![], "ppp header at byte 0: needs 1 bytes, but only 0"),
        (LinkType::C_HDLC, vec![0x0f, 0], "ppp header at byte 0: needs 4 bytes, but only 2"),
        (LinkType::IEEE802_11_RADIOTAP, vec![0; 7], "radiotap header at byte 0: needs 8 bytes"),
        (LinkType::IEEE802_11_RADIOTAP, vec![1; 8], "radiotap header at byte 0: wrong version 1"),
        (
            LinkType::IEEE802_11_RADIOTAP,
            vec![0, 0, 7, 0, 0, 0, 0, 0],
            "radiotap header at byte 0: says it is 7 bytes long, less than the 8 it takes",
        ),
        (LinkType::IEEE802_11, vec![8; 20], "802.11 header at byte 0: needs 24 bytes, but only 20"),
        (LinkType::IEEE802_11, vec![9, 0], "802.11 header at byte 0: wrong version 1"),
        (LinkType::NFLOG, vec![2, 0, 0], "nflog header at byte 0: needs 4 bytes, but only 3"),
        (LinkType::NFLOG, vec![2, 9, 0, 0], "nflog header at byte 0: wrong version 9"),
        (
            LinkType::NFLOG,
            vec![2, 0, 0, 0, 3, 0, 9, 0],
            "nflog header at byte 4: says it is 3 bytes long, less than the 4 it takes",
        ),
        (LinkType::PKTAP, vec![0; 11], "pktap header at byte 0: needs 12 bytes, but only 11"),
        (
            LinkType::PKTAP,
            vec![0; 12],
            "pktap header at byte 0: says it is 0 bytes long, less than the 12 it takes",
        ),
        (LinkType::PPI, vec![2; 8], "pktap header at byte 0: wrong version 2"),
        (LinkType::RAW, ip4(1, &[8, 0, 0]), "icmp header at byte 20: needs 4 bytes, but only 3"),
        (LinkType::RAW, ip4(1, &[8; 7]), "icmp header at byte 20: needs 8 bytes, but only 7"),
        (LinkType::RAW, ip6(60, &[6]), "ip extension header at byte 40: needs 2 bytes"),
    ] {
        let told = tell_frame(link, &bytes);
        assert!(told.starts_with(text), "{told}");
    }
}

#[test]
fn errors_of_tunnels_are_told_by_what_is_inside() {
    let gtpu = |rest: &[u8]| cat!([0x34, 0xff, 0, rest.len() as u8, 0, 0, 0, 9], rest);
    let cut_geneve = cat!([2, 0, 0x65, 0x58, 0, 0, 5, 0], [0; 8]);
    for (packet, cut, text) in [
        (ip4(47, &[0, 0, 8]), 0, "gre | gre header at byte 20: needs 4 bytes, but only 3"),
        (
            ip4(47, &[0xb0, 0, 8, 0, 1]),
            0,
            "gre | gre header at byte 20: needs 16 bytes, but only 5",
        ),
        (
            ip4(47, &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 9]),
            0,
            "erspan | erspan header at byte 28: needs 8 bytes, but only 4",
        ),
        (
            ip4_udp(6081, &cut_geneve),
            2,
            "geneve | geneve header at byte 28: needs 16 bytes, but only 14",
        ),
        (
            ip4_udp(2152, &gtpu(&[0, 0, 0, 1, 0, 0, 0, 0])),
            0,
            "gtpu | gtp-u header at byte 40: says it is 0 bytes long, less than the 4 it takes",
        ),
    ] {
        let len = packet.len() as u32;
        let bytes = &packet[..packet.len() - cut];
        let told = tell(decode(&RawFrame { len, ..frame(LinkType::RAW, bytes) }));
        assert!(told.starts_with(text), "{told}");
    }
}
