//! The demo capture as others would have seen it: cut finer, repeated, out of order.

use std::net::{IpAddr, SocketAddr};

use etherparse::{NetHeaders, PacketHeaders, TransportHeader};

/// A capture: the file header and the frames.
#[derive(Clone)]
pub(crate) struct Capture {
    header: Vec<u8>,
    frames: Vec<Frame>,
}

/// A frame with its time as it stands in the file.
#[derive(Clone)]
struct Frame {
    time: [u8; 8],
    bytes: Vec<u8>,
}

/// Length of a capture's header, and of that of each frame.
const FILE_HEADER: usize = 24;
const FRAME_HEADER: usize = 16;

impl Capture {
    /// Reads a little-endian capture in the classic format whose frames are whole.
    pub(crate) fn read(file: &[u8]) -> Self {
        let (header, mut rest) = file.split_at(FILE_HEADER);
        assert_eq!(header[..4], 0xa1b2_c3d4_u32.to_le_bytes());
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let (head, behind) = rest.split_at(FRAME_HEADER);
            assert_eq!(head[8..12], head[12..16], "a frame that is not whole");
            let length = u32::from_le_bytes(head[8..12].try_into().unwrap());
            let (bytes, behind) = behind.split_at(usize::try_from(length).unwrap());
            frames.push(Frame { time: head[..8].try_into().unwrap(), bytes: bytes.to_vec() });
            rest = behind;
        }
        Self { header: header.to_vec(), frames }
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut file = self.header.clone();
        for frame in &self.frames {
            let length = u32::try_from(frame.bytes.len()).unwrap().to_le_bytes();
            file.extend([&frame.time[..], &length, &length, &frame.bytes].concat());
        }
        file
    }

    /// Cuts the data of every segment into pieces of `size` bytes. Only the last piece of a segment
    /// keeps its PSH and FIN.
    pub(crate) fn cut(&self, size: usize) -> Self {
        let cut = |frame: &Frame| match payload(&frame.bytes).len() {
            length if length > size => pieces(frame, size),
            _ => vec![frame.clone()],
        };
        Self { header: self.header.clone(), frames: self.frames.iter().flat_map(cut).collect() }
    }

    /// Has every second segment with data come twice.
    pub(crate) fn doubled(&self) -> Self {
        let mut count = 0;
        let doubled = |frame: &Frame| {
            count += usize::from(!payload(&frame.bytes).is_empty());
            let twice = !payload(&frame.bytes).is_empty() && count % 2 == 0;
            vec![frame.clone(); if twice { 2 } else { 1 }]
        };
        Self { header: self.header.clone(), frames: self.frames.iter().flat_map(doubled).collect() }
    }

    /// Swaps neighbours: two segments with data that one side sent without hearing of the other in
    /// between. Each then comes at the other's time. Returns how many pairs there were, too.
    pub(crate) fn swapped(&self) -> (Self, usize) {
        let mut frames = self.frames.clone();
        let mut swaps = 0;
        // The last frame of each connection, unless it has been swapped.
        let mut last: Vec<([SocketAddr; 2], usize)> = Vec::new();
        for index in 0..frames.len() {
            let Some((from, to)) = ends(&frames[index].bytes) else { continue };
            let before =
                last.iter().position(|(ends, _)| *ends == [from, to] || *ends == [to, from]);
            let before = before.map(|found| last.swap_remove(found));
            let here = &frames[index].bytes;
            if let Some((ends, other)) = before
                && ends == [from, to]
                && !payload(here).is_empty()
                && !payload(&frames[other].bytes).is_empty()
            {
                let bytes = std::mem::take(&mut frames[other].bytes);
                frames[other].bytes = std::mem::replace(&mut frames[index].bytes, bytes);
                swaps += 1;
            } else {
                last.push(([from, to], index));
            }
        }
        (Self { header: self.header.clone(), frames }, swaps)
    }
}

/// The headers of a frame that carries TCP.
fn headers(frame: &[u8]) -> Option<PacketHeaders<'_>> {
    let headers = PacketHeaders::from_ethernet_slice(frame).ok()?;
    matches!(headers.transport, Some(TransportHeader::Tcp(_))).then_some(headers)
}

/// What a frame carries over TCP.
fn payload(frame: &[u8]) -> &[u8] {
    headers(frame).map(|headers| headers.payload.slice()).unwrap_or_default()
}

/// Who sent it to whom.
fn ends(frame: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let headers = headers(frame)?;
    let (from, to): (IpAddr, IpAddr) = match headers.net? {
        NetHeaders::Ipv4(ip, _) => (ip.source.into(), ip.destination.into()),
        NetHeaders::Ipv6(ip, _) => (ip.source.into(), ip.destination.into()),
        NetHeaders::Arp(_) => return None,
    };
    let tcp = headers.transport?.tcp()?;
    Some(((from, tcp.source_port).into(), (to, tcp.destination_port).into()))
}

fn pieces(frame: &Frame, size: usize) -> Vec<Frame> {
    let headers = headers(&frame.bytes).expect("a segment");
    let payload = headers.payload.slice();
    let original = headers.transport.clone().and_then(TransportHeader::tcp).expect("a segment");
    let pieces = payload.chunks(size).enumerate().map(|(index, piece)| {
        let offset = u32::try_from(index * size).unwrap();
        let mut tcp = original.clone();
        tcp.sequence_number = tcp.sequence_number.wrapping_add(offset);
        if index * size + piece.len() < payload.len() {
            (tcp.psh, tcp.fin) = (false, false);
        }
        let mut net = headers.net.clone().expect("an IP header");
        let mut bytes = Vec::new();
        headers.link.as_ref().expect("a link header").write(&mut bytes).unwrap();
        match &mut net {
            NetHeaders::Ipv4(ip, _) => {
                ip.set_payload_len(tcp.header_len() + piece.len()).unwrap();
                tcp.checksum = tcp.calc_checksum_ipv4(ip, piece).unwrap();
                ip.write(&mut bytes).unwrap();
            }
            NetHeaders::Ipv6(ip, _) => {
                ip.set_payload_length(tcp.header_len() + piece.len()).unwrap();
                tcp.checksum = tcp.calc_checksum_ipv6(ip, piece).unwrap();
                ip.write(&mut bytes).unwrap();
            }
            NetHeaders::Arp(_) => panic!("TCP over ARP"),
        }
        tcp.write(&mut bytes).unwrap();
        bytes.extend(piece);
        Frame { time: frame.time, bytes }
    });
    pieces.collect()
}
