//! The tcpdump filter for files, compiled and run by libpcap.
//!
//! A filter's program depends on the link type, so it is compiled once for each one met. It sees a
//! frame's captured bytes; `len`, `less` and `greater` mean the captured length.

use std::fmt;

use flowcell_core::LinkType;
use pcap::{BpfProgram, Capture, Linktype};

use super::{CaptureError, dlt};

/// Link types on which a filter is tried before the run, as `DLT_`: Ethernet first, then those
/// with words of their own (802.11 with and without radiotap, cooked, PPP, pf logs, ATM, SS7).
const TRIED: [i32; 9] = [1, 105, 127, 113, 276, 9, 117, 123, 140];

/// A tcpdump filter for frames of any link type.
pub struct Filter {
    expression: String,
    /// Per `DLT_` number: the program, or why there is none.
    programs: Vec<(i32, Result<BpfProgram, String>)>,
}

impl Filter {
    /// Checks a filter, as [pcap-filter(7)](https://www.tcpdump.org/manpages/pcap-filter.7.html)
    /// describes them. An empty one passes everything.
    ///
    /// # Errors
    ///
    /// [`CaptureError::Filter`] with libpcap's message if no link type can use it.
    pub fn new(expression: &str) -> Result<Self, CaptureError> {
        let mut programs = Vec::new();
        for dlt in TRIED {
            let program = compile(expression, dlt);
            let sound = program.is_ok();
            programs.push((dlt, program));
            if sound {
                return Ok(Self { expression: expression.to_owned(), programs });
            }
        }
        let message = match programs.into_iter().next() {
            Some((_, Err(message))) => message,
            _ => String::new(),
        };
        Err(CaptureError::Filter { filter: expression.to_owned(), message })
    }

    /// Returns the filter as it was given.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Returns whether a frame passes.
    ///
    /// # Errors
    ///
    /// libpcap's message if the filter cannot be used on this link type.
    pub fn passes(&mut self, link: LinkType, bytes: &[u8]) -> Result<bool, &str> {
        let dlt = dlt::of_frame(link, bytes);
        let known = self.programs.iter().position(|(of, _)| *of == dlt);
        let index = known.unwrap_or_else(|| {
            self.programs.push((dlt, compile(&self.expression, dlt)));
            self.programs.len() - 1
        });
        match self.programs.get(index) {
            Some((_, Ok(program))) => Ok(program.filter(bytes)),
            Some((_, Err(message))) => Err(message),
            None => Ok(false),
        }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.expression).finish()
    }
}

fn compile(expression: &str, dlt: i32) -> Result<BpfProgram, String> {
    Capture::dead(Linktype(dlt))
        .and_then(|capture| capture.compile(expression, true))
        .map_err(|error| message(&error))
}

/// Returns libpcap's words without the wrapper's prefix.
pub(super) fn message(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(message) => message.trim().replace('\n', " "),
        pcap::Error::InvalidInputString => "it contains a zero byte".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ethernet frame with an IPv4 header and the given ports.
    fn tcp(source: u16, destination: u16) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1]);
        frame.extend([127, 0, 0, 1]);
        frame.extend(source.to_be_bytes());
        frame.extend(destination.to_be_bytes());
        frame.resize(54, 0);
        frame
    }

    #[test]
    fn passes_what_it_describes_on_each_link_type() {
        let mut filter = Filter::new("tcp port 25").unwrap();
        let frame = tcp(40_000, 25);
        assert_eq!(filter.passes(LinkType(1), &frame), Ok(true));
        assert_eq!(filter.passes(LinkType(1), &tcp(40_000, 80)), Ok(false));
        assert_eq!(filter.passes(LinkType(101), &frame[14..]), Ok(true)); // raw IP
        assert_eq!(filter.passes(LinkType(101), &frame), Ok(false));
        assert_eq!(filter.passes(LinkType(1), &[]), Ok(false));
    }

    #[test]
    fn loopback_frames_pass_in_either_byte_order() {
        let mut filter = Filter::new("tcp port 25").unwrap();
        for family in [[2, 0, 0, 0], [0, 0, 0, 2]] {
            let frame = [&family[..], &tcp(40_000, 25)[14..]].concat();
            assert_eq!(filter.passes(LinkType(0), &frame), Ok(true));
        }
    }

    #[test]
    fn an_empty_filter_passes_everything() {
        let mut filter = Filter::new("").unwrap();
        assert_eq!(filter.passes(LinkType(1), b"x"), Ok(true));
    }

    #[test]
    fn a_bad_filter_is_refused_with_its_text() {
        let text = Filter::new("tcp prot 25").unwrap_err().to_string();
        assert!(text.starts_with("bad filter `tcp prot 25`: "), "{text}");
        assert!(text.ends_with("see pcap-filter(7) for the syntax"), "{text}");
        assert!(Filter::new("tcp\0").unwrap_err().to_string().contains("zero byte"));
    }

    #[test]
    fn a_filter_for_another_link_type_is_sound_but_says_so() {
        let mut filter = Filter::new("wlan type mgt").unwrap();
        assert!(filter.passes(LinkType(1), &tcp(1, 2)).is_err());
        assert!(filter.passes(LinkType(105), &[0; 40]).is_ok());
        assert!(Filter::new("tcp").unwrap().passes(LinkType(65_000), b"x").is_err());
    }
}
