//! The queue of what is not answered, and which reply answers what.

use std::collections::VecDeque;

use crate::reply::Reply;
use crate::said::Said;
use crate::session::Session;
use crate::verb::Verb;

/// Most room that unanswered commands take, in bytes: some 500 recipients in one go.
const UNANSWERED_MAX: usize = 65_536;

/// Most of the queue that is searched for what a reply answers. A server that answers nothing of it
/// should not have all of it searched for every reply.
const SEARCHED_MAX: usize = 128;

/// What the server is known to answer to a command that the client half waits on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Code(u16),
    /// The reply is missing, or late.
    Unknown,
}

/// What follows from a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    GoesOn,
    /// The rest of the flow is nothing.
    Over,
    /// The rest of the flow is TLS.
    Tls,
    /// Nothing of the flow is SMTP.
    Foreign,
}

/// What a half waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// The answer to what the client said last is known, or none comes.
    Answered,
    /// A reply waits for its command, or no replies come.
    Replied,
    /// It is certain whether a reply with this code answers something.
    Addressed(u16),
}

/// What both halves know.
#[derive(Debug)]
pub(crate) struct State<'f> {
    pub(crate) session: Session<'f>,
    /// What is not answered, in order.
    pub(crate) said: VecDeque<Said>,
    /// The room that the queue takes, in bytes.
    pub(crate) weight: usize,
    /// Commands that were given up on before they were answered: their replies are still to come.
    pub(crate) given_up: usize,
    /// The client half waits for the answer to what it said last.
    pub(crate) waiting: bool,
    /// That answer, until the client half takes it.
    pub(crate) answer: Option<Answer>,
    /// A reply is there and waits for its command.
    pub(crate) reply_waits: bool,
    /// The code of the reply that waits, or has waited last.
    pub(crate) waiting_code: u16,
    /// Replies are missing in front of the next.
    pub(crate) replies_lost: bool,
    /// Bytes of either side are missing, here or before.
    pub(crate) torn: bool,
    /// No more replies come, or none ever came.
    pub(crate) server_gone: bool,
    /// The server has said something.
    pub(crate) server_seen: bool,
    /// No more commands come.
    pub(crate) client_gone: bool,
    /// The server talks alone.
    pub(crate) client_absent: bool,
    /// The client has said a command that is known.
    pub(crate) client_known: bool,
    /// Unknown commands in a row that are not answered.
    pub(crate) strange: usize,
    /// The code of the last reply.
    pub(crate) last_code: u16,
    /// Counts what the server half does.
    pub(crate) steps: u64,
}

