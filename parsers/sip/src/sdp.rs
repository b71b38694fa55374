//! Session descriptions (SDP, RFC 4566), as far as they say where media go.

use flowcell_sdk::Text;

use crate::records::Media;
use crate::text::{decimal, shortened, split_word, trim};

/// Most media that are kept of a message.
const MEDIA_MAX: usize = 16;

/// Most formats that are kept of a medium.
const FORMATS_MAX: usize = 32;

/// Longest word that is kept, in bytes: that of a host name.
const WORD_MAX: usize = 255;

/// `m=` (RFC 4566 §5.14).
#[derive(Debug)]
struct Medium {
    kind: Vec<u8>,
    address: Option<Vec<u8>>,
    port: u16,
    protocol: Vec<u8>,
    formats: Vec<Vec<u8>>,
}

/// What was read of a description.
#[derive(Debug, Default)]
pub(crate) struct Sdp {
    /// `c=` before the first medium of the description.
    address: Option<Vec<u8>>,
    /// Where the media of the description begin: a body of several parts may have several.
    first: usize,
    media: Vec<Medium>,
    /// Something was cut at its limit.
    pub(crate) truncated: bool,
}

impl Sdp {
    /// Takes one line.
    pub(crate) fn line(&mut self, line: &[u8]) {
        let Some((kind, value)) = line.split_at_checked(2) else {
            return;
        };
        match kind {
            b"v=" => {
                self.address = None;
                self.first = self.media.len();
            }
            b"c=" => self.connection(value),
            b"m=" => self.medium(value),
            _ => {}
        }
    }

    /// RFC 4566 §5.7: the type of network, of address, and the address; behind a slash, how far a multicast
    /// goes.
    fn connection(&mut self, value: &[u8]) {
        let address = split_word(split_word(trim(value)).1).1;
        let (address, _) = split_word(address);
        let end = address.iter().position(|byte| *byte == b'/').unwrap_or(address.len());
        let address = address.get(..end).unwrap_or_default();
        if address.is_empty() {
            return;
        }
        self.truncated |= address.len() > WORD_MAX;
        let address = Some(shortened(address, WORD_MAX));
        if self.media.len() == self.first {
            self.address = address;
        } else if let Some(medium) = self.media.last_mut() {
            medium.address = address;
        }
    }

    fn medium(&mut self, value: &[u8]) {
        let (kind, rest) = split_word(trim(value));
        let (port, rest) = split_word(rest);
        let (protocol, rest) = split_word(rest);
        // Behind a slash, how many ports.
        let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let port = port.get(..digits).and_then(decimal).and_then(|port| u16::try_from(port).ok());
        let Some(port) = port.filter(|_| !protocol.is_empty()) else {
            return;
        };
        if self.media.len() == MEDIA_MAX {
            self.truncated = true;
            return;
        }
        let words = || rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let formats = words().take(FORMATS_MAX).map(|word| shortened(word, WORD_MAX)).collect();
        self.truncated |= words().nth(FORMATS_MAX).is_some();
        self.truncated |= [kind, protocol].into_iter().chain(words()).any(|w| w.len() > WORD_MAX);
        self.media.push(Medium {
            kind: shortened(kind, WORD_MAX),
            address: self.address.clone(),
            port,
            protocol: shortened(protocol, WORD_MAX),
            formats,
        });
    }

    /// As records show them.
    pub(crate) fn media(&self) -> Vec<Media<'_>> {
        let shown = self.media.iter().map(|medium| Media {
            r#type: Text::from(&*medium.kind),
            address: medium.address.as_deref().map(Text::from),
            port: medium.port,
            protocol: Text::from(&*medium.protocol),
            formats: medium.formats.iter().map(|format| Text::from(&**format)).collect(),
        });
        shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{FORMATS_MAX, MEDIA_MAX, Sdp};

    fn shown(lines: &[&str]) -> Vec<String> {
        let mut sdp = Sdp::default();
        lines.iter().for_each(|line| sdp.line(line.as_bytes()));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let media = sdp.media.iter().map(|medium| {
            let address = medium.address.as_ref().map_or("-".into(), |address| text(address));
            let formats: Vec<String> = medium.formats.iter().map(|format| text(format)).collect();
            let (kind, protocol) = (text(&medium.kind), text(&medium.protocol));
            format!("{kind} {address} {} {protocol} {}", medium.port, formats.join(","))
        });
        media.collect()
    }

    #[test]
    fn media_and_their_addresses() {
        let lines = [
            "v=0",
            "c=IN IP4 10.0.0.1",
            "m=audio 49170/2 RTP/AVP 0 8",
            "m=video 51372 RTP/AVP 31",
            "c=IN IP6 ff15::101/3",
            "m=application 0 udp wb",
            "v=0",
            "m=message 1 TCP/MSRP *",
            "c=IN IP4 host.example.org",
        ];
        let wanted = [
            "audio 10.0.0.1 49170 RTP/AVP 0,8",
            "video ff15::101 51372 RTP/AVP 31",
            "application 10.0.0.1 0 udp wb",
            "message host.example.org 1 TCP/MSRP *",
        ];
        assert_eq!(shown(&lines), wanted);
    }

    #[test]
    fn lines_that_are_wrong() {
        let wrong = [
            "",
            "m",
            "m=",
            "m=audio",
            "m=audio x RTP/AVP",
            "m=audio 70000 RTP/AVP 0",
            "c=",
            "c=IN",
        ];
        assert!(shown(&wrong).is_empty());
    }

    #[test]
    fn more_than_is_kept() {
        let mut sdp = Sdp::default();
        let formats = "1 ".repeat(FORMATS_MAX + 1);
        sdp.line(format!("m=audio 1 x {formats}").as_bytes());
        assert!(sdp.truncated && sdp.media[0].formats.len() == FORMATS_MAX);
        (0..100).for_each(|_| sdp.line(b"m=audio 1 x 0"));
        assert_eq!(sdp.media.len(), MEDIA_MAX);
    }
}
