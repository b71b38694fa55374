//! The server half: reads responses.

use flowcell_halves::settle;
use flowcell_sdk::prelude::*;

use crate::anomalies::{Anomalies, Anomaly};
use crate::body::{self, Body, Then};
use crate::framing::{self, Framing};
use crate::hand_over::offers;
use crate::header::{Field, Header, mark};
use crate::message::{Info, Response};
use crate::scan::{self, Before, Found};
use crate::start_line::{self, PREFIX, Start, StatusLine};
use crate::state::Asked;
use crate::talk::Talk;
use crate::target::filename;
use crate::text::same;

/// What comes first of a response.
enum First {
    Status(StatusLine),
    /// HTTP/0.9: the body.
    Body,
    End,
}

/// The server, as it is read.
pub(crate) struct Server<'a, 'f> {
    stream: &'a mut ByteStream,
    talk: &'a Talk<'f>,
    before: Before,
    /// The last informational response to the request that is not answered yet.
    info: Option<Info>,
    /// What was wrong with informational responses to it.
    anomalies: Anomalies,
}

impl<'a, 'f> Server<'a, 'f> {
    pub(crate) fn new(stream: &'a mut ByteStream, talk: &'a Talk<'f>, midstream: bool) -> Self {
        let before = if midstream { Before::Gap } else { Before::Message };
        Self { stream, talk, before, info: None, anomalies: Anomalies::default() }
    }

    /// Reads responses to the end, and then waits for the end of the client.
    pub(crate) async fn listen(mut self) -> Result<()> {
        loop {
            let mut header = Header::new(Side::Server);
            match self.first(&mut header).await? {
                First::Status(line) => {
                    if !self.talk.is_confirmed() {
                        self.talk.confirm();
                        settle().await; // the client half may have waited for that
                    }
                    self.response(line, header).await?;
                }
                First::Body => self.oldest(header).await,
                First::End => break,
            }
        }
        self.talk.server_ended().await;
        Ok(())
    }

    /// Reads the next status line.
    async fn first(&mut self, header: &mut Header) -> Result<First> {
        while self.before == Before::Message {
            if !self.starts_with_prefix().await && self.talk.expects_oldest() {
                return Ok(First::Body);
            }
            let stream = &mut *self.stream;
            match start_line::read(stream, header, StatusLine::parse_leniently, StatusLine::find)
                .await
            {
                Ok(Start::Line(line)) => return Ok(First::Status(line)),
                Ok(Start::Empty) => {}
                Ok(Start::Junk | Start::Behind(_)) if !self.talk.is_confirmed() => {
                    return Err(Error::decline("the server's first line is no status line"));
                }
                Ok(Start::Behind(line)) if scan::field_follows(self.stream).await => {
                    header.anomalies.add(Anomaly::Junk);
                    return Ok(First::Status(line));
                }
                Ok(Start::Junk | Start::Behind(_)) => self.before = Before::Junk,
                Err(ReadError::Gap(_)) => self.torn(true).await,
                Err(_) => return Ok(First::End),
            }
        }
        let sure = self.talk.is_confirmed();
        match scan::search(self.stream, StatusLine::find).await {
            Found::Line(line) => {
                if self.before == Before::Junk {
                    header.anomalies.add(Anomaly::Junk);
                }
                self.before = Before::Message;
                Ok(First::Status(line))
            }
            Found::Nothing { torn: false } if sure && self.before == Before::Junk => {
                Err(Error::violation("what the server sends is no response"))
            }
            Found::Nothing { .. } => {
                self.stream.done();
                Ok(First::End)
            }
            Found::Ended => Ok(First::End),
        }
    }

    /// Whether what follows begins as a response does, as far as it is there.
    async fn starts_with_prefix(&mut self) -> bool {
        let count = match self.stream.look_ahead(PREFIX.len()).await {
            Ok(bytes) => return bytes == PREFIX,
            Err(ReadError::Gap(gap)) => gap.cut,
            Err(ReadError::End(end)) => end.unread,
            Err(ReadError::TooLong { .. }) => 0,
        };
        self.stream.look_ahead(count).await.is_ok_and(|bytes| PREFIX.starts_with(bytes))
    }

