//! Reading what a server says: a value of RESP2 or RESP3, of any size and depth.

use flowcell_sdk::prelude::*;

use crate::counts::{Counts, MAX_COUNTS};
use crate::number::{Length, MAX_ELEMENTS, MAX_STRING};
use crate::words::{Kept, MAX_SHOWN};

/// How many levels of a value are shown. Redis itself stays below 8.
const MAX_DEPTH: usize = 32;

/// How many elements of an array are kept by themselves: those of a message.
const MAX_ITEMS: usize = 4;

/// Longest part of a line that is read at a time, in bytes.
const MAX_LINE: usize = 512;

/// Why a value could not be read.
#[derive(Debug)]
pub(crate) enum Failure {
    Read(ReadError),
    /// This is no value.
    Malformed(&'static str),
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// A value: what is shown of it.
#[derive(Debug, Default)]
pub(crate) struct Value {
    /// The byte that says its type; 0 if nothing is known yet.
    pub(crate) kind: u8,
    pub(crate) is_null: bool,
    /// Bytes of a string, elements or pairs of an aggregate.
    pub(crate) length: Option<u64>,
    pub(crate) text: Vec<u8>,
    /// There was more than `text` shows.
    pub(crate) is_cut: bool,
    /// The first elements of an array, if they are no aggregates.
    pub(crate) items: Vec<Kept>,
}

/// An aggregate that is being read.
#[derive(Debug, Clone, Copy)]
struct Level {
    /// Elements to come; `None` if a dot ends it.
    left: Option<u64>,
    /// Elements that were there.
    read: u64,
    kind: u8,
}

impl Value {
    /// Reads one value. What was read before a failure is kept.
    pub(crate) async fn read(&mut self, stream: &mut ByteStream) -> Result<(), Failure> {
        let mut levels: Vec<Level> = Vec::new();
        // Within attributes, which say something about the value and are none (RESP3).
        let mut attributes = 0usize;
        loop {
            let item = self.item(stream, &levels, attributes > 0).await?;
            let ended = match item {
                Item::Scalar => None,
                Item::End => levels.pop(),
                Item::Aggregate(level) => {
                    attributes += usize::from(level.kind == b'|');
                    if levels.len() < MAX_DEPTH {
                        levels.push(level);
                        None
                    } else {
                        self.is_cut |= attributes == 0 && level.left != Some(0);
                        self.pass_over(stream, level.left).await?;
                        Some(level)
                    }
                }
            };
            // Whatever has all its elements ends, and is itself an element of what is around it.
            let mut complete = ended.is_some() || matches!(item, Item::Scalar);
            if let Some(ended) = ended
                && self.close(ended, &mut attributes)
            {
                continue;
            }
            loop {
                let Some(level) = levels.last_mut() else {
                    return Ok(());
                };
                if complete {
                    level.read = level.read.saturating_add(1);
                    level.left = level.left.map(|left| left.saturating_sub(1));
                }
                if level.left != Some(0) {
                    break;
                }
                let level = *level;
                levels.pop();
                if self.close(level, &mut attributes) {
                    break;
                }
                complete = true;
            }
        }
    }

    /// Reads the elements of an aggregate, and all that is in them, without showing them. Fails with
    /// `TooLong` if it takes too many counts to find where they end.
    async fn pass_over(
        &mut self,
        stream: &mut ByteStream,
        elements: Option<u64>,
    ) -> Result<(), Failure> {
        let mut counts = Counts::new(elements);
        while !counts.are_over() {
            let left = if counts.is_streamed() { None } else { Some(1) };
            let around = [Level { left, read: 0, kind: b'*' }];
            match self.item(stream, &around, true).await? {
                Item::Scalar => counts.element(),
                Item::End => counts.end(),
                Item::Aggregate(level) => {
                    // Attributes are no element.
                    if level.kind != b'|' {
                        counts.element();
                    }
                    if !counts.open(level.left) {
                        let limit = MAX_COUNTS;
                        return Err(ReadError::TooLong { side: stream.side(), limit }.into());
                    }
                }
            }
        }
        Ok(())
    }

    /// An aggregate has ended; returns whether it were attributes, behind which the value follows.
    fn close(&mut self, level: Level, attributes: &mut usize) -> bool {
        if level.kind == b'|' {
            *attributes = attributes.saturating_sub(1);
            return true;
        }
        if *attributes == 0 {
            self.show(if level.kind == b'%' { b"}" } else { b"]" });
        }
        false
    }

    /// Reads a scalar, or the head of an aggregate.
    async fn item(
        &mut self,
        stream: &mut ByteStream,
        levels: &[Level],
        hidden: bool,
    ) -> Result<Item, Failure> {
        let part = stream.get_line_part(MAX_LINE).await?;
        let (line, last) = (part.line, part.last);
        let Some((&kind, content)) = line.split_first() else {
            return Err(Failure::Malformed("a value has no type"));
        };
        if kind == b'.' && levels.last().is_some_and(|level| level.left.is_none()) {
            return Ok(Item::End);
        }
        if levels.is_empty() && kind != b'|' {
            self.kind = kind;
        }
        match kind {
            b'_' => {
                self.is_null |= levels.is_empty();
                self.nothing(levels, hidden);
                Ok(Item::Scalar)
            }
            b'+' | b'-' | b':' | b',' | b'(' | b'#' => {
                let content: &[u8] = match (kind, content) {
                    (b'#', b"t") => b"true",
                    (b'#', b"f") => b"false",
                    _ => content,
                };
                if !hidden {
                    self.element(levels, content, content.len() as u64);
                }
                if !last {
                    self.is_cut |= !hidden;
                    skip_line(stream).await?;
                }
                Ok(Item::Scalar)
            }
            b'$' | b'=' | b'!' => {
                let length = Length::parse(content, MAX_STRING).filter(|_| last);
                let length = length.ok_or(Failure::Malformed("a string has no length"))?;
                self.string(stream, levels, hidden, length).await?;
                Ok(Item::Scalar)
            }
            b'*' | b'~' | b'>' | b'%' | b'|' => {
                let length = Length::parse(content, MAX_ELEMENTS).filter(|_| last);
                let length = length.ok_or(Failure::Malformed("an array has no length"))?;
                Ok(self.aggregate(levels, hidden, kind, length))
            }
            _ => Err(Failure::Malformed("a value is of no known type")),
        }
    }

    /// The head of an aggregate was read.
    fn aggregate(&mut self, levels: &[Level], hidden: bool, kind: u8, length: Length) -> Item {
        let is_value = levels.is_empty() && kind != b'|';
        let known = match length {
            Length::Null => {
                self.is_null |= is_value;
                self.nothing(levels, hidden);
                return Item::Scalar;
            }
            Length::Known(length) => Some(length),
            Length::Streamed => None,
        };
        if is_value {
            self.length = known;
        }
        if !hidden && kind != b'|' {
            self.separate(levels);
            self.show(if kind == b'%' { b"{" } else { b"[" });
        }
        let pairs = kind == b'%' || kind == b'|';
        let left = known.map(|length| if pairs { length.saturating_mul(2) } else { length });
        Item::Aggregate(Level { left, read: 0, kind })
    }

    /// The content of a string behind its head.
    async fn string(
        &mut self,
        stream: &mut ByteStream,
        levels: &[Level],
        hidden: bool,
        length: Length,
    ) -> Result<(), Failure> {
        match length {
            Length::Null => {
                self.is_null |= levels.is_empty();
                self.nothing(levels, hidden);
            }
            Length::Known(length) => {
                if levels.is_empty() {
                    self.length = Some(length);
                }
                let shown = usize::try_from(length).unwrap_or(MAX_SHOWN).min(MAX_SHOWN);
                match stream.read_exact(shown).await {
                    Ok(bytes) if !hidden => self.element(levels, bytes, length),
                    Ok(_) => {}
                    Err(ReadError::End(end)) if end.unread > 0 && !hidden => {
                        let bytes = stream.rest().await?.unwrap_or_default();
                        self.element(levels, bytes, length);
                        return Err(ReadError::End(end).into());
                    }
                    Err(error) => return Err(error.into()),
                }
                stream.skip(length - shown as u64);
                end_of_string(stream).await?;
            }
            // RESP3: pieces, each behind its length; an empty one is the last.
            Length::Streamed => {
                let mut text = Kept::default();
                loop {
                    let part = stream.get_line_part(MAX_LINE).await?;
                    let digits = part.line.strip_prefix(b";").filter(|_| part.last);
                    let length = digits.and_then(|digits| Length::parse(digits, MAX_STRING));
                    let Some(Length::Known(length)) = length else {
                        return Err(Failure::Malformed("a piece of a string has no length"));
                    };
                    if length == 0 {
                        break;
                    }
                    let room = MAX_SHOWN.saturating_sub(text.bytes.len());
                    let shown = usize::try_from(length).unwrap_or(room).min(room);
                    text.bytes.extend_from_slice(stream.read_exact(shown).await?);
                    text.length = text.length.saturating_add(length);
                    stream.skip(length - shown as u64);
                    end_of_string(stream).await?;
                }
                if levels.is_empty() {
                    self.length = Some(text.length);
                }
                if !hidden {
                    self.element(levels, &text.bytes, text.length);
                }
            }
        }
        Ok(())
    }

    /// Shows a scalar, and keeps it if it is one of the first of an array.
    fn element(&mut self, levels: &[Level], bytes: &[u8], length: u64) {
        self.separate(levels);
        self.show(bytes);
        self.is_cut |= length > bytes.len() as u64;
        self.keep(levels, bytes, length);
    }

    /// Shows that there is nothing.
    fn nothing(&mut self, levels: &[Level], hidden: bool) {
        if !hidden {
            self.separate(levels);
            self.show(b"null");
            self.keep(levels, b"", 0);
        }
    }

    /// Keeps one of the first elements of an array.
    fn keep(&mut self, levels: &[Level], bytes: &[u8], length: u64) {
        let [level] = levels else {
            return;
        };
        let is_next = level.read == self.items.len() as u64 && self.items.len() < MAX_ITEMS;
        if is_next && matches!(level.kind, b'*' | b'>') {
            let bytes = bytes.get(..MAX_SHOWN).unwrap_or(bytes).to_vec();
            self.items.push(Kept { bytes, length });
        }
    }

    /// What stands between the elements of an aggregate.
    fn separate(&mut self, levels: &[Level]) {
        if let Some(level) = levels.last().filter(|level| level.read > 0) {
            let is_value = level.kind == b'%' && level.read & 1 == 1;
            self.show(if is_value { b": " } else { b", " });
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        let room = MAX_SHOWN.saturating_sub(self.text.len());
        let shown = bytes.get(..room).unwrap_or(bytes);
        self.text.extend_from_slice(shown);
        self.is_cut |= shown.len() < bytes.len();
    }

    pub(crate) fn is_error(&self) -> bool {
        matches!(self.kind, b'-' | b'!')
    }

    /// The type's name.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.kind {
            _ if self.is_null => "null",
            b'+' => "simple_string",
            b'-' => "error",
            b':' => "integer",
            b'$' => "bulk_string",
            b'*' => "array",
            b'#' => "boolean",
            b',' => "double",
            b'(' => "big_number",
            b'!' => "bulk_error",
            b'=' => "verbatim_string",
            b'%' => "map",
            b'~' => "set",
            b'>' => "push",
            _ => "null",
        }
    }
}

/// What was read.
#[derive(Debug, Clone, Copy)]
enum Item {
    Scalar,
    Aggregate(Level),
    /// The dot behind an aggregate that came in pieces.
    End,
}

/// Every string ends with CR LF, which its length does not count.
async fn end_of_string(stream: &mut ByteStream) -> Result<(), Failure> {
    match stream.read_exact(2).await? {
        b"\r\n" => Ok(()),
        _ => Err(Failure::Malformed("a string does not end where it should")),
    }
}

async fn skip_line(stream: &mut ByteStream) -> Result<(), ReadError> {
    while !stream.get_line_part(MAX_LINE).await?.last {}
    Ok(())
}
