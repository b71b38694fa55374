//! The conversation as both sides have agreed on it: transactions, and the records of them.

use flowcell_mail::{Message, MessageFields, Shown, find, mark, same, shorten};
use flowcell_sdk::prelude::*;

use crate::command::Command;
use crate::path::{ADDRESS_MAX, Path};
use crate::records::{self, Mail, MailHead};
use crate::reply::Reply;
use crate::said::Said;
use crate::shown::Recipients;
use crate::verb::Verb;

/// Most recipients that are kept of a transaction. RFC 5321 §4.5.3.1.8 demands that 100 be possible.
const RECIPIENTS_MAX: usize = 256;

/// A mail between MAIL and the end of its data.
#[derive(Debug, Default)]
struct Transaction {
    /// MAIL or RCPT was said.
    open: bool,
    mailfrom: Option<Vec<u8>>,
    /// Each with whether it was refused.
    recipients: Vec<(Vec<u8>, bool)>,
    size_announced: Option<u64>,
    body: Option<Vec<u8>>,
    smtputf8: bool,
    last_reply: Option<Vec<u8>>,
    message: Option<Box<Message>>,
    ambiguous_end: bool,
    /// Recipients that have answered to the end of the message (LMTP).
    delivered: usize,
    incomplete: bool,
    /// Names of what was cut at its limit.
    cut: Vec<&'static str>,
}

/// What was agreed on so far.
#[derive(Debug)]
pub(crate) struct Session<'f> {
    flow: &'f Flow,
    helo: Option<Vec<u8>>,
    /// The client said LHLO: every recipient answers to the end of a message (RFC 2033 §4.2).
    lmtp: bool,
    /// RFC 3030 §2: whether the server has announced CHUNKING, as far as its reply to EHLO is there.
    chunking: Option<bool>,
    tls: bool,
    /// Bytes between STARTTLS and the start of TLS, if any.
    injected: Option<u64>,
    transaction: Transaction,
    /// Messages whose end was seen.
    messages: u64,
    /// The greeting, as long as it is not emitted.
    greeting: Option<Reply>,
    emitted: bool,
    confirmed: bool,
}

