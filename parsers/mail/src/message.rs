//! A message as it passes: header, parts, boundaries, messages within it.
//!
//! ```text
//!   header ── empty line ──▶ body of one part
//!     ▲        ├ multipart ▶ outside ── "--boundary" ──▶ header of a part ▶ …
//!     │        │                ▲                          │
//!     └────────┘ message        └──── "--boundary--" ◀─────┘
//! ```

mod structure;

use memchr::{memchr, memchr_iter};

use crate::header::{Header, mark};
use crate::inner::Inner;
use crate::part::{Attachment, Entity, Passing};

/// Longest header field that is read, in bytes unfolded: eight lines of the longest kind that RFC
/// 5322 §2.1.1 allows.
const FIELD_MAX: usize = 8_192;

/// Longest line that can be a boundary, in bytes: "--", 70 characters (RFC 2046 §5.1.1) for which
/// some mailers take more, "--", and white space that was added on the way.
const BOUNDARY_LINE_MAX: usize = 256;

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

/// A multipart or a message within the message that was entered.
#[derive(Debug)]
struct Level {
    /// Empty for a message.
    boundary: Vec<u8>,
    /// RFC 2046 §5.1.5: the parts of a digest are messages unless they say otherwise.
    digest: bool,
    /// The message that it is a part of.
    message: usize,
}

