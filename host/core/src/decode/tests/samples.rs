//! Sample frames, whole and cut, and frames of noise.

use super::*;
use crate::testing::Rng;

/// Frames of every link and tunnel, with what they carry in words.
fn samples() -> Vec<(LinkType, Vec<u8>, String)> {
    let (v4, v6) = (ip4_tcp(b"payload"), ip6_udp(b"payload"));
    let tcp = || TCP.to_owned();
    let udp = || {
        "udp [101:101:101:101:101:101:101:101]:5353 -> [202:202:202:202:202:202:202:202]:53 payload"
            .to_owned()
    };
    let extended = ip6_with(
        0,
        &cat!(
            [43, 0, 1, 4, 0, 0, 0, 0],
            [60, 0, 0, 0, 0, 0, 0, 0],
            [6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
    );
    let data =
        "tcp [101:101:101:101:101:101:101:101]:4000 -> [202:202:202:202:202:202:202:202]:25 data";
    let tags = [0x81, 0, 0, 100, 0x88, 0xa8, 0x20, 200, 0x91, 0, 0xf1, 0x2c];
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let (v4_len, inner) = (v4.len() as u8, eth(0x0800, &v4));
    let icmp = ip4(1, &[3, 1, 0, 0, 0, 0, 0, 0, b'p']);
    let mut part = v4.clone();
    part[7] = 2;
    vec![
        (LinkType::ETHERNET, eth(0x0800, &v4), tcp()),
        (LinkType::ETHERNET, eth(0x86dd, &v6), udp()),
        (LinkType::ETHERNET, eth(0x86dd, &extended), data.to_owned()),
        (LinkType::ETHERNET, linked(&cat!([7; 12], tags), 0x0800, &v4), tcp()),
        (LinkType::RAW, v4.clone(), tcp()),
        (LinkType::RAW_BSD, v6.clone(), udp()),
        (LinkType::RAW_OPENBSD, v6.clone(), udp()),
        (LinkType::IPV4, v4.clone(), tcp()),
        (LinkType::IPV6, v6.clone(), udp()),
        (LinkType::IPV4, icmp, "icmp 10.0.0.3:3 -> 10.0.0.4:1 p".to_owned()),
        (LinkType::IPV4, part, "fragment 0 of 6 at 16, 27 bytes".to_owned()),
        (LinkType::NULL, cat!([2, 0, 0, 0], v4), tcp()),
        (LinkType::NULL, cat!([0, 0, 0, 30], v6), udp()),
        (LinkType::LOOP, cat!([0, 0, 0, 24], v6), udp()),
        (LinkType::LINUX_SLL, linked(&[0; 14], 0x0800, &v4), tcp()),
        (LinkType::LINUX_SLL, linked(&[0; 14], 4, &cat!(snap, v4)), tcp()),
        (LinkType::LINUX_SLL2, cat!([0x86, 0xdd], [0; 18], v6), udp()),
        (LinkType::ETHERNET, eth(8 + u16::from(v4_len), &cat!(snap, v4)), tcp()),
        (LinkType::ETHERNET, eth(3 + u16::from(v4_len), &cat!([6, 6, 3], v4)), tcp()),
        (LinkType::ETHERNET, eth(0x8847, &cat!([0, 0, 0, 64, 0, 0, 0x11, 64], v4)), tcp()),
        (LinkType::ETHERNET, eth(0x8848, &cat!([0, 0, 1, 64], v6)), udp()),
        (LinkType::ETHERNET, eth(0x8847, &cat!([0, 0, 1, 64], inner)), tcp()),
        (LinkType::ETHERNET, eth(0x8847, &cat!([0, 0, 1, 64, 0, 0, 0, 5], inner)), tcp()),
        (
            LinkType::ETHERNET,
            eth(0x8864, &cat!([0x11, 0, 0, 1, 0, 2 + v4_len, 0, 0x21], v4)),
            tcp(),
        ),
        (LinkType::ETHERNET, eth(0x8864, &cat!([0x11, 0, 0, 1, 0, 1 + v4_len, 0x21], v4)), tcp()),
        (LinkType::PPP_ETHER, cat!([0x11, 0, 0, 1, 0, 2 + v4_len, 0, 0x21], v4), tcp()),
        (LinkType::PPP, cat!([0xff, 3, 0, 0x21], v4), tcp()),
        (LinkType::PPP, cat!([0xff, 3, 0x57], v6), udp()),
        (LinkType::PPP, cat!([0, 0x21], v4), tcp()),
        (LinkType::PPP, cat!([0x21], v4), tcp()),
        (LinkType::PPP, cat!([2, 0x81, 0, 0, 1, 64], v4), tcp()),
        (LinkType::PPP_HDLC, cat!([0xff, 3, 0, 0x21], v4), tcp()),
        (LinkType::PPP_HDLC, cat!([0x0f, 0, 8, 0], v4), tcp()),
        (LinkType::PPP_WITH_DIR, cat!([1, 0xff, 3, 0, 0x21], v4), tcp()),
        (LinkType::C_HDLC, cat!([0x0f, 0, 0x86, 0xdd], v6), udp()),
        (LinkType::NFLOG, cat!([2, 0, 0, 0, 4 + v4_len, 0, 9, 0], v4), tcp()),
        (LinkType::NFLOG, cat!([10, 0, 0, 0, 0, 4 + v6.len() as u8, 0, 9], v6), udp()),
        (LinkType::PKTAP, cat!([16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], [9; 4], inner), tcp()),
        (LinkType::PPI, cat!([0, 0, 12, 0, 1, 0, 0, 0], [9; 4], inner), tcp()),
        (LinkType::IEEE802_11, cat!([8, 1], [0; 22], snap, v4), tcp()),
        (
            LinkType::IEEE802_11_RADIOTAP,
            cat!([0, 0, 9, 0, 2, 0, 0, 0, 0], [0x88, 1], [0; 24], snap, v4),
            tcp(),
        ),
        (LinkType::RAW, ip4(4, &v4), format!("ip_in_ip | {TCP}")),
        (LinkType::RAW, ip4(47, &cat!([0x20, 0, 8, 0, 0, 0, 0, 9], v4)), format!("gre 9 | {TCP}")),
        (
            LinkType::RAW,
            ip4(47, &cat!([0x10, 0, 0x88, 0xbe, 0, 0, 0, 7, 0x10, 5, 0, 3, 0, 0, 0, 3], inner)),
            format!("erspan 3 | {TCP}"),
        ),
        (
            LinkType::RAW,
            ip4_udp(4789, &cat!([8, 0, 0, 0, 0, 0, 5, 0], inner)),
            format!("vxlan 5 | {TCP}"),
        ),
        (
            LinkType::RAW,
            ip4_udp(6081, &cat!([1, 0, 0x65, 0x58, 0, 0, 5, 0, 1, 1, 1, 1], inner)),
            format!("geneve 5 | {TCP}"),
        ),
        (
            LinkType::RAW,
            ip4_udp(
                2152,
                &cat!([0x36, 0xff, 0, 8 + v4_len, 0, 0, 0, 5, 0, 0, 0, 1, 1, 0, 0, 0], v4),
            ),
            format!("gtpu 5 | {TCP}"),
        ),
        (
            LinkType::RAW,
            ip4_udp(3544, &cat!([0, 0, 1, 1, 1, 1, 1, 1], v6)),
            format!("teredo | {}", udp()),
        ),
    ]
}

#[test]
fn every_sample_decodes() {
    for (link, bytes, text) in samples() {
        assert_eq!(tell_frame(link, &bytes), text, "{link}");
    }
}

#[test]
fn every_supported_link_has_a_sample() {
    let samples = samples();
    for link in LinkType::SUPPORTED {
        assert!(samples.iter().any(|(sampled, ..)| sampled == link), "{link}");
    }
}

/// Decodes a frame and what is in it; checks what holds for any input.
fn probe(frame: &RawFrame<'_>) {
    let mut decoded = decode(frame);
    for _ in 0..8 {
        let packet = match decoded {
            Err(error) => return assert!(error.offset <= frame.bytes.len(), "{error}"),
            Ok(Decoded::Fragment(fragment)) => {
                assert!(fragment.bytes.len() as u64 <= fragment.wire_len);
                assert!(fragment.wire_len < fragment.ip_len);
                return;
            }
            Ok(Decoded::Packet(packet)) => packet,
            Ok(_) => return,
        };
        let (data, wire_len) = payload(&packet);
        assert!(data.len() as u64 <= wire_len);
        assert!(wire_len <= packet.wire_len && packet.wire_len < packet.ip_len);
        assert!(packet.transport.len() as u64 <= packet.wire_len);
        assert!(data.len() <= packet.transport.len());
        let _ = (packet.tuple().to_string(), packet.checksum());
        let Some(inner) = packet.inner else { return };
        decoded = inner.decode();
    }
}

#[test]
fn every_prefix_of_every_sample_is_survived() {
    for (link, bytes, text) in samples() {
        for cut in 0..bytes.len() {
            // Cut on the wire, and cut by the capture.
            for len in [cut, bytes.len()] {
                let frame = RawFrame { len: len as u32, ..frame(link, &bytes[..cut]) };
                probe(&frame);
                // Of a fragment only lengths are told, and those are believed.
                let told = tell(decode(&frame));
                assert!(told != text || text.starts_with("fragment"), "{link} {cut}: {told}");
            }
        }
    }
}

#[test]
fn every_changed_byte_of_every_sample_is_survived() {
    for (link, mut bytes, _) in samples() {
        for at in 0..bytes.len() {
            let byte = bytes[at];
            for value in 0..=255 {
                bytes[at] = value;
                probe(&frame(link, &bytes));
            }
            bytes[at] = byte;
        }
    }
}

#[test]
fn noise_is_survived() {
    let mut rng = Rng::new(42);
    let mut noise = vec![0; 256];
    for round in 0..200_000 {
        for chunk in noise.chunks_mut(8) {
            chunk.copy_from_slice(&rng.next().to_be_bytes());
        }
        let link = LinkType::SUPPORTED[round % LinkType::SUPPORTED.len()];
        let captured = rng.below(256) as usize;
        let len = rng.below(300) as u32;
        probe(&RawFrame { len, ..frame(link, &noise[..captured]) });
    }
}

#[test]
fn noise_in_samples_is_survived() {
    let mut rng = Rng::new(43);
    let samples = samples();
    for round in 0..200_000 {
        let (link, bytes, _) = &samples[round % samples.len()];
        let mut bytes = bytes.clone();
        for _ in 0..=rng.below(8) {
            let at = rng.below(bytes.len() as u64) as usize;
            bytes[at] = rng.next() as u8;
        }
        bytes.truncate(bytes.len() - rng.below(bytes.len() as u64) as usize / 2);
        probe(&RawFrame { len: rng.below(200) as u32, ..frame(*link, &bytes) });
    }
}