impl<'f> State<'f> {
    pub(crate) fn new(session: Session<'f>) -> Self {
        Self {
            session,
            said: VecDeque::new(),
            weight: 0,
            given_up: 0,
            waiting: false,
            answer: None,
            reply_waits: false,
            waiting_code: 0,
            replies_lost: false,
            torn: false,
            server_gone: false,
            server_seen: false,
            client_gone: false,
            client_absent: false,
            client_known: false,
            strange: 0,
            last_code: 0,
            steps: 0,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.weight > UNANSWERED_MAX
    }

    pub(crate) fn push(&mut self, said: Said) {
        self.weight += said.weight();
        self.torn |= matches!(said, Said::Lost);
        self.said.push_back(said);
        self.pass_over_cut();
    }

    /// Takes the first thing off the queue and tells the session.
    pub(crate) fn resolve(&mut self, reply: Option<&Reply>) {
        self.answered(reply);
        self.pass_over_cut();
    }

    /// What has no reply does not wait for one.
    fn pass_over_cut(&mut self) {
        while matches!(self.said.front(), Some(Said::Cut(_))) {
            self.answered(None);
        }
    }

    fn answered(&mut self, reply: Option<&Reply>) {
        if let Some(said) = self.said.pop_front() {
            self.weight = self.weight.saturating_sub(said.weight());
            self.session.answered(said, reply);
        }
    }

    /// Stops waiting for the reply to the first thing in the queue.
    pub(crate) fn give_up(&mut self) {
        self.given_up += usize::from(!matches!(self.said.front(), Some(Said::Lost)));
        self.resolve(None);
    }

    pub(crate) fn holds(&self, until: Until) -> bool {
        match until {
            Until::Answered => self.answer.is_some() || self.server_gone,
            Until::Replied => self.reply_waits || self.server_gone,
            Until::Addressed(code) => self.addressed(code).is_some(),
        }
    }

    /// Whether a reply answers something in the queue, as soon as that is certain.
    pub(crate) fn addressed(&self, code: u16) -> Option<bool> {
        let mut queue = self.said.iter().filter(|said| !matches!(said, Said::Lost));
        if self.given_up > 0 {
            return Some(false);
        }
        if queue.next().is_some() {
            return Some(self.position(code).is_some());
        }
        // RFC 5321 §3.8: 421 may come at any time. Behind a gap, the command is in the gap.
        let unasked =
            code == 421 || self.client_gone || self.client_absent || !self.said.is_empty();
        unasked.then_some(false)
    }

    /// Whether a reply that comes now can only answer the one thing in the queue.
    pub(crate) fn is_alone(&self, code: u16) -> bool {
        let alone = self.said.len() == 1 && !self.torn && self.given_up == 0;
        alone && self.said.front().is_some_and(|said| said.may_get_alone(code))
    }

    /// Takes note that replies are missing.
    pub(crate) fn lose_replies(&mut self) {
        self.server_seen = true;
        self.replies_lost = true;
        self.torn = true;
        self.steps += 1;
        self.session.replies_lost();
        if self.waiting {
            self.answer = Some(Answer::Unknown);
        }
    }

    /// Takes a reply: `addressed` to something in the queue, or to what was `alone` in it.
    pub(crate) fn take(&mut self, reply: &Reply, addressed: bool, alone: bool) -> Course {
        self.reply_waits = false;
        self.steps += 1;
        self.last_code = reply.code;
        let position = match addressed {
            true => self.position(reply.code),
            false => alone.then_some(0),
        };
        let Some(position) = position else {
            self.given_up = self.given_up.saturating_sub(1);
            self.session.unasked(reply);
            return Course::GoesOn;
        };
        let left = self.said.len() - position;
        while self.said.len() > left {
            self.resolve(None);
        }
        self.replies_lost = false;
        let Some(said) = self.said.front() else {
            return Course::GoesOn;
        };
        let verb = said.verb();
        let awaited = self.waiting && self.said.len() == 1;
        if awaited {
            self.answer = Some(Answer::Code(reply.code));
        }
        // RFC 4954 §4: the exchange goes on.
        if verb == Some(Verb::Auth) && reply.code == 334 {
            return Course::GoesOn;
        }
        if self.session.one_of_many(said, reply) {
            return Course::GoesOn;
        }
        // No server asks for more behind what is unknown; FTP does, behind USER.
        let asks = (300..400).contains(&reply.code);
        if verb == Some(Verb::Unknown) && asks && !self.client_known && self.session.is_silent() {
            return Course::Foreign;
        }
        self.strange = self.strange.saturating_sub(usize::from(verb == Some(Verb::Unknown)));
        self.resolve(Some(reply));
        match (verb, reply.code) {
            (Some(Verb::StartTls), 220) if awaited => Course::Tls,
            (Some(Verb::StartTls), 220) | (Some(Verb::Quit), 221) => Course::Over,
            _ => Course::GoesOn,
        }
    }

    /// What a reply answers: the first thing that it can. Behind missing replies, the last: a client
    /// mostly waits for a reply before it goes on.
    fn position(&self, code: u16) -> Option<usize> {
        let mut queue = self.said.iter().enumerate();
        let answers = |(_, said): &(usize, &Said)| said.may_get(code);
        let found = match self.replies_lost {
            true => queue.rev().take(SEARCHED_MAX).find(answers),
            false => queue.by_ref().take(SEARCHED_MAX).find(answers),
        };
        found.map(|(position, _)| position)
    }
}
