//! Requests that wait for their replies, and replies that wait for their requests.

use std::collections::VecDeque;

use crate::reply::Reply;
use crate::request::{FileId, FileRef, Request};

/// Most requests that wait. Clients have fewer on their way; those that never get an answer, because
/// only one direction was captured, have to make room some time.
const REQUESTS_MAX: usize = 256;

/// Most replies that wait: a capture may have packets of the two directions in the wrong order.
const REPLIES_MAX: usize = 16;

/// Both.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    requests: VecDeque<Request>,
    replies: VecDeque<Reply>,
    /// The CREATE that opened a file last, and its id.
    opened: Option<(u64, FileId)>,
}

impl Pending {
    /// The request that a reply answers.
    pub(crate) fn request(&mut self, message_id: u64) -> Option<Request> {
        let at = self.requests.iter().position(|request| request.message_id == message_id)?;
        self.requests.remove(at)
    }

    /// The reply to a request, if it came first.
    pub(crate) fn reply(&mut self, message_id: u64) -> Option<Reply> {
        let at = self.replies.iter().position(|reply| reply.message_id == message_id)?;
        self.replies.remove(at)
    }

    /// A request waits. Returns the one that no longer does.
    pub(crate) fn push_request(&mut self, request: Request) -> Option<Request> {
        self.requests.push_back(request);
        if self.requests.len() > REQUESTS_MAX { self.requests.pop_front() } else { None }
    }

    /// A reply waits. Returns the one that no longer does.
    pub(crate) fn push_reply(&mut self, reply: Reply) -> Option<Reply> {
        self.replies.push_back(reply);
        if self.replies.len() > REPLIES_MAX { self.replies.pop_front() } else { None }
    }

    /// The oldest request, when nothing more is waited for.
    pub(crate) fn pop_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// The oldest reply.
    pub(crate) fn pop_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// A CREATE was answered: requests of its compound are about this file.
    pub(crate) fn opened(&mut self, message_id: u64, id: FileId) {
        self.opened = Some((message_id, id));
        for request in &mut self.requests {
            if request.file == FileRef::OpenedBy(message_id) {
                request.file = FileRef::Id(id);
            }
        }
    }

    /// Says which file a request is about if that is known by now.
    pub(crate) fn resolve(&self, request: &mut Request) {
        if let Some((message_id, id)) = self.opened
            && request.file == FileRef::OpenedBy(message_id)
        {
            request.file = FileRef::Id(id);
        }
    }
}