    /// Reads the rest of a response.
    async fn response(&mut self, line: StatusLine, mut header: Header) -> Result<()> {
        let at = self.talk.flow.now();
        if !line.clean {
            header.anomalies.add(Anomaly::BadStatusLine);
        }
        if line.cut {
            mark("status_msg", &mut header.cut);
        }
        if !line.version.is_known() {
            header.anomalies.add(Anomaly::BadVersion);
        }
        let then = match header.read(self.stream).await {
            Ok(()) => Then::Next,
            Err(ReadError::Gap(_)) => Then::Lost,
            Err(ReadError::End(_)) => Then::Ended,
            Err(ReadError::TooLong { .. }) => Then::Junk,
        };
        let info = (100..200).contains(&line.code);
        if info {
            self.info = Some(Info { code: line.code, reason: line.reason.clone() });
        }
        let upgrade = match line.code {
            101 => self.upgrade(&header).await,
            _ => None,
        };
        // RFC 9110 §15.2: a final response follows, but for 101, behind which there is no HTTP.
        if info && upgrade.is_none() {
            match then {
                Then::Lost => self.torn(false).await,
                Then::Junk => self.before = Before::Junk,
                Then::Next | Then::Ended => {}
            }
            return Ok(());
        }
        let asked = self.talk.begin(self.stream).await;
        header.mask(self.talk.flow.secrets());
        let tunnel = (200..300).contains(&line.code)
            && match asked {
                Asked::Connect => true,
                // What proxies say, and nobody else.
                Asked::Unknown => same(&line.reason, "connection established"),
                _ => false,
            };
        let framing = framing::of_response(&mut header, line.version);
        let framing = match line.code {
            // RFC 9112 §6.3, points 1 and 2.
            101 | 204 | 304 => Framing::Nothing,
            _ if tunnel || asked == Asked::Head => Framing::Nothing,
            _ => framing,
        };
        // Behind the answer to a HEAD that is not in the capture, the next response stands at once.
        let unknown = asked == Asked::Unknown && framing != Framing::Nothing && then == Then::Next;
        let framing = match unknown && scan::status_follows(self.stream).await {
            true => Framing::Nothing,
            false => framing,
        };
        let (body, then) = match then {
            Then::Next => body::read(self.stream, framing).await,
            then => (Body::default(), then),
        };
        header.anomalies.add_all(body.anomalies);
        header.anomalies.add_all(std::mem::take(&mut self.anomalies));
        let name = header.get(Field::ContentDisposition).and_then(filename);
        let filenames = name.map(<[u8]>::to_vec).into_iter().collect();
        let next = match &upgrade {
            Some(protocol) => Some(protocol.clone()),
            None => tunnel.then(String::new),
        };
        let response = Response {
            at,
            version: Some(line.version),
            code: Some(line.code),
            reason: line.reason,
            header,
            info: self.info.take(),
            upgrade,
            filenames,
            whole: body.whole,
            body,
        };
        self.talk.answered(Box::new(response));
        if let Some(next) = next {
            self.talk.switched(self.stream).await;
            return Err(Error::switch_to(next));
        }
        settle().await;
        match then {
            Then::Lost => self.torn(matches!(framing, Framing::Length(_))).await,
            Then::Junk => self.before = Before::Junk,
            Then::Next | Then::Ended => {}
        }
        Ok(())
    }

    /// The protocol that a 101 switches to, of those that the client has offered (RFC 9110 §7.8): the
    /// server does not choose who reads on. Nothing if it has offered none.
    async fn upgrade(&mut self, header: &Header) -> Option<String> {
        let named = offers(header.get(Field::Upgrade).unwrap_or_default()).next();
        let Some(offered) = self.talk.offered(self.stream).await else {
            return Some(named.unwrap_or_default()); // the request is missing from the capture
        };
        let first = offers(&offered).next();
        let agreed = named.as_ref().is_none_or(|named| offers(&offered).any(|name| name == *named));
        if first.is_none() || !agreed {
            self.anomalies.add(Anomaly::UnexpectedUpgrade);
        }
        if agreed { first.map(|first| named.unwrap_or(first)) } else { first }
    }

    /// HTTP/0.9: everything up to the end answers the request.
    async fn oldest(&mut self, header: Header) {
        let at = self.talk.flow.now();
        self.talk.begin(self.stream).await;
        self.talk.confirm();
        let (body, _) = body::read(self.stream, Framing::UntilClose).await;
        let response = Response {
            at,
            version: Some(crate::shown::Version::OLDEST),
            code: None,
            reason: Vec::new(),
            header,
            info: None,
            upgrade: None,
            filenames: Vec::new(),
            whole: body.whole,
            body,
        };
        self.talk.answered(Box::new(response));
        settle().await;
    }

    /// Bytes are missing. `start`: the start of a response is among them.
    async fn torn(&mut self, start: bool) {
        self.before = Before::Gap;
        self.talk.server_torn(start).await;
    }
}
