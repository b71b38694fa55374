//! Makes the seeds. How bytes are read is said at each target in `flowcell_core::fuzzing`.

use flowcell_core::LinkType;
use flowcell_core::fuzzing::frame::{self, Part, Tcp};
use flowcell_core::fuzzing::{Kind, Op};

type Seed = (String, Vec<u8>);

/// Returns the seeds of a target, with names that say what they are.
pub(crate) fn of(target: &str) -> Vec<Seed> {
    let seeds = match target {
        "decode_frame" => frames(),
        "defrag_ops" => fragments(),
        "engine_frames" => captures(),
        "reassembler_ops" => connections(),
        other => panic!("no seeds for {other}"),
    };
    seeds.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

const ENDS: [[u8; 4]; 2] = [[10, 0, 0, 1], [10, 0, 0, 2]];
const ENDS_6: [[u8; 16]; 2] = [[0xfd; 16], [0xfe; 16]];

fn ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    frame::ipv4(ENDS[0], ENDS[1], protocol, Part::default(), payload)
}

fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let tcp = frame::tcp(&Tcp { ports: [1000, 80], seq: 7, payload: b"GET /", ..Tcp::default() });
    let tcp = ip(6, &tcp);
    let udp = frame::udp([1000, 53], b"question");
    let ethernet = |packet: &[u8]| frame::ethernet(&[], 0x0800, packet);
    let framed = |header: &[u8]| [header, &tcp].concat();
    let v6 = |next, payload: &[u8]| frame::ipv6(ENDS_6[0], ENDS_6[1], next, payload);
    let first = Part { id: 9, offset: 0, more: true };
    let tower = (0..8).fold(tcp.clone(), |packet, floor| {
        ip([4, 47][floor % 2], &if floor % 2 == 0 { packet } else { frame::gre(&packet) })
    });
    let vxlan = frame::udp([5000, 4789], &frame::vxlan(3, &ethernet(&tcp)));
    let gtpu = frame::udp([2152, 2152], &frame::gtpu(3, &tcp));
    let teredo = frame::udp([3544, 3544], &v6(17, &udp));
    let mut sll = vec![0; 16];
    sll[14] = 8;
    let mut sll2 = vec![0; 20];
    sll2[0] = 8;
    let nflog = [&[2, 0, 0, 0][..], &(tcp.len() as u16 + 4).to_le_bytes(), &[9, 0], &tcp].concat();
    let pktap = [&[12, 0, 0, 0, 1, 0, 0, 0, 101, 0, 0, 0][..], &tcp].concat();
    let ppi = framed(&[0, 0, 8, 0, 101, 0, 0, 0]);
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &tcp].concat();
    let wifi = [&[8, 0, 0, 0][..], &[2; 18], &[0, 0], &snap].concat();
    let pppoe = frame::ethernet(&[], 0x8864, &{
        let [high, low] = (tcp.len() as u16 + 2).to_be_bytes();
        framed(&[0x11, 0, 0, 1, high, low, 0, 0x21])
    });
    let of = |link: LinkType, lost: u16, cut: u16, bytes: &[u8]| {
        let at = LinkType::SUPPORTED.iter().position(|known| *known == link);
        let at = at.unwrap_or_else(|| panic!("{link} is not supported")) as u8;
        [&[at][..], &lost.to_be_bytes(), &cut.to_be_bytes(), bytes].concat()
    };
    let whole = |link, bytes: &[u8]| of(link, 0, u16::MAX, bytes);
    vec![
        ("ethernet_tcp", whole(LinkType::ETHERNET, &ethernet(&tcp))),
        ("ethernet_tcp_cut_by_the_capture", of(LinkType::ETHERNET, 100, 60, &ethernet(&tcp))),
        (
            "ethernet_two_vlans_udp",
            whole(LinkType::ETHERNET, &frame::ethernet(&[5, 6], 0x0800, &ip(17, &udp))),
        ),
        (
            "ethernet_mpls",
            whole(LinkType::ETHERNET, &frame::ethernet(&[], 0x8847, &framed(&[0, 1, 1, 64]))),
        ),
        (
            "ethernet_mpls_cut_where_its_payload_is_guessed",
            of(
                LinkType::ETHERNET,
                0,
                30,
                &frame::ethernet(&[], 0x8847, &{
                    let inner = frame::ethernet(&[], 0x0800, &tcp);
                    [&[0, 1, 1, 64][..], &inner].concat()
                }),
            ),
        ),
        ("ethernet_pppoe", whole(LinkType::ETHERNET, &pppoe)),
        ("raw_icmp", whole(LinkType::RAW, &ip(1, &frame::icmp(8, 0, b"ping")))),
        ("raw_ipv6_udp", whole(LinkType::RAW, &v6(17, &udp))),
        (
            "raw_ipv6_extensions_udp",
            whole(
                LinkType::RAW,
                &v6(0, &[&[60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0][..], &udp].concat()),
            ),
        ),
        (
            "raw_ipv6_first_fragment",
            whole(LinkType::RAW, &v6(44, &frame::ipv6_part(17, first, &udp))),
        ),
        (
            "raw_ipv4_first_fragment",
            whole(LinkType::RAW, &frame::ipv4(ENDS[0], ENDS[1], 17, first, &udp)),
        ),
        ("raw_tower_of_tunnels", whole(LinkType::RAW, &tower)),
        ("raw_vxlan", whole(LinkType::RAW, &ip(17, &vxlan))),
        ("raw_gtpu", whole(LinkType::RAW, &ip(17, &gtpu))),
        ("raw_teredo", whole(LinkType::RAW, &ip(17, &teredo))),
        ("null", whole(LinkType::NULL, &framed(&[2, 0, 0, 0]))),
        ("linux_sll", whole(LinkType::LINUX_SLL, &framed(&sll))),
        ("linux_sll2", whole(LinkType::LINUX_SLL2, &framed(&sll2))),
        ("ppp", whole(LinkType::PPP, &framed(&[0xff, 3, 0, 0x21]))),
        ("ppp_address_cut_in_the_middle", of(LinkType::PPP_WITH_DIR, 3840, 2, &[0, 0xff, 3, 0x24])),
        ("cisco_hdlc", whole(LinkType::PPP_HDLC, &framed(&[0x0f, 0, 8, 0]))),
        ("nflog", whole(LinkType::NFLOG, &nflog)),
        ("pktap", whole(LinkType::PKTAP, &pktap)),
        ("ppi", whole(LinkType::PPI, &ppi)),
        ("wifi", whole(LinkType::IEEE802_11, &wifi)),
        (
            "wifi_radiotap",
            whole(LinkType::IEEE802_11_RADIOTAP, &[&[0, 0, 8, 0, 0, 0, 0, 0][..], &wifi].concat()),
        ),
    ]
}