impl<'f> Session<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        Self {
            flow,
            helo: None,
            lmtp: false,
            chunking: None,
            tls: false,
            injected: None,
            transaction: Transaction::default(),
            messages: 0,
            greeting: None,
            emitted: false,
            confirmed: false,
        }
    }

    /// Takes what the client said together with the reply to it.
    pub(crate) fn answered(&mut self, said: Said, reply: Option<&Reply>) {
        match said {
            Said::Opening => self.greeted(reply),
            Said::Command(command) => self.command(&command, reply),
            Said::Chunk(command, message) => {
                self.tell(&command, reply);
                self.replied(reply);
                if message.is_some() {
                    self.message_ended(message);
                }
            }
            Said::End(message, ambiguous) => {
                self.transaction.ambiguous_end = ambiguous;
                self.emit(Some(b"."), None, reply);
                self.replied(reply);
                self.message_ended(Some(message));
            }
            Said::Cut(message) => self.transaction.message = Some(message),
            Said::Lost => self.transaction.incomplete = true,
        }
    }

    /// RFC 5321 §4.2: the greeting should name SMTP. One that does not waits for the first command, in
    /// case that this is another protocol.
    fn greeted(&mut self, reply: Option<&Reply>) {
        let Some(reply) = reply else {
            return;
        };
        if names_smtp(reply) {
            self.unasked(reply);
        } else {
            self.greeting = Some(reply.clone());
        }
    }

    /// Whether the server has announced that it knows BDAT.
    pub(crate) fn chunking(&self) -> Option<bool> {
        self.chunking
    }

    /// Nothing was emitted yet.
    pub(crate) fn is_silent(&self) -> bool {
        !self.emitted
    }

    /// The server said something that answers nothing.
    pub(crate) fn unasked(&mut self, reply: &Reply) {
        if names_smtp(reply) {
            self.confirm();
        }
        self.emit(None, None, Some(reply));
    }

    /// Replies are missing.
    pub(crate) fn replies_lost(&mut self) {
        self.transaction.incomplete = true;
    }

    /// Takes one of several replies to the end of a message (RFC 2033 §4.2). False if it is the last.
    pub(crate) fn one_of_many(&mut self, said: &Said, reply: &Reply) -> bool {
        if !self.lmtp || !said.ends_message() {
            return false;
        }
        let transaction = &mut self.transaction;
        let mut taken = transaction.recipients.iter_mut().filter(|(_, refused)| !refused);
        let ahead = transaction.delivered;
        // Recipients that are refused here leave `taken`, so only the others count as ahead.
        let Some((_, refused)) = taken.nth(ahead) else {
            return false;
        };
        let more = taken.next().is_some();
        if reply.code >= 400 {
            *refused = true;
        } else {
            transaction.delivered += 1;
        }
        if more {
            self.emit(Some(b"."), None, Some(reply));
            self.replied(Some(reply));
        }
        more
    }

    /// The connection switches to TLS.
    pub(crate) fn switched_to_tls(&mut self) {
        self.tls = true;
        self.transaction.open = true;
    }

    /// So many bytes stood between STARTTLS and the start of TLS.
    pub(crate) fn injected(&mut self, bytes: Option<u64>) {
        self.injected = bytes;
    }

    /// The conversation is over.
    pub(crate) fn finish(&mut self) {
        self.transaction_ended();
        self.tell_greeting();
    }

    fn command(&mut self, command: &Command, reply: Option<&Reply>) {
        match command.verb {
            // RFC 5321 §4.1.4: EHLO resets the state exactly as RSET does.
            Verb::Helo | Verb::Ehlo | Verb::Lhlo => {
                self.transaction_ended();
                self.tell(command, reply);
                self.helo = Some(command.argument.clone());
                self.lmtp = command.verb == Verb::Lhlo;
                self.chunking = reply.and_then(announces_chunking);
            }
            Verb::Mail => {
                self.transaction_ended();
                self.tell(command, reply);
                self.mail(&command.argument);
            }
            Verb::Rcpt => {
                self.tell(command, reply);
                self.rcpt(&command.argument, reply.is_some_and(|reply| reply.code >= 400));
            }
            Verb::Rset | Verb::Quit => {
                self.transaction_ended();
                self.tell(command, reply);
            }
            // The client speaks for another one, which has said nothing yet.
            Verb::XClient if reply.is_some_and(|reply| reply.code < 300) => {
                self.transaction_ended();
                self.tell(command, reply);
                (self.helo, self.lmtp, self.chunking) = (None, false, None);
            }
            Verb::StartTls if reply.is_some_and(|reply| reply.code == 220) => {
                self.tell(command, reply);
                self.switched_to_tls();
            }
            _ => self.tell(command, reply),
        }
        self.replied(reply);
    }

    /// RFC 5321 §4.1.1.2.
    fn mail(&mut self, argument: &[u8]) {
        let Some(mut path) = Path::parse(argument, "FROM") else {
            return;
        };
        let transaction = &mut self.transaction;
        transaction.open = true;
        if !shorten(&mut path.address, ADDRESS_MAX) {
            mark("mailfrom", &mut transaction.cut);
        }
        transaction.mailfrom = Some(path.address);
        transaction.size_announced = path.size;
        transaction.body = path.body;
        transaction.smtputf8 = path.smtputf8;
    }

    /// RFC 5321 §4.1.1.3.
    fn rcpt(&mut self, argument: &[u8], refused: bool) {
        let Some(mut path) = Path::parse(argument, "TO") else {
            return;
        };
        let transaction = &mut self.transaction;
        transaction.open = true;
        let whole = shorten(&mut path.address, ADDRESS_MAX);
        let room = transaction.recipients.len() < RECIPIENTS_MAX;
        if !whole || !room {
            mark("rcptto", &mut transaction.cut);
        }
        if room {
            transaction.recipients.push((path.address, refused));
        }
    }

    fn replied(&mut self, reply: Option<&Reply>) {
        let Some(reply) = reply else {
            return;
        };
        self.transaction.last_reply = Some(reply.last.clone());
        if reply.truncated {
            mark("last_reply", &mut self.transaction.cut);
        }
    }

    fn message_ended(&mut self, message: Option<Box<Message>>) {
        self.transaction.message = message;
        self.transaction_ended();
        self.messages += 1;
    }

    /// Emits the transaction, if there is one, and starts afresh.
    fn transaction_ended(&mut self) {
        let transaction = std::mem::take(&mut self.transaction);
        if !transaction.open && transaction.message.is_none() {
            return;
        }
        self.tell_greeting();
        let sent = transaction.message.is_some();
        let message = transaction.message.unwrap_or_else(Message::new);
        let mut fields = MessageFields::of(&message);
        let info = self.flow.info();
        let ends = [info.server.ip(), info.client.ip()];
        if fields.path.before.first() == Some(&ends[1]) {
            fields.path.before = &fields.path.before[1..];
        }
        fields.path.ends = Some(ends);
        fields.size = fields.size.filter(|_| sent);
        fields.incomplete |= transaction.incomplete;
        let mut truncated = transaction.cut;
        for field in fields.truncated {
            mark(field, &mut truncated);
        }
        fields.truncated = truncated;
        let recipients = &transaction.recipients;
        let head = MailHead {
            trans_depth: self.messages + 1,
            helo: Shown::maybe(self.helo.as_ref()),
            mailfrom: Shown::maybe(transaction.mailfrom.as_ref()),
            rcptto: Recipients { all: recipients, only_refused: false },
            rcpt_refused: Recipients { all: recipients, only_refused: true },
            last_reply: Shown::maybe(transaction.last_reply.as_ref()),
            tls: self.tls,
            injected: self.injected,
            size_announced: transaction.size_announced,
            body: Shown::maybe(transaction.body.as_ref()),
            smtputf8: transaction.smtputf8,
            ambiguous_end: transaction.ambiguous_end,
        };
        self.flow.emit(&Mail::new(head, fields));
    }

    /// Emits a command; confirms the protocol where that is proof.
    fn tell(&mut self, command: &Command, reply: Option<&Reply>) {
        let is_path = || {
            Path::parse(&command.argument, "FROM").is_some()
                || Path::parse(&command.argument, "TO").is_some()
        };
        let proof = match command.verb {
            Verb::Mail | Verb::Rcpt => is_path(),
            verb => verb.is_distinctive() && reply.is_some(),
        };
        if proof {
            self.confirm();
        }
        self.emit(Some(&command.word), Some(command), reply);
    }

    fn confirm(&mut self) {
        if !std::mem::replace(&mut self.confirmed, true) {
            self.flow.confirm();
        }
    }

    fn tell_greeting(&mut self) {
        self.emitted = true;
        if let Some(greeting) = self.greeting.take() {
            self.emit(None, None, Some(&greeting));
        }
    }

    fn emit(&mut self, verb: Option<&[u8]>, command: Option<&Command>, reply: Option<&Reply>) {
        self.tell_greeting();
        let auth = command.and_then(|command| command.auth.as_ref());
        let argument = command.map(|command| command.argument.as_slice()).filter(|a| !a.is_empty());
        let cut = command.is_some_and(|command| command.truncated);
        self.flow.emit(&records::Command {
            verb: verb.map(Shown),
            argument: argument.map(Shown),
            code: reply.map(|reply| reply.code),
            reply: reply.map(|reply| Shown(&reply.text)),
            mechanism: auth.map(|auth| Shown(&auth.mechanism)),
            user: auth.and_then(|auth| Shown::maybe(auth.user.as_ref())),
            truncated: cut || reply.is_some_and(|reply| reply.truncated),
            incomplete: command.is_some_and(|command| command.incomplete),
        });
    }
}

/// RFC 5321 §4.1.1.1: the extensions stand on the lines behind the first.
fn announces_chunking(reply: &Reply) -> Option<bool> {
    let mut lines = reply.text.split(|byte| *byte == b'\n').skip(1);
    let announced = lines.any(|line| same(line, "CHUNKING"));
    (announced || !reply.truncated).then_some(announced)
}

fn names_smtp(reply: &Reply) -> bool {
    reply.code == 220 && find(&reply.text, b"SMTP").is_some()
}
