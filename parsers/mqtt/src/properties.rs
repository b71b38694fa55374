//! Properties of MQTT 5 (§2.2.2.2): what of them is shown.

use crate::body::Kept;

/// What is shown of a packet's properties.
#[derive(Debug, Default)]
pub(crate) struct Properties {
    pub(crate) topic_alias: Option<u16>,
    pub(crate) content_type: Option<Kept>,
    pub(crate) response_topic: Option<Kept>,
    pub(crate) assigned_client_id: Option<Kept>,
    pub(crate) reason_string: Option<Kept>,
    /// How many user properties there are.
    pub(crate) user: u32,
    /// They were too long to be read.
    pub(crate) cut: bool,
}

impl Properties {
    /// Reads all of them; `None` if one is unknown or longer than the rest.
    pub(crate) fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut properties = Self::default();
        while let Some((id, rest)) = bytes.split_first() {
            bytes = rest;
            match id {
                // One byte.
                0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => bytes = bytes.get(1..)?,
                // Two bytes.
                0x13 | 0x21 | 0x22 => bytes = bytes.get(2..)?,
                0x23 => {
                    let (alias, rest) = bytes.split_first_chunk()?;
                    properties.topic_alias = Some(u16::from_be_bytes(*alias));
                    bytes = rest;
                }
                // Four bytes.
                0x02 | 0x11 | 0x18 | 0x27 => bytes = bytes.get(4..)?,
                // One to four bytes.
                0x0b => {
                    let last = bytes.iter().take(4).position(|byte| byte & 0x80 == 0)?;
                    bytes = bytes.get(last + 1..)?;
                }
                // A text, or bytes.
                0x03 => properties.content_type = Some(string(&mut bytes)?),
                0x08 => properties.response_topic = Some(string(&mut bytes)?),
                0x12 => properties.assigned_client_id = Some(string(&mut bytes)?),
                0x1f => properties.reason_string = Some(string(&mut bytes)?),
                0x09 | 0x15 | 0x16 | 0x1a | 0x1c => drop(string(&mut bytes)?),
                // Two texts.
                0x26 => {
                    string(&mut bytes)?;
                    string(&mut bytes)?;
                    properties.user = properties.user.saturating_add(1);
                }
                _ => return None,
            }
        }
        Some(properties)
    }
}

fn string(bytes: &mut &[u8]) -> Option<Kept> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *bytes = rest;
    Some(Kept::new(text))
}

#[cfg(test)]
mod tests {
    use super::Properties;

    #[test]
    fn all_kinds_and_lengths() {
        let bytes = b"\x01\x01\x13\0\x05\x23\0\x07\x11\0\0\0\x09\x0b\xff\x7f\x03\0\x01t\x09\0\x02xx\x26\0\x01a\0\0";
        let properties = Properties::parse(bytes).unwrap();
        assert_eq!((properties.topic_alias, properties.user), (Some(7), 1));
        assert_eq!(properties.content_type.unwrap().bytes, b"t");
        let whole = [2, 5, 8, 13, 16, 20, 25].into_iter().chain([0, bytes.len()]);
        let whole: Vec<usize> = whole.collect();
        for length in 0..=bytes.len() {
            let parsed = Properties::parse(&bytes[..length]);
            assert_eq!(parsed.is_some(), whole.contains(&length), "{length}");
        }
        assert!(Properties::parse(b"\x7f").is_none());
        assert!(Properties::parse(b"\x0b\xff\xff\xff\xff\x01").is_none());
    }
}
