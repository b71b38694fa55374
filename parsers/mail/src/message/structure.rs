//! What a message is made of: the header and the parts of it, and messages within it.

use super::{Around, FIELD_MAX, Level, Message, Place};
use crate::header::mark;
use crate::inner::Inner;
use crate::part::{Attachment, Passing};
use crate::text::{split, trim};

/// Deepest nesting of multiparts and messages that is followed; ordinary mail has up to 5. What is
/// nested deeper is one part.
const DEPTH_MAX: usize = 16;

/// Most attachments that are described.
const ATTACHMENTS_MAX: usize = 64;

/// Most messages within the message that are described.
const MESSAGES_MAX: usize = 8;

/// Most messages, each within the other, of which the content is hashed as a whole: their bytes are
/// hashed once for each of them.
const HASHED_AROUND_MAX: usize = 2;

impl Message {
    /// Whether a line is a boundary, of which level, and whether it is the closing one.
    pub(super) fn separator(&self, line: &[u8]) -> Option<(usize, bool)> {
        let line = trim(line.strip_prefix(b"--")?);
        // RFC 2046 §5.1.2: a boundary of an outer multipart ends the inner ones as well.
        let levels = self.levels.iter().enumerate().rev();
        for (index, level) in levels.filter(|(_, level)| !level.boundary.is_empty()) {
            match line.strip_prefix(level.boundary.as_slice()) {
                Some(b"") => return Some((index, false)),
                Some(b"--") => return Some((index, true)),
                _ => {}
            }
        }
        None
    }

    pub(super) fn separate(&mut self, level: usize, closes: bool) {
        self.header_is_over(); // the part may have a header and nothing else
        self.end_of_part(true);
        if let Some(level) = self.levels.get(level) {
            self.message = level.message;
        }
        self.leave(if closes { level } else { level + 1 }, true);
        self.place = if closes { Place::Outside } else { Place::Header };
        self.fresh = true;
    }

    /// RFC 5322 §2.2: fields, each perhaps folded, up to an empty line.
    pub(super) fn header_line(&mut self, line: &[u8]) {
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
            let entered = self.around.len();
            self.header_is_over();
            if self.around.len() > entered
                && let Some(around) = self.around.last_mut()
            {
                around.passing.feed(line);
            }
            match self.separator(line) {
                Some((level, closes)) => self.separate(level, closes),
                None => self.part_content(line),
            }
        }
    }

    fn field_ends(&mut self) {
        let field = std::mem::take(&mut self.field);
        if let (name, Some(value)) = split(&field, b':') {
            let (name, value) = (trim(name), trim(value));
            self.entity.field(name, value);
            if self.own_header {
                match self.message.checked_sub(1) {
                    None => self.header.field(name, value, self.field_whole),
                    Some(index) => {
                        if let Some(inner) = self.messages.get_mut(index) {
                            inner.header.field(name, value, self.field_whole);
                        }
                    }
                }
            }
        }
        self.field = field;
        self.field.clear();
    }

    /// The header is over, if one was being read.
    pub(super) fn header_is_over(&mut self) {
        // A message that starts here has a header in turn, and nothing in it: that is no message.
        while self.place == Place::Header {
            self.body_starts();
        }
    }

    /// The header is over: decides what the body is.
    fn body_starts(&mut self) {
        self.field_ends();
        self.own_header = false;
        let entity = std::mem::take(&mut self.entity);
        let digest = self.levels.last().is_some_and(|level| level.digest);
        // RFC 2045 §5.2 and RFC 2046 §5.1.5: what a part is that does not say.
        let default_type: &[u8] = if digest { b"message/rfc822" } else { b"text/plain" };
        let named = entity.media_type();
        let media_type = named.as_deref().unwrap_or(default_type);
        let deep = self.levels.len() >= DEPTH_MAX;
        if media_type.starts_with(b"multipart/")
            && let Some(boundary) = entity.boundary()
        {
            if !deep {
                let digest = media_type == b"multipart/digest";
                self.levels.push(Level { boundary, digest, message: self.message });
                self.place = Place::Outside;
                return;
            }
            self.not_opened();
        }
        // RFC 2046 §5.2.1 and RFC 6532 §3.7.
        let is_message = matches!(media_type, b"message/rfc822" | b"message/global");
        let enters = is_message && entity.is_plain() && !deep;
        if is_message && entity.is_plain() && deep {
            self.not_opened();
        }
        if !enters {
            self.place = Place::Body;
            self.parts = self.parts.saturating_add(1);
        }
        // Looking for its name takes time, for nothing if it is known that there are more.
        let listed =
            self.attachments.len() < ATTACHMENTS_MAX || !self.header.cut.contains(&"attachments");
        let attachment = listed.then(|| entity.attachment(media_type)).flatten();
        let passing = attachment.and_then(|attachment| {
            let hashed = !enters || self.around.len() < HASHED_AROUND_MAX;
            self.describe(attachment, hashed && self.hashed)
        });
        if enters {
            self.enter(passing);
        } else {
            self.passing = passing;
        }
    }

    /// Adds an attachment to the list, if there is room.
    fn describe(&mut self, mut attachment: Attachment, hashed: bool) -> Option<Passing> {
        let index = self.attachments.len();
        let room = index < ATTACHMENTS_MAX;
        if attachment.cut || !room {
            mark("attachments", &mut self.header.cut);
        }
        let passing = Passing::new(index, &attachment.encoding, hashed);
        attachment.message = self.message;
        room.then(|| self.attachments.push(attachment))?;
        Some(passing)
    }

    /// A message starts within the message.
    fn enter(&mut self, passing: Option<Passing>) {
        if let Some(passing) = passing {
            self.around.push(Around { level: self.levels.len(), passing });
        }
        let within = self.message;
        self.levels.push(Level { boundary: Vec::new(), digest: false, message: within });
        self.entered = self.entered.saturating_add(1);
        self.message = self.entered;
        if self.messages.len() < MESSAGES_MAX {
            self.messages.push(Inner::new(within));
        } else {
            mark("messages", &mut self.header.cut);
        }
        self.place = Place::Header;
        self.own_header = true;
        self.fresh = true;
    }

    fn not_opened(&mut self) {
        self.unopened = self.unopened.saturating_add(1);
        mark("parts", &mut self.header.cut);
    }

    /// Forgets the levels from `level` on, and the messages around them end.
    pub(super) fn leave(&mut self, level: usize, at_boundary: bool) {
        self.levels.truncate(level);
        while self.around.last().is_some_and(|around| around.level >= level) {
            if let Some(around) = self.around.pop() {
                around.passing.finish(at_boundary, &mut self.attachments);
            }
        }
    }

    pub(super) fn end_of_part(&mut self, at_boundary: bool) {
        if let Some(passing) = self.passing.take() {
            passing.finish(at_boundary, &mut self.attachments);
        }
    }

    /// Takes content of a part.
    pub(super) fn content(&mut self, piece: &[u8]) {
        self.surround(piece);
        self.part_content(piece);
    }

    /// Content of the part alone.
    pub(super) fn part_content(&mut self, piece: &[u8]) {
        if let Some(passing) = &mut self.passing {
            passing.feed(piece);
        }
    }

    /// Whatever is in a message within the message is content of that.
    pub(super) fn surround(&mut self, piece: &[u8]) {
        for around in &mut self.around {
            around.passing.feed(piece);
        }
    }
}

/// RFC 5322 §3.6.8: a name of printable characters, then a colon; §4.5.8 allows white space between.
fn is_field(line: &[u8]) -> bool {
    let (name, value) = split(line, b':');
    let name = trim(name);
    value.is_some() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}
