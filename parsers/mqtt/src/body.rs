//! The rest of a packet: fields one after the other, none longer than what is left.

use flowcell_sdk::prelude::*;

use crate::properties::Properties;

/// Longest text that is kept, in bytes.
pub(crate) const MAX_TEXT: usize = 256;

/// Longest payload that is kept, in bytes.
pub(crate) const MAX_PAYLOAD: usize = 256;

/// Longest list of properties that is read, in bytes.
const MAX_PROPERTIES: u32 = 16_384;

/// The start of a field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) bytes: Vec<u8>,
    /// Bytes of all of it.
    pub(crate) length: u64,
}

impl Kept {
    /// Of a field that is here as a whole.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let kept = bytes.get(..MAX_TEXT).unwrap_or(bytes).to_vec();
        Self { bytes: kept, length: bytes.len() as u64 }
    }

    pub(crate) fn text(&self) -> Text<'_> {
        Text::from(&self.bytes[..])
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.length > self.bytes.len() as u64
    }
}

/// The rest of a packet.
pub(crate) struct Body<'a> {
    pub(crate) stream: &'a mut ByteStream,
    pub(crate) left: u32,
}

impl Body<'_> {
    /// Takes so many bytes off what is left.
    fn claim(&mut self, count: u32) -> Result<()> {
        let left = self.left.checked_sub(count);
        self.left = left.ok_or_else(|| Error::violation("a field is longer than its packet"))?;
        Ok(())
    }

    pub(crate) async fn byte(&mut self) -> Result<u8> {
        self.claim(1)?;
        Ok(self.stream.read_u8().await?)
    }

    pub(crate) async fn word(&mut self) -> Result<u16> {
        self.claim(2)?;
        Ok(self.stream.read_u16().await?)
    }

    /// §1.5.3: a text, or bytes, behind their length. Of them, `max` are kept.
    pub(crate) async fn string(&mut self, max: usize) -> Result<Kept> {
        let length = self.word().await?;
        self.claim(u32::from(length))?;
        let length = usize::from(length);
        let bytes = self.stream.read_exact(length.min(max)).await?.to_vec();
        self.stream.skip((length - bytes.len()) as u64);
        Ok(Kept { bytes, length: length as u64 })
    }

    /// The same, left where it is, and as much of it as is there; nothing if its length is not.
    pub(crate) async fn look_at_string(&mut self, max: usize) -> Option<Kept> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let count = match self.stream.look_ahead(room.min(max + 2)).await {
            Ok(bytes) => bytes.len(),
            Err(ReadError::Gap(gap)) => gap.cut,
            Err(ReadError::End(end)) => end.unread,
            Err(ReadError::TooLong { .. }) => return None,
        };
        let count = count.min(room).min(max + 2);
        let [high, low, bytes @ ..] = self.stream.look_ahead(count).await.ok()? else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let bytes = bytes.get(..length).unwrap_or(bytes).to_vec();
        Some(Kept { bytes, length: length as u64 })
    }

    /// MQTT 5 §2.2.2: the properties behind their length.
    pub(crate) async fn properties(&mut self) -> Result<Properties> {
        let length = self.variable().await?;
        self.claim(length)?;
        if length > MAX_PROPERTIES {
            self.stream.skip(u64::from(length));
            return Ok(Properties { cut: true, ..Properties::default() });
        }
        let bytes = self.stream.read_exact(usize::try_from(length).unwrap_or(0)).await?;
        Properties::parse(bytes).ok_or_else(|| Error::violation("a property is malformed"))
    }

    /// MQTT 5 §1.5.5: a number of one to four bytes.
    async fn variable(&mut self) -> Result<u32> {
        let mut number = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte().await?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Error::violation("the length of properties does not end"))
    }

    /// Leaves out what is left.
    pub(crate) fn skip(self) {
        self.stream.skip(u64::from(self.left));
    }
}
