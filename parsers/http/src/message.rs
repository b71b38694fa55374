//! Requests and responses as they are kept until both are there.

use flowcell_sdk::prelude::*;

use crate::basic::User;
use crate::body::Body;
use crate::header::Header;
use crate::shown::Version;
use crate::start_line::RequestLine;

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    /// When its first line was there.
    pub(crate) at: Timestamp,
    pub(crate) line: RequestLine,
    pub(crate) header: Header,
    /// The user of Basic authentication.
    pub(crate) user: Option<User>,
    pub(crate) body: Body,
    /// Nothing of it is missing.
    pub(crate) whole: bool,
}

impl Request {
    /// The bytes that it takes to remember it, roughly.
    pub(crate) fn weight(&self) -> usize {
        let user = self.user.as_ref().map_or(0, |user| user.name.len() + user.password.len());
        256 + self.line.method.len() + self.line.uri.len() + user + self.header.weight()
    }
}

/// A final response.
#[derive(Debug)]
pub(crate) struct Response {
    /// When its first line was there.
    pub(crate) at: Timestamp,
    /// Absent, as the code is, where HTTP/0.9 answers.
    pub(crate) version: Option<Version>,
    pub(crate) code: Option<u16>,
    pub(crate) reason: Vec<u8>,
    pub(crate) header: Header,
    /// The last informational response in front of it.
    pub(crate) info: Option<Info>,
    /// The protocol that the connection switches to.
    pub(crate) upgrade: Option<String>,
    /// The file name of its content, or none.
    pub(crate) filenames: Vec<Vec<u8>>,
    pub(crate) body: Body,
    /// Nothing of it is missing.
    pub(crate) whole: bool,
}

/// An informational response (RFC 9110 §15.2).
#[derive(Debug)]
pub(crate) struct Info {
    pub(crate) code: u16,
    pub(crate) reason: Vec<u8>,
}

/// A request with its response.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Which one of the connection it is, from 1.
    pub(crate) depth: u64,
    /// Absent if it is missing from the capture.
    pub(crate) request: Option<Box<Request>>,
    /// Nothing more comes of the request.
    pub(crate) ended: bool,
    pub(crate) response: Option<Box<Response>>,
    pub(crate) weight: usize,
}
