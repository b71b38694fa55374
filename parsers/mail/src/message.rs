//! A message as it passes: header, parts, boundaries.
//!
//! ```text
//!   header ── empty line ──▶ body of one part
//!              └ multipart ▶ outside ── "--boundary" ──▶ header of a part ▶ …
//!                               ▲                          │
//!                               └──── "--boundary--" ◀─────┘
//! ```

use memchr::memchr;

use super::header::{Header, mark};
use super::part::{Attachment, Entity, Passing};
use super::text::{split, trim};

/// Longest header field that is read, in bytes unfolded: eight lines of the longest kind that RFC
/// 5322 §2.1.1 allows.
const FIELD_MAX: usize = 8_192;

/// Longest line that can be a boundary, in bytes: "--", 70 characters (RFC 2046 §5.1.1) for which
/// some mailers take more, "--", and white space that was added on the way.
const BOUNDARY_LINE_MAX: usize = 256;

/// Deepest nesting of multiparts that is followed; ordinary mail has up to 5. What is nested deeper
/// is one part.
const DEPTH_MAX: usize = 16;

/// Most attachments that are described.
const ATTACHMENTS_MAX: usize = 64;

/// Where the next line belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The header of the message or of a part.
    Header,
    /// The content of a part.
    Body,
    /// Before the first part of a multipart or behind the last: not to be shown (RFC 2046 §5.1.1).
    Outside,
}

/// How the current line is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    /// A new line starts.
    Start,
    /// It is collected in `line`.
    Collect,
    /// It passes as content.
    Pass,
    /// It is dropped up to its end, because its start is missing.
    Drop,
}

/// A line end that is held back: in front of a boundary it is not content (RFC 2046 §5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Cr,
    Lf,
    CrLf,
}

/// A multipart that was entered.
#[derive(Debug)]
struct Level {
    boundary: Vec<u8>,
    /// RFC 2046 §5.1.5: the parts of a digest are messages unless they say otherwise.
    digest: bool,
}

/// A message as far as it has passed.
#[derive(Debug)]
pub struct Message {
    /// What its header says.
    pub header: Header,
    /// Bytes that passed.
    pub size: u64,
    /// Bytes that are missing.
    pub missed: u64,
    /// Its start or end is not there, or bytes between them.
    pub incomplete: bool,
    /// Parts that hold content themselves, as far as they were reached.
    pub parts: u32,
    /// The first of those that are attachments.
    pub attachments: Vec<Attachment>,
    place: Place,
    taking: Taking,
    line: Vec<u8>,
    /// All of the line was collected.
    line_whole: bool,
    /// The header field being collected, unfolded.
    field: Vec<u8>,
    /// All of the field was collected.
    field_whole: bool,
    /// No header field was seen yet.
    fresh: bool,
    /// The header being read is the message's own.
    outermost: bool,
    entity: Entity,
    levels: Vec<Level>,
    passing: Option<Passing>,
    held: Held,
}

impl Message {
    /// A message from its first byte.
    #[must_use]
    #[inline(never)]
    pub fn new() -> Box<Self> {
        Box::new(Self {
            header: Header::default(),
            size: 0,
            missed: 0,
            incomplete: false,
            parts: 0,
            attachments: Vec::new(),
            place: Place::Header,
            taking: Taking::Start,
            line: Vec::new(),
            line_whole: true,
            field: Vec::new(),
            field_whole: true,
            fresh: true,
            outermost: true,
            entity: Entity::default(),
            levels: Vec::new(),
            passing: None,
            held: Held::Nothing,
        })
    }

    /// A message whose start was not seen.
    #[must_use]
    pub fn midway() -> Box<Self> {
        let mut message = Self::new();
        message.incomplete = true;
        message
    }

    /// Takes the next piece.
    pub fn feed(&mut self, mut piece: &[u8]) {
        self.size += piece.len() as u64;
        while !piece.is_empty() {
            let end = memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
            let (line, rest) = piece.split_at(end);
            self.line_piece(line);
            piece = rest;
        }
    }

