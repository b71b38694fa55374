//! FETCH responses (RFC 9051 §7.5.2): what they hold of mails.

use flowcell_mail::{Message, same};

use crate::items::{Items, Kind, Section};
use crate::literal::Literal;
use crate::session::Of;
use crate::talk::Talk;

/// A mail as far as it has passed.
#[derive(Debug)]
struct Current {
    message: Box<Message>,
    section: Section,
}

/// A response with data, as it passes. Of others than FETCH, only the literals matter: they are left out.
#[derive(Debug)]
pub(crate) struct Fetch {
    items: Items,
    /// Absent if it is no FETCH.
    mails: Option<Mails>,
}

/// The mails in a response.
#[derive(Debug)]
struct Mails {
    number: Option<u64>,
    current: Option<Current>,
}

impl Fetch {
    pub(crate) fn new(number: Option<u64>, word: &[u8]) -> Self {
        let mails = same(word, "FETCH").then_some(Mails { number, current: None });
        Self { items: Items::new(), mails }
    }

    /// Takes a piece of a line.
    pub(crate) fn text(&mut self, text: &[u8], talk: &Talk<'_>) {
        let mails = &mut self.mails;
        self.items.feed(text, |section, uid, content| {
            if let Some(mails) = mails {
                if content.is_empty() {
                    mails.begin(section.clone(), uid, talk);
                }
                if let Some(current) = &mut mails.current {
                    current.message.feed(content);
                }
            }
        });
    }

    /// The line is over: the literal that follows, and the section that it is the content of.
    pub(crate) fn line_ends(&mut self) -> Option<(Literal, Option<Section>)> {
        self.items.line_ends()
    }

    /// A literal follows: the message that has its content.
    pub(crate) fn literal(
        &mut self,
        section: Option<Section>,
        talk: &Talk<'_>,
    ) -> Option<&mut Message> {
        let mails = self.mails.as_mut()?;
        mails.begin(section?, self.items.uid, talk);
        mails.current.as_mut().map(|current| &mut *current.message)
    }

    /// The response breaks off.
    pub(crate) fn cut_off(&mut self) {
        if let Some(current) = self.mails.as_mut().and_then(|mails| mails.current.as_mut()) {
            current.message.incomplete = true;
        }
    }

    /// The response is over: tells the mail that has passed.
    pub(crate) fn flush(&mut self, talk: &Talk<'_>) {
        if let Some(mails) = &mut self.mails {
            mails.flush(self.items.uid, talk);
        }
    }
}

impl Mails {
    fn begin(&mut self, section: Section, uid: Option<u64>, talk: &Talk<'_>) {
        // The header and the text of a mail are the mail.
        if let Some(current) = &mut self.current
            && current.section.is_header()
            && section.is_text()
        {
            current.section.name.push(b' ');
            current.section.name.extend_from_slice(&section.name);
            current.section.kind = Kind::Mail;
            current.message.body_follows();
            return;
        }
        self.flush(uid, talk);
        let message = match section.kind {
            Kind::Content => Message::without_header(),
            Kind::Mail | Kind::Header if section.origin.unwrap_or(0) > 0 => Message::midway(),
            Kind::Mail | Kind::Header => Message::new(),
        };
        self.current = Some(Current { message, section });
    }

    fn flush(&mut self, uid: Option<u64>, talk: &Talk<'_>) {
        let Some(Current { mut message, section }) = self.current.take() else {
            return;
        };
        if section.kind != Kind::Mail || section.origin.is_some() {
            message.is_partial();
        }
        let name = &section.name;
        let of = Of::Fetch { number: self.number, uid, section: name, origin: section.origin };
        talk.mail(&of, &mut message);
    }
}