/// A message within the message, of which the content passes as that of an attachment does.
#[derive(Debug)]
struct Around {
    /// Its index in `levels`.
    level: usize,
    passing: Passing,
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
    /// Multiparts and messages that were not looked into, because they are nested too deeply.
    pub unopened: u32,
    /// The first of those parts that are attachments, and of the messages within the message, in the
    /// order in which they start.
    pub attachments: Vec<Attachment>,
    /// The first messages within the message.
    pub messages: Vec<Inner>,
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
    /// The header being read is that of a message, not only of a part.
    own_header: bool,
    /// The message that is passing: 0 is the outermost, n the n-th within it.
    message: usize,
    /// Messages within the message that were entered.
    entered: usize,
    entity: Entity,
    levels: Vec<Level>,
    passing: Option<Passing>,
    around: Vec<Around>,
    /// Digests are wanted.
    hashed: bool,
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
            unopened: 0,
            attachments: Vec::new(),
            messages: Vec::new(),
            place: Place::Header,
            taking: Taking::Start,
            line: Vec::new(),
            line_whole: true,
            field: Vec::new(),
            field_whole: true,
            fresh: true,
            own_header: true,
            message: 0,
            entered: 0,
            entity: Entity::default(),
            levels: Vec::new(),
            passing: None,
            around: Vec::new(),
            hashed: true,
        })
    }

    /// A message whose start was not seen.
    #[must_use]
    pub fn midway() -> Box<Self> {
        let mut message = Self::new();
        message.incomplete = true;
        message
    }

    /// The body of a message, or of a part of one, without its header.
    #[must_use]
    pub fn without_header() -> Box<Self> {
        let mut message = Self::new();
        message.place = Place::Body;
        message.parts = 1;
        message
    }

    /// Only a part of the content was asked for: a digest of it would tell nothing.
    pub fn is_partial(&mut self) {
        self.hashed = false;
        let around = self.around.iter_mut().map(|around| &mut around.passing);
        around.chain(&mut self.passing).for_each(Passing::unhash);
    }

    /// The header is over, whether its last line was there or not: what comes next is the body.
    pub fn body_follows(&mut self) {
        if self.taking == Taking::Collect {
            self.whole_line();
            self.taking = Taking::Start;
        }
        self.header_is_over();
    }

    /// Takes the next piece: the more at once, the faster.
    pub fn feed(&mut self, mut piece: &[u8]) {
        self.size += piece.len() as u64;
        while !piece.is_empty() {
            let run = self.plain_run(piece);
            let step = match run {
                0 => memchr(b'\n', piece).map_or(piece.len(), |at| at + 1),
                run => run,
            };
            let (now, rest) = piece.split_at(step);
            if run > 0 {
                self.content(now);
                self.taking = if now.ends_with(b"\n") { Taking::Start } else { Taking::Pass };
            } else {
                self.line_piece(now);
            }
            piece = rest;
        }
    }

    /// How much at the start of `piece` can only be content: it ends before a line that may be a
    /// boundary.
    fn plain_run(&self, piece: &[u8]) -> usize {
        let starts = match (self.place, self.taking) {
            (Place::Header, _) | (_, Taking::Collect | Taking::Drop) => return 0,
            (_, taking) => taking == Taking::Start,
        };
        if self.levels.iter().all(|level| level.boundary.is_empty()) {
            return piece.len();
        }
        let may_separate = |at: usize| {
            let starts = if at == 0 { starts } else { piece[at - 1] == b'\n' };
            starts && matches!(piece.get(at + 1), None | Some(b'-'))
        };
        memchr_iter(b'-', piece).find(|at| may_separate(*at)).unwrap_or(piece.len())
    }

    /// `missed` bytes are missing here.
    pub fn gap(&mut self, missed: u64) {
        self.missed = self.missed.saturating_add(missed);
        self.incomplete = true;
        self.line.clear();
        self.line_whole = true;
        let around = self.around.iter_mut().map(|around| &mut around.passing);
        around.chain(&mut self.passing).for_each(Passing::gap);
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
            + self.messages.iter().map(Inner::weight).sum::<usize>()
            + self.attachments.len() * size_of::<Attachment>()
            + attachments
    }

    /// Whether it has a header field of those that are kept: what has none may be no message.
    #[must_use]
    pub fn has_header(&self) -> bool {
        self.header.weight() > 0
    }

    /// The message is over.
    pub fn finish(&mut self) {
        self.body_follows();
        self.end_of_part(false);
        self.leave(0, false);
        if self.messages.iter().any(Inner::is_cut) {
            mark("messages", &mut self.header.cut);
        }
        // What follows is only kept until the message is reported.
        self.line = Vec::new();
        self.field = Vec::new();
        self.levels = Vec::new();
    }

    /// Takes a line, or a piece of one without its end.
    fn line_piece(&mut self, piece: &[u8]) {
        let ends = piece.ends_with(b"\n");
        if self.taking == Taking::Drop {
            self.surround(piece);
        } else {
            self.taking = Taking::Collect;
            self.collect(piece, ends);
        }
        if ends {
            self.taking = Taking::Start;
        }
    }

    fn collect(&mut self, piece: &[u8], ends: bool) {
        let max = if self.place == Place::Header { FIELD_MAX } else { BOUNDARY_LINE_MAX };
        let room = max.saturating_sub(self.line.len());
        if piece.len() > room {
            // Too long for a boundary: content after all, at least of the messages around.
            if self.line_whole {
                let line = std::mem::take(&mut self.line);
                self.surround(&line);
                self.line = line;
            }
            self.line_whole = false;
            self.surround(piece);
            if self.place != Place::Header {
                let line = std::mem::take(&mut self.line);
                self.part_content(&line);
                self.part_content(piece);
                self.line_whole = true;
                self.taking = Taking::Pass;
                return;
            }
        } else if !self.line_whole {
            self.surround(piece);
        }
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
        if ends {
            self.whole_line();
        }
    }

    /// Takes the line that was collected.
    fn whole_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        let separator = self.separator(&line).filter(|_| self.line_whole);
        if let Some((level, closes)) = separator {
            self.separate(level, closes);
        }
        if self.line_whole {
            self.surround(&line);
        }
        match self.place {
            _ if separator.is_some() => {}
            Place::Header => self.header_line(&line),
            Place::Body | Place::Outside => self.part_content(&line),
        }
        line.clear();
        self.line = line; // keeps its room
        self.line_whole = true;
    }
}
