//! The client half: reads requests.

use flowcell_sdk::prelude::*;

use crate::anomalies::Anomaly;
use crate::basic::take_user;
use crate::body::{self, Body, Then};
use crate::framing::{self, Framing};
use crate::hand_over::{HTTP2, offers};
use crate::header::{Field, Header};
use crate::message::Request;
use crate::scan::{self, Before, Found};
use crate::shown::Version;
use crate::start_line::{self, RequestLine, Start};
use crate::talk::Talk;
use crate::target::{agrees, mask_passwords};
use crate::text::{is_token_byte, same};

/// Longest start of a line that is looked at to tell what follows, in bytes.
const LOOK_MAX: usize = 2_048;

/// What follows the request line in the preface of HTTP/2 (RFC 9113 §3.4).
const PREFACE_END: &[u8] = b"\r\nSM\r\n\r\n";

/// The client, as it is read.
pub(crate) struct Client<'a, 'f> {
    stream: &'a mut ByteStream,
    talk: &'a Talk<'f>,
    before: Before,
}

impl<'a, 'f> Client<'a, 'f> {
    pub(crate) fn new(stream: &'a mut ByteStream, talk: &'a Talk<'f>, midstream: bool) -> Self {
        let before = if midstream { Before::Gap } else { Before::Message };
        Self { stream, talk, before }
    }

    /// Reads requests to the end.
    pub(crate) async fn speak(mut self) -> Result<()> {
        self.talk.catch_up().await;
        if self.before == Before::Gap {
            self.talk.client_torn();
        } else if let Ok([first]) = self.stream.look_ahead(1).await
            && !is_token_byte(*first)
            && !first.is_ascii_whitespace()
        {
            self.junk();
            self.foreign("the client's first byte starts no request").await?;
        }
        loop {
            self.talk.catch_up().await;
            let mut header = Header::new(Side::Client);
            let Some(line) = self.request_line(&mut header).await? else {
                break;
            };
            self.request(line, header).await?;
        }
        self.talk.client_ended();
        Ok(())
    }

    /// Reads the next request line; none at the end.
    async fn request_line(&mut self, header: &mut Header) -> Result<Option<RequestLine>> {
        while self.before == Before::Message {
            let stream = &mut *self.stream;
            match start_line::read(stream, header, RequestLine::parse, RequestLine::find).await {
                Ok(Start::Line(line)) => return Ok(Some(line)),
                Ok(Start::Empty) => {}
                Ok(Start::Behind(line))
                    if self.talk.is_confirmed() && scan::field_follows(self.stream).await =>
                {
                    header.anomalies.add(Anomaly::Junk);
                    return Ok(Some(line));
                }
                Ok(Start::Junk | Start::Behind(_)) => {
                    self.junk();
                    self.foreign("the client's first line is no request").await?;
                }
                Err(ReadError::Gap(_)) => self.torn(),
                Err(_) => return Ok(None),
            }
        }
        // Responses that waited may be to what is not known.
        self.talk.catch_up().await;
        let sure = self.talk.is_confirmed();
        match scan::search(self.stream, RequestLine::find).await {
            Found::Line(line) => {
                if self.before == Before::Junk {
                    header.anomalies.add(Anomaly::Junk);
                }
                self.before = Before::Message;
                Ok(Some(line))
            }
            Found::Nothing { torn: false } if sure && self.before == Before::Junk => {
                Err(Error::violation("what the client sends is no request"))
            }
            Found::Nothing { .. } => {
                self.stream.done();
                Ok(None)
            }
            Found::Ended => Ok(None),
        }
    }