/// Makes a test for `defrag_ops` of fragments: kind, id, offset, length in units of 8, milliseconds,
/// version.
fn defrag(limits: [u8; 5], parts: &[[u8; 6]]) -> Vec<u8> {
    let mut bytes = limits.to_vec();
    for &[kind, id, unit, len, time, version] in parts {
        let [high, low] = (u16::from(unit) * 8).to_be_bytes();
        bytes.extend([kind, id, high, low, len, time, version, 0]);
    }
    bytes
}

fn fragments() -> Vec<(&'static str, Vec<u8>)> {
    const WIDE: [u8; 5] = [0x80, 0, 100, 100, 200];
    const MORE: u8 = 2;
    vec![
        (
            "in_order",
            defrag(WIDE, &[[MORE, 1, 0, 2, 0, 0], [MORE, 1, 2, 2, 1, 0], [0, 1, 4, 1, 1, 0]]),
        ),
        (
            "backwards",
            defrag(WIDE, &[[0, 1, 4, 1, 1, 0], [MORE, 1, 2, 2, 1, 0], [MORE, 1, 0, 2, 0, 0]]),
        ),
        (
            "ipv6_with_copies",
            defrag(
                WIDE,
                &[[3, 1, 0, 2, 0, 0], [3, 1, 0, 2, 0, 0], [1, 1, 2, 2, 1, 0], [1, 1, 2, 2, 1, 0]],
            ),
        ),
        (
            "overlap_and_what_follows",
            defrag(WIDE, &[[MORE, 1, 0, 4, 0, 0], [MORE, 1, 2, 4, 0, 1], [0, 1, 6, 1, 0, 0]]),
        ),
        (
            "two_ends",
            defrag(WIDE, &[[0, 1, 4, 1, 0, 0], [0, 1, 6, 1, 0, 0], [MORE, 1, 0, 4, 0, 0]]),
        ),
        ("too_large", defrag(WIDE, &[[0xc0, 1, 255, 0, 0, 0], [0xc2, 1, 0, 7, 0, 0]])),
        (
            "same_id_again_after_the_time_is_over",
            defrag(
                [0x80, 0, 100, 100, 1],
                &[[MORE, 1, 0, 2, 0, 0], [MORE, 1, 0, 2, 50, 1], [0, 1, 2, 1, 0, 1]],
            ),
        ),
        (
            "more_than_there_is_room_for",
            defrag(
                [1, 0, 2, 3, 200],
                &[
                    [MORE, 1, 0, 7, 0, 0],
                    [MORE, 2, 0, 7, 0, 0],
                    [MORE, 3, 0, 7, 0, 0],
                    [0, 2, 7, 7, 0, 0],
                ],
            ),
        ),
    ]
}

