//! One message, taken line by line.

use flowcell_sdk::prelude::*;

use crate::header::{Field, Header};
use crate::records;
use crate::sdp::Sdp;
use crate::start::Start;
use crate::text::{split_word, trim};

/// Longest header that is read, in bytes.
const HEADER_MAX: usize = 65_536;

/// What comes after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Header,
    Body,
    /// The header is longer than is read.
    TooLong,
}

/// What a body is, for this parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Opaque,
    Sdp,
    /// Parts of which one may be a description (RFC 5621).
    Multipart,
}

/// A message as far as it was read.
#[derive(Debug)]
pub(crate) struct Message {
    start: Start,
    header: Header,
    secrets: Secrets,
    header_size: usize,
    body: Body,
    /// Within a description.
    in_sdp: bool,
    sdp: Sdp,
    /// Bytes of the body, if Content-Length does not say.
    pub(crate) body_seen: u64,
    pub(crate) incomplete: bool,
    header_cut: bool,
}

impl Message {
    pub(crate) fn new(start: Start, secrets: Secrets) -> Self {
        Self {
            start,
            header: Header::new(secrets),
            secrets,
            header_size: 0,
            body: Body::Opaque,
            in_sdp: false,
            sdp: Sdp::default(),
            body_seen: 0,
            incomplete: false,
            header_cut: false,
        }
    }

    /// Takes a line of the header, or the empty one behind it. `whole`: it is not the start of a longer one.
    pub(crate) fn header_line(&mut self, line: &[u8], whole: bool) -> Next {
        if line.is_empty() {
            self.end_header();
            return Next::Body;
        }
        self.header_size = self.header_size.saturating_add(line.len());
        if self.header_size > HEADER_MAX {
            self.header_cut = true;
            self.cut_header();
            return Next::TooLong;
        }
        self.header.line(line);
        if !whole {
            self.header.line_was_cut();
        }
        Next::Header
    }

    /// The rest of the header is not there.
    pub(crate) fn cut_header(&mut self) -> Next {
        self.incomplete = true;
        self.end_header();
        Next::Header
    }

    /// The header is over.
    fn end_header(&mut self) {
        self.header.finish_field();
        let content_type = self.header.text(Field::ContentType).unwrap_or_default();
        let end = content_type.iter().position(|byte| *byte == b';').unwrap_or(content_type.len());
        let content_type = trim(content_type.get(..end).unwrap_or_default());
        let family = content_type.get(..10).unwrap_or_default();
        self.body = match () {
            () if self.header.encoded => Body::Opaque,
            () if content_type.eq_ignore_ascii_case(b"application/sdp") => Body::Sdp,
            () if family.eq_ignore_ascii_case(b"multipart/") => Body::Multipart,
            () => Body::Opaque,
        };
        self.in_sdp = self.body == Body::Sdp;
    }

    /// What Content-Length says.
    pub(crate) fn declared(&self) -> Option<u64> {
        self.header.length
    }

    /// The lines of the body are of interest.
    pub(crate) fn wants_body(&self) -> bool {
        self.body != Body::Opaque
    }

    /// The start of a message in the place of a line of the body, where it can be no part of it.
    pub(crate) fn start_in_body(&self, line: &[u8]) -> Option<Start> {
        if self.body == Body::Sdp { Start::parse(line, self.secrets) } else { None }
    }

    /// Takes a line of the body.
    pub(crate) fn body_line(&mut self, line: &[u8]) {
        if self.body == Body::Multipart {
            match line {
                [b'-', b'-', ..] => self.in_sdp = false,
                [b'v', b'=', ..] => self.in_sdp = true,
                _ => {}
            }
        }
        if self.in_sdp {
            self.sdp.line(line);
        }
    }

    /// The method, for a reply as CSeq has it.
    pub(crate) fn method(&self) -> Option<&[u8]> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Reply { .. } => {
                let (_, method) = split_word(self.header.text(Field::CSeq)?);
                (!method.is_empty()).then_some(method)
            }
        }
    }

    pub(crate) fn call_id(&self) -> Option<&[u8]> {
        self.header.text(Field::CallId)
    }

    /// The number in CSeq.
    pub(crate) fn number(&self) -> Option<&[u8]> {
        Some(split_word(self.header.text(Field::CSeq)?).0)
    }

    pub(crate) fn emit(&self, flow: &Flow, is_orig: bool, trans_depth: u64, ignored_bytes: u64) {
        let text = |field| self.header.text(field).map(Text::from);
        let path: Vec<Text<'_>> = self.header.via.iter().map(|hop| Text::from(&**hop)).collect();
        let length = self.header.length.or((self.body_seen > 0).then_some(self.body_seen));
        let mut record = records::Message {
            is_orig,
            trans_depth,
            method: self.method().map(Text::from),
            uri: None,
            date: text(Field::Date),
            request_from: None,
            request_to: None,
            response_from: None,
            response_to: None,
            reply_to: text(Field::ReplyTo),
            call_id: text(Field::CallId),
            seq: text(Field::CSeq),
            subject: text(Field::Subject),
            request_path: Vec::new(),
            response_path: Vec::new(),
            user_agent: text(Field::UserAgent),
            server: text(Field::Server),
            status_code: None,
            status_msg: None,
            warning: text(Field::Warning),
            request_body_len: None,
            response_body_len: None,
            content_type: text(Field::ContentType),
            media: self.sdp.media(),
            ignored_bytes,
            incomplete: self.incomplete,
            truncated: Vec::new(),
        };
        let is_request = match &self.start {
            Start::Request { uri, cut, .. } => {
                record.uri = Some(Text::from(&**uri));
                record.request_from = text(Field::From);
                record.request_to = text(Field::To);
                record.request_path = path;
                record.request_body_len = length;
                record.truncated.extend(cut.then_some("uri"));
                true
            }
            Start::Reply { code, reason, cut } => {
                record.status_code = Some(*code);
                record.status_msg = (!reason.is_empty()).then(|| Text::from(&**reason));
                record.response_from = text(Field::From);
                record.response_to = text(Field::To);
                record.response_path = path;
                record.response_body_len = length;
                record.truncated.extend(cut.then_some("status_msg"));
                false
            }
        };
        record.truncated.extend(self.header.cut.iter().map(|field| field.shown(is_request)));
        record.truncated.extend(self.sdp.truncated.then_some("media"));
        record.truncated.extend(self.header_cut.then_some("header"));
        flow.emit(&record);
    }
}