    /// Reads the rest of a request.
    async fn request(&mut self, mut line: RequestLine, mut header: Header) -> Result<()> {
        let at = self.talk.flow.now();
        if line.version.major == 2 && line.is("PRI") {
            let follows = scan::follows(self.stream, PREFACE_END).await;
            match self.talk.is_confirmed() {
                false if follows != Some(false) => {
                    return Err(Error::decline("the client starts with HTTP/2"));
                }
                true if follows == Some(true) => return Err(Error::switch_to(HTTP2)),
                _ => {}
            }
        }
        let simple = line.version == Version::OLDEST;
        let mut whole = true;
        if !simple {
            self.talk.confirm();
            whole = match header.read(self.stream).await {
                Ok(()) => true,
                Err(ReadError::TooLong { .. }) => {
                    self.junk();
                    false
                }
                Err(_) => {
                    self.torn();
                    false
                }
            };
        }
        let framing = framing::of_request(&mut header, line.version);
        check(&line, &mut header, whole);
        let secrets = self.talk.flow.secrets();
        if !secrets.are_shown() {
            mask_passwords(&mut line.uri);
        }
        header.mask(secrets);
        let user = take_user(&mut header, secrets);
        let expects = header.get(Field::Expect).is_some_and(|value| same(value, "100-continue"));
        let offers =
            offers(header.get(Field::Upgrade).unwrap_or_default()).next().unwrap_or_default();
        let tunnels = line.is("CONNECT");
        let request = Request { at, line, header, user, body: Body::default(), whole: false };
        let depth = self.talk.push(Box::new(request));
        if simple {
            self.header_of_oldest(depth).await;
            return Ok(());
        }
        if !whole {
            self.talk.request_ended(depth, Body::default(), false);
            if self.before == Before::Gap {
                self.talk.client_torn();
            }
            return Ok(());
        }
        let left_out = expects && framing != Framing::Nothing && self.left_out().await;
        let framing = if left_out { Framing::Nothing } else { framing };
        let (mut body, then) = body::read(self.stream, framing).await;
        if left_out {
            body.anomalies.add(Anomaly::BodyLeftOut);
        }
        self.talk.request_ended(depth, body, then != Then::Ended);
        match then {
            Then::Next => {}
            Then::Lost => self.torn(),
            Then::Junk => self.junk(),
            Then::Ended => return Ok(()),
        }
        if tunnels || !offers.is_empty() {
            self.switch(&offers).await?;
        }
        Ok(())
    }

    /// Behind the line of HTTP/0.9 comes nothing. Where the version was left out, a header comes all the
    /// same.
    async fn header_of_oldest(&mut self, depth: u64) {
        let mut whole = true;
        if scan::field_follows(self.stream).await {
            let mut header = Header::new(Side::Client);
            if let Err(ReadError::Gap(_)) = header.read(self.stream).await {
                self.torn();
                whole = false;
            }
            if header.get(Field::Host).is_some() {
                self.talk.confirm();
                header.anomalies.add(Anomaly::BadRequestLine);
            }
            let secrets = self.talk.flow.secrets();
            take_user(&mut header, secrets);
            header.mask(secrets);
            self.talk.amend(depth, header);
        }
        let (body, _) = body::read(self.stream, Framing::Nothing).await;
        self.talk.request_ended(depth, body, whole);
    }

    /// RFC 9110 §10.1.1: a client that waits for 100 and is refused need not send the body, and some go
    /// on with the next request instead.
    async fn left_out(&mut self) -> bool {
        if self.stream.look_ahead(1).await.is_err() {
            return false;
        }
        self.talk.catch_up().await;
        self.talk.is_refused()
            && scan::line_follows(self.stream, RequestLine::parse_known, LOOK_MAX).await
    }

    /// Behind CONNECT or Upgrade, waits for the response: it decides what follows. If that switches, the
    /// server half hands over.
    async fn switch(&mut self, offers: &str) -> Result<()> {
        if self.talk.answer(self.stream).await || self.before != Before::Message {
            return Ok(());
        }
        // The response is missing: what follows tells. At the end, nothing does.
        let nothing = self.stream.look_ahead(1).await.is_err();
        if nothing || scan::line_follows(self.stream, RequestLine::parse_known, LOOK_MAX).await {
            return Ok(());
        }
        Err(Error::switch_to(offers.to_owned()))
    }

    /// The client says what is no request. If that is all that was said, the server decides: there are
    /// those who answer 400.
    async fn foreign(&mut self, reason: &'static str) -> Result<()> {
        if self.talk.is_confirmed_soon(self.stream).await {
            return Ok(());
        }
        Err(Error::decline(reason))
    }

    /// Bytes make no sense. They may be a request for the server.
    fn junk(&mut self) {
        self.before = Before::Junk;
        self.talk.client_torn();
    }

    fn torn(&mut self) {
        self.before = Before::Gap;
        self.talk.client_torn();
    }
}

/// What the request line and the header say together.
fn check(line: &RequestLine, header: &mut Header, whole: bool) {
    let host = header.get(Field::Host);
    let missing = host.is_none() && whole && line.version.is_known() && !line.version.is_old();
    let differs = host.is_some_and(|host| !agrees(&line.uri, host));
    let strange = !line.version.is_known() && line.version != Version::OLDEST;
    for (found, anomaly) in [
        (missing, Anomaly::MissingHost),
        (differs, Anomaly::HostMismatch),
        (strange, Anomaly::BadVersion),
        (!line.clean, Anomaly::BadRequestLine),
    ] {
        if found {
            header.anomalies.add(anomaly);
        }
    }
}
