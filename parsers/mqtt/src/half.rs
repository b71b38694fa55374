//! Reading one side, packet by packet.

use flowcell_halves::{race, settle};
use flowcell_sdk::MASK;
use flowcell_sdk::prelude::*;

use crate::body::{Body, Kept, MAX_PAYLOAD, MAX_TEXT};
use crate::head::{Head, Kind};
use crate::pending::{BRIDGE, ConnAck, Connect, Publish, Request, flag};
use crate::properties::Properties;
use crate::session::Session;

/// Most bytes of the server that are held back until the client's CONNECT is there.
const MAX_HELD: usize = 16_384;

/// Most topics of a request that are kept.
const MAX_TOPICS: usize = 64;

/// Most room that the topics of a request take, in bytes.
const MAX_TOPICS_ROOM: usize = 2_048;

/// One side, as it is read.
pub(crate) struct Half<'a, 'f> {
    stream: &'a mut ByteStream,
    session: &'a Session<'f>,
    from_client: bool,
}

impl<'a, 'f> Half<'a, 'f> {
    pub(crate) fn new(stream: &'a mut ByteStream, session: &'a Session<'f>) -> Self {
        let from_client = stream.side() == Side::Client;
        Self { stream, session, from_client }
    }

    /// Reads the side until it ends or can not be followed any more.
    pub(crate) async fn follow(mut self, midstream: bool) -> Result<()> {
        let mut outcome = self.packets(midstream).await;
        while matches!(outcome, Err(Error::Read(ReadError::Gap(_)))) {
            outcome = self.packets(true).await;
        }
        match outcome {
            Ok(()) | Err(Error::Read(_)) => {
                self.stream.done();
                Ok(())
            }
            Err(Error::Violation(reason)) => Err(self.refuse(reason)),
            Err(error) => Err(error),
        }
    }

    /// `lost`: the bytes that come next may be from anywhere in the conversation.
    async fn packets(&mut self, lost: bool) -> Result<()> {
        if !self.from_client && !lost {
            self.greeting().await?;
        }
        let mut first = true;
        loop {
            let uncertain = first && lost;
            let head = Head::peek(self.stream).await?;
            let head = match head.filter(|head| head.kind.comes_from(self.stream.side())) {
                Some(head) if !uncertain || head.is_plausible(self.stream).await? => head,
                _ if uncertain => return Ok(()),
                _ => return Err(self.refuse("what follows is no packet of this side")),
            };
            if first && !lost && self.from_client && !head.is_connect(self.stream).await? {
                return Err(self.refuse("the client does not start with CONNECT"));
            }
            first = false;
            head.read(self.stream);
            self.packet(head).await?;
        }
    }

    /// What the server says first answers the client's CONNECT, which may be late in the capture.
    async fn greeting(&mut self) -> Result<()> {
        let head = Head::peek(self.stream).await?;
        let is_answer = match head {
            Some(head) if head.kind == Kind::ConnAck => head.is_plausible(self.stream).await?,
            Some(head) => head.kind == Kind::Auth && self.session.is_confirmed(),
            None => false,
        };
        if !is_answer {
            return Err(self.refuse("the server does not answer to CONNECT"));
        }
        let session = self.session;
        race(self.stream, MAX_HELD, |_| session.server_may_speak()).await;
        Ok(())
    }

    async fn packet(&mut self, head: Head) -> Result<()> {
        let version_5 = self.session.is_version_5();
        let mut body = Body { stream: &mut *self.stream, left: head.remaining };
        match head.kind {
            Kind::Connect => return self.connect(head).await,
            Kind::Publish => return self.publish(head).await,
            Kind::Subscribe | Kind::Unsubscribe => return self.request(head).await,
            Kind::ConnAck => {
                let mut answer = ConnAck {
                    session_present: body.byte().await? & 1 != 0,
                    code: body.byte().await?,
                    properties: Properties::default(),
                };
                if body.left > 0 {
                    self.session.must_be_version_5();
                    answer.properties = body.properties().await?;
                }
                body.skip();
                self.session.connect_answered(&answer);
            }
            Kind::PubAck | Kind::PubRec | Kind::PubRel | Kind::PubComp => {
                let id = body.word().await?;
                // MQTT 5 §3.4.2.1: left out, the reason code is 0.
                let mut code = None;
                if body.left > 0 {
                    self.session.must_be_version_5();
                    code = Some(body.byte().await?);
                }
                body.skip();
                self.session.acknowledge(head.kind, self.from_client, id, code);
            }
            Kind::SubAck | Kind::UnsubAck => {
                let id = body.word().await?;
                if version_5 {
                    body.properties().await?;
                }
                let mut answer = Vec::new();
                while body.left > 0 && answer.len() < MAX_TOPICS {
                    answer.push(u16::from(body.byte().await?));
                }
                body.skip();
                self.session.request_answered(head.kind == Kind::UnsubAck, id, &answer);
            }
            Kind::PingReq | Kind::PingResp | Kind::Disconnect | Kind::Auth => body.skip(),
        }
        Ok(())
    }