/// Sides, and times, of [`Op`]s.
const ORIG: u8 = 0;
const RESP: u8 = 1;

/// Makes a test for `reassembler_ops`: operations with side, place, length and variation. Places count
/// from 64 bytes before the position of the stream.
fn ops(limits: [u8; 4], ops: &[(Op, u8, u16, u8, u8)]) -> Vec<u8> {
    // The originator's numbers wrap after a hundred bytes.
    let mut bytes = [&limits[..], &[0, 100, 0, 7]].concat();
    for &(op, side, place, len, vary) in ops {
        let [high, low] = place.to_be_bytes();
        bytes.extend([op as u8, side, high, low, len, vary]);
    }
    bytes
}

fn connections() -> Vec<(&'static str, Vec<u8>)> {
    use Op::{Ack, Blind, Cut, Fin, Rst, Seg, Syn, Wait, Wild};
    vec![
        (
            "both_sides_in_order_to_the_end",
            ops(
                [0; 4],
                &[
                    (Seg, ORIG, 64, 90, 0),
                    (Seg, RESP, 64, 200, 0),
                    (Ack, RESP, 0, 90, 0),
                    (Seg, ORIG, 64, 90, 0),
                    (Fin, ORIG, 0, 0, 0),
                    (Fin, RESP, 0, 0, 0),
                ],
            ),
        ),
        (
            "hole_filled_late_with_overlaps",
            ops(
                [0; 4],
                &[
                    (Seg, ORIG, 100, 50, 0),
                    (Seg, ORIG, 120, 60, 251),
                    (Seg, ORIG, 90, 20, 252),
                    (Wait, ORIG, 0, 10, 8),
                    (Seg, ORIG, 60, 70, 0),
                ],
            ),
        ),
        (
            "acknowledged_hole_is_given_up",
            ops(
                [0; 4],
                &[(Seg, ORIG, 100, 50, 0), (Ack, RESP, 0, 200, 0), (Wait, ORIG, 0, 100, 8)],
            ),
        ),
        (
            "fin_waits_behind_a_hole",
            ops([0; 4], &[(Seg, ORIG, 100, 50, 0), (Fin, ORIG, 0, 0, 0), (Seg, ORIG, 64, 36, 0)]),
        ),
        (
            "aged_hole_when_the_next_segment_comes",
            ops(
                [0, 0, 0, 1],
                &[(Seg, ORIG, 981, 211, 0), (Wait, ORIG, 0, 220, 0), (Cut, ORIG, 132, 37, 13)],
            ),
        ),
        (
            "limits_on_segments_and_bytes",
            ops(
                [2, 5, 20, 0],
                &[
                    (Seg, ORIG, 100, 9, 0),
                    (Seg, ORIG, 120, 9, 0),
                    (Seg, ORIG, 140, 90, 0),
                    (Seg, RESP, 70, 80, 0),
                ],
            ),
        ),
        (
            "strangers_can_not_end_it",
            ops(
                [0; 4],
                &[
                    (Seg, ORIG, 64, 20, 0),
                    (Blind, ORIG, 7, 0, 0),
                    (Blind, ORIG, 99, 0, 1),
                    (Blind, RESP, 7, 0, 0),
                    (Syn, ORIG, 0, 0, 0),
                    (Seg, ORIG, 64, 20, 0),
                ],
            ),
        ),
        (
            "reset_and_what_follows",
            ops([0; 4], &[(Seg, ORIG, 90, 20, 0), (Rst, ORIG, 0, 0, 0), (Seg, ORIG, 64, 20, 0)]),
        ),
        (
            "wild_segments",
            ops(
                [0; 4],
                &[(Wild, ORIG, 7, 1, 2), (Wild, RESP, 9, 200, 0x1b), (Wild, ORIG, 3, 8, 4)],
            ),
        ),
    ]
}