    /// `missed` bytes are missing here.
    pub fn gap(&mut self, missed: u64) {
        self.missed = self.missed.saturating_add(missed);
        self.incomplete = true;
        self.line.clear();
        self.line_whole = true;
        self.held = Held::Nothing;
        if let Some(passing) = &mut self.passing {
            passing.gap();
        }
        self.taking = match self.place {
            Place::Header => Taking::Drop,
            Place::Body | Place::Outside => Taking::Start,
        };
    }

    /// The bytes that it takes to remember it, roughly.
    #[must_use]
    pub fn weight(&self) -> usize {
        let texts = |attachment: &Attachment| {
            attachment.content_type.len() + attachment.name.as_ref().map_or(0, Vec::len)
        };
        let attachments: usize = self.attachments.iter().map(texts).sum();
        size_of::<Self>()
            + self.header.weight()
            + self.attachments.len() * size_of::<Attachment>()
            + attachments
    }

    /// The message is over.
    pub fn finish(&mut self) {
        if self.taking == Taking::Collect {
            self.whole_line();
        }
        if self.place == Place::Header {
            self.body_starts();
        }
        self.release();
        self.part_ends();
        // What follows is only kept until the message is reported.
        self.line = Vec::new();
        self.field = Vec::new();
        self.levels = Vec::new();
    }

    /// Takes a line, or a piece of one without its end.
    fn line_piece(&mut self, piece: &[u8]) {
        let ends = piece.ends_with(b"\n");
        if self.taking == Taking::Start {
            let may_separate = !self.levels.is_empty() && piece.starts_with(b"-");
            self.taking = match self.place {
                Place::Header => Taking::Collect,
                Place::Body | Place::Outside if may_separate => Taking::Collect,
                Place::Body | Place::Outside => Taking::Pass,
            };
        }
        match self.taking {
            Taking::Pass => self.content(piece),
            Taking::Start | Taking::Drop => {}
            Taking::Collect => self.collect(piece, ends),
        }
        if ends {
            self.taking = Taking::Start;
        }
    }

    fn collect(&mut self, piece: &[u8], ends: bool) {
        let max = if self.place == Place::Header { FIELD_MAX } else { BOUNDARY_LINE_MAX };
        let room = max.saturating_sub(self.line.len());
        if piece.len() > room && self.place != Place::Header {
            // Too long for a boundary: content after all.
            let line = std::mem::take(&mut self.line);
            self.content(&line);
            self.content(piece);
            self.taking = Taking::Pass;
            return;
        }
        self.line_whole &= piece.len() <= room;
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
        if ends {
            self.whole_line();
        }
    }