    /// MQTT 3.1.1 and 5 §3.1.
    async fn connect(&mut self, head: Head) -> Result<()> {
        let mut connect = Connect::default();
        let outcome = self.fields_of_connect(head, &mut connect).await;
        connect.incomplete = outcome.is_err();
        self.session.connect(connect);
        outcome?;
        // What the server has said by now is answered to nothing that comes next.
        settle().await;
        Ok(())
    }

    async fn fields_of_connect(&mut self, head: Head, connect: &mut Connect) -> Result<()> {
        let mut body = Body { stream: &mut *self.stream, left: head.remaining };
        connect.name = Some(body.string(MAX_TEXT).await?);
        // Nothing else starts with this name in this place.
        self.session.confirm();
        let level = body.byte().await?;
        connect.level = Some(level);
        let level = level & !BRIDGE;
        self.session.speaks(level);
        if !(3..=5).contains(&level) {
            body.skip(); // what follows may be anything
            return Ok(());
        }
        let flags = body.byte().await?;
        connect.flags = Some(flags);
        connect.keep_alive = Some(body.word().await?);
        if level == 5 {
            connect.add(&body.properties().await?);
        }
        connect.client_id = Some(body.string(MAX_TEXT).await?);
        if flags & flag::WILL != 0 {
            if level == 5 {
                connect.add(&body.properties().await?);
            }
            connect.will_topic = Some(body.string(MAX_TEXT).await?);
            connect.will_payload = Some(body.string(MAX_PAYLOAD).await?);
        }
        // MQTT 3.1 §3.1: where the packet ends, these are not there, whatever the flags say.
        if flags & flag::USERNAME != 0 && body.left > 0 {
            connect.username = Some(body.string(MAX_TEXT).await?);
        }
        if flags & flag::PASSWORD != 0 && body.left > 0 {
            connect.password = match self.session.secrets() {
                Secrets::Masked => Some(Kept::new(MASK.as_bytes())),
                Secrets::Shown => body.look_at_string(MAX_TEXT).await,
            };
        }
        body.skip();
        Ok(())
    }

    /// MQTT 3.1.1 and 5 §3.3.
    async fn publish(&mut self, head: Head) -> Result<()> {
        let version_5 = self.session.is_version_5();
        let mut body = Body { stream: &mut *self.stream, left: head.remaining };
        let mut publish = Publish {
            from_client: self.from_client,
            dup: head.dup,
            qos: head.qos,
            retain: head.retain,
            topic: Some(body.string(MAX_TEXT).await?),
            id: None,
            payload: Kept::default(),
            properties: Properties::default(),
            incomplete: false,
            received: false,
            released: false,
        };
        if head.qos > 0 {
            publish.id = Some(body.word().await?);
        }
        if version_5 {
            publish.properties = body.properties().await?;
        }
        publish.payload.length = u64::from(body.left);
        let outcome = self.payload(&mut publish.payload).await;
        publish.incomplete = outcome.is_err();
        self.session.publish(publish);
        Ok(outcome?)
    }

    /// Reads the start of a payload and waits for its end.
    async fn payload(&mut self, payload: &mut Kept) -> Result<(), ReadError> {
        let shown = usize::try_from(payload.length).unwrap_or(MAX_PAYLOAD).min(MAX_PAYLOAD);
        match self.stream.read_exact(shown).await {
            Ok(bytes) => payload.bytes = bytes.to_vec(),
            Err(ReadError::End(end)) if end.unread > 0 => {
                payload.bytes = self.stream.rest().await?.unwrap_or_default().to_vec();
                return Err(ReadError::End(end));
            }
            Err(error) => return Err(error),
        }
        if let Some(between) = (payload.length - shown as u64).checked_sub(1) {
            self.stream.skip(between);
            self.stream.read_u8().await?;
        }
        Ok(())
    }

    /// MQTT 3.1.1 and 5 §3.8 and §3.10.
    async fn request(&mut self, head: Head) -> Result<()> {
        let mut request = Request::new(head.kind == Kind::Unsubscribe);
        let outcome = self.fields_of_request(head, &mut request).await;
        request.incomplete = outcome.is_err();
        if !request.topics.is_empty() || (outcome.is_ok() && self.session.is_confirmed()) {
            self.session.request(request);
        }
        outcome
    }

    async fn fields_of_request(&mut self, head: Head, request: &mut Request) -> Result<()> {
        let version_5 = self.session.is_version_5();
        let mut body = Body { stream: &mut *self.stream, left: head.remaining };
        request.id = body.word().await?;
        if version_5 {
            let properties = body.properties().await?;
            request.user_properties = properties.user;
            request.properties_cut = properties.cut;
        }
        let mut room = MAX_TOPICS_ROOM;
        while body.left > 0 {
            if request.topics.len() == MAX_TOPICS || room == 0 {
                request.topics_cut = true;
                break;
            }
            let topic = body.string(MAX_TEXT.min(room)).await?;
            room -= topic.bytes.len();
            let options = if request.unsubscribe { None } else { Some(body.byte().await?) };
            request.topics.push(topic);
            request.qos_levels.extend(options.map(|options| u16::from(options & 3)));
        }
        body.skip();
        Ok(())
    }

    /// What is wrong means that it is not MQTT, unless there was something that is nothing else.
    fn refuse(&self, reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
        match self.session.is_confirmed() {
            true => Error::violation(reason),
            false => Error::decline(reason),
        }
    }
}