/// Makes a test for `engine_frames`: limits and options, then frames of nine numbers.
fn capture(config: [u8; 8], frames: &[(Kind, [u8; 8])]) -> Vec<u8> {
    let mut bytes = config.to_vec();
    for (kind, rest) in frames {
        bytes.push(*kind as u8);
        bytes.extend(rest);
    }
    bytes
}

fn captures() -> Vec<(&'static str, Vec<u8>)> {
    use Kind::{Icmp, Other, Raw, Tcp, Tick, Udp};
    // who (side, flow), wrapping, parts, unit and amount of time, place, length, flags
    const SYN: [u8; 8] = [0, 0, 0, 0, 1, 0, 0, 0x22];
    const SYN_ACK: [u8; 8] = [1, 0, 0, 0, 1, 0, 1, 0x32];
    const DATA: [u8; 8] = [0, 0, 0, 0, 1, 1, 60, 0x10];
    let with = |mut frame: [u8; 8], changes: &[(usize, u8)]| {
        changes.iter().for_each(|&(at, value)| frame[at] = value);
        frame
    };
    let connection = |changes: &[(usize, u8)]| {
        let fin = with(DATA, &[(5, 121), (6, 5), (7, 0x11)]);
        let back = with(DATA, &[(0, 1), (6, 200)]);
        [SYN, SYN_ACK, with(DATA, &[(5, 61)]), DATA, back, fin]
            .map(|frame| (Tcp, with(frame, changes)))
    };
    // The outer flow of a tunnel with nothing inside, when its time is over.
    let empty = frame::ipv4([172, 16, 0, 0], [172, 16, 1, 0], 4, Part::default(), b"no packet");
    let empty = frame::ethernet(&[], 0x0800, &empty);
    let mut late = capture(
        [0; 8],
        &[
            (Udp, [0, 1, 0, 0, 0, 0, 9, 0]),
            (Udp, [2, 0, 0, 11, 7, 0, 9, 0]),
            (Raw, [0, 1, 0, 0, 0, 0, empty.len() as u8, 0]),
        ],
    );
    late.extend(&empty);
    late.extend([Udp as u8, 0, 1, 0, 0, 0, 0, 9, 0]);
    vec![
        ("connection_out_of_order", capture([0; 8], &connection(&[]))),
        (
            "connection_in_vlans_as_part_of_the_key",
            capture([0, 1, 0, 0, 0, 0, 0, 1], &connection(&[(1, 0x60)])),
        ),
        ("connection_in_tunnels", capture([0, 2, 0, 0, 0, 0, 0, 2], &connection(&[(1, 3)]))),
        (
            "connection_in_more_tunnels_than_allowed",
            capture([8, 0, 0, 0, 255, 0, 2, 0], &connection(&[(1, 5)])),
        ),
        ("connection_in_fragments_backwards", capture([0; 8], &connection(&[(2, 0x1a)]))),
        ("connection_cut_by_the_capture", capture([0; 8], &connection(&[(1, 0x80)]))),
        ("connection_up_to_a_depth", capture([4, 0, 0, 0, 0, 70, 0, 3], &connection(&[]))),
        ("connection_with_tight_limits", capture([3, 0, 1, 0x12, 9, 0, 0, 3], &connection(&[]))),
        (
            "many_protocols_and_a_tick",
            capture(
                [0; 8],
                &[
                    (Udp, [0, 0, 0, 0, 0, 0, 40, 0]),
                    (Icmp, [2, 0, 0, 0, 1, 8, 40, 0]),
                    (Icmp, [3, 0, 0, 0, 1, 0, 40, 0]),
                    (Other, [4, 0, 0, 0, 1, 132, 40, 0]),
                    (Tick, [0, 0, 0, 11, 9, 0, 0, 0]),
                    (Udp, [1, 0, 0, 0, 0, 0, 40, 0]),
                ],
            ),
        ),
        (
            "times_back_and_forth_by_years",
            capture(
                [0; 8],
                &[
                    (Tcp, SYN),
                    (Tcp, with(DATA, &[(3, 14), (4, 255)])),
                    (Tcp, with(DATA, &[(3, 13), (4, 255)])),
                    (Tcp, DATA),
                ],
            ),
        ),
        ("tunnel_is_over_before_its_timer_fires", late),
    ]
}