    /// Takes the line that was collected.
    fn whole_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        match (self.separator(&line), self.place) {
            (Some((level, closes)), _) => self.separate(level, closes),
            (None, Place::Header) => self.header_line(&line),
            (None, Place::Body | Place::Outside) => self.content(&line),
        }
        line.clear();
        self.line = line; // keeps its room
        self.line_whole = true;
    }

    /// Whether a line is a boundary, of which level, and whether it is the closing one.
    fn separator(&self, line: &[u8]) -> Option<(usize, bool)> {
        let line = trim(line.strip_prefix(b"--")?);
        // RFC 2046 §5.1.2: a boundary of an outer multipart ends the inner ones as well.
        for (index, level) in self.levels.iter().enumerate().rev() {
            match line.strip_prefix(level.boundary.as_slice()) {
                Some(b"") => return Some((index, false)),
                Some(b"--") => return Some((index, true)),
                _ => {}
            }
        }
        None
    }

    fn separate(&mut self, level: usize, closes: bool) {
        if self.place == Place::Header {
            self.body_starts(); // the part has a header and nothing else
        }
        self.held = Held::Nothing;
        self.part_ends();
        self.levels.truncate(if closes { level } else { level + 1 });
        self.place = if closes { Place::Outside } else { Place::Header };
        self.fresh = true;
    }

    /// RFC 5322 §2.2: fields, each perhaps folded, up to an empty line.
    fn header_line(&mut self, line: &[u8]) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            self.body_starts();
        } else if text.starts_with(b" ") || text.starts_with(b"\t") {
            // RFC 5322 §2.2.3: unfolding removes the line end and nothing else.
            let room = FIELD_MAX.saturating_sub(self.field.len());
            if !self.field.is_empty() {
                self.field_whole &= self.line_whole && text.len() <= room;
                self.field.extend_from_slice(&text[..text.len().min(room)]);
            }
        } else if is_field(text) {
            self.field_ends();
            self.field_whole = self.line_whole;
            self.field.extend_from_slice(text);
            self.fresh = false;
        } else if self.fresh && (self.incomplete || text.starts_with(b"From ")) {
            // The rest of a line whose start was missed, or the line that a mailbox file starts with.
        } else {
            // Not a field: the empty line is missing.
            self.body_starts();
            self.content(line);
        }
    }

    fn field_ends(&mut self) {
        let field = std::mem::take(&mut self.field);
        if let (name, Some(value)) = split(&field, b':') {
            let (name, value) = (trim(name), trim(value));
            self.entity.field(name, value);
            if self.outermost {
                self.header.field(name, value, self.field_whole);
            }
        }
        self.field = field;
        self.field.clear();
    }

    /// The header is over: decides what the body is.
    fn body_starts(&mut self) {
        self.field_ends();
        self.outermost = false;
        let entity = std::mem::take(&mut self.entity);
        let digest = self.levels.last().is_some_and(|level| level.digest);
        let media_type = entity.media_type();
        let media_type = media_type.as_deref().unwrap_or(b"");
        if media_type.starts_with(b"multipart/")
            && let Some(boundary) = entity.boundary()
        {
            if self.levels.len() < DEPTH_MAX {
                self.levels.push(Level { boundary, digest: media_type == b"multipart/digest" });
                self.place = Place::Outside;
                return;
            }
            mark("parts", &mut self.header.cut);
        }
        self.place = Place::Body;
        self.parts = self.parts.saturating_add(1);
        // RFC 2045 §5.2 and RFC 2046 §5.1.5: what a part is that does not say.
        let default_type = if digest { "message/rfc822" } else { "text/plain" };
        let Some(attachment) = entity.attachment(default_type) else {
            return;
        };
        if attachment.cut || self.attachments.len() == ATTACHMENTS_MAX {
            mark("attachments", &mut self.header.cut);
        }
        if self.attachments.len() < ATTACHMENTS_MAX {
            self.passing = Some(Passing::new(attachment));
        }
    }

    fn part_ends(&mut self) {
        if let Some(passing) = self.passing.take() {
            self.attachments.push(passing.finish());
        }
    }

    /// Takes a piece of content that has a line end at its end or nowhere.
    fn content(&mut self, piece: &[u8]) {
        if self.passing.is_none() || piece.is_empty() {
            return;
        }
        if self.held == Held::Cr && piece == b"\n" {
            self.held = Held::CrLf;
            return;
        }
        self.release();
        let (text, held) = match piece {
            [text @ .., b'\r', b'\n'] => (text, Held::CrLf),
            [text @ .., b'\n'] => (text, Held::Lf),
            [text @ .., b'\r'] => (text, Held::Cr),
            text => (text, Held::Nothing),
        };
        self.held = held;
        if let Some(passing) = &mut self.passing {
            passing.feed(text);
        }
    }

    /// The line end that was held back is content.
    fn release(&mut self) {
        let held: &[u8] = match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Nothing => return,
            Held::Cr => b"\r",
            Held::Lf => b"\n",
            Held::CrLf => b"\r\n",
        };
        if let Some(passing) = &mut self.passing {
            passing.feed(held);
        }
    }
}

/// RFC 5322 §3.6.8: a name of printable characters, then a colon; §4.5.8 allows white space between.
fn is_field(line: &[u8]) -> bool {
    let (name, value) = split(line, b':');
    let name = trim(name);
    value.is_some() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}
