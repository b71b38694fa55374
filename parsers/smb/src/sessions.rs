//! Who is logged on.

use crate::names;
use crate::ntlm::{Authenticate, Challenge, Message};
use crate::out::Out;
use crate::records;
use crate::reply::{Choice, Verdict};
use crate::request::{Offer, Proof};
use crate::text::{Name, hex_number};

/// Most sessions at a time; a client has one for each of its users.
const SESSIONS_MAX: usize = 32;

/// Most dialects that are kept of all offers: SMB 1 offers some, SMB 2 again.
const DIALECTS_MAX: usize = 32;

/// What a record takes without the texts of the wire, in bytes.
const RECORD: usize = 1_200;

/// What client and server agreed on (MS-SMB2 §3.2.5.2).
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    pub(crate) offered: Vec<Vec<u8>>,
    pub(crate) dialect: Option<Vec<u8>>,
    pub(crate) signing_required: bool,
    pub(crate) server_name: Option<Name>,
    pub(crate) client_guid: Option<Vec<u8>>,
    pub(crate) server_guid: Option<Vec<u8>>,
    pub(crate) server_mechs: Vec<Vec<u8>>,
    pub(crate) cipher: Option<&'static str>,
}

impl Agreement {
    pub(crate) fn offered(&mut self, offer: Offer) {
        for dialect in offer.dialects {
            if self.offered.len() < DIALECTS_MAX {
                self.offered.push(dialect);
            }
        }
        self.signing_required |= offer.signing_required;
        if let Some(guid) = offer.client_guid {
            self.client_guid = Some(crate::text::guid(&guid));
        }
        if offer.server_name.is_some() {
            self.server_name = offer.server_name;
        }
    }

    pub(crate) fn chosen(&mut self, choice: Choice) {
        self.dialect = Some(names::dialect(choice.dialect));
        self.signing_required |= choice.signing_required;
        self.server_guid = Some(crate::text::guid(&choice.server_guid));
        self.server_mechs = choice.mechs;
        self.cipher = choice.cipher;
    }
}

/// An exchange in which the client proves who it is.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    mechs: Vec<Vec<u8>>,
    kerberos: bool,
    ntlm: bool,
    challenge: Option<Box<Challenge>>,
    authenticate: Option<Box<Authenticate>>,
    binding: bool,
    signing_required: bool,
    incomplete: bool,
}

/// What the server says in the end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Decision {
    pub(crate) status: u32,
    pub(crate) guest: bool,
    pub(crate) anonymous: bool,
    pub(crate) encrypted: bool,
}

impl Exchange {
    /// Takes what a message of either side says.
    pub(crate) fn take(&mut self, proof: Proof) {
        self.binding |= proof.binding;
        self.signing_required |= proof.signing_required;
        self.kerberos |= proof.token.kerberos;
        if self.mechs.is_empty() {
            self.mechs = proof.token.mechs;
        }
        match proof.ntlm {
            Some(Message::Challenge(challenge)) => self.challenge = Some(challenge),
            Some(Message::Authenticate(authenticate)) => self.authenticate = Some(authenticate),
            Some(Message::Negotiate) => {}
            None => return,
        }
        self.ntlm = true;
    }

    /// Takes what a client of SMB 1 says without any wrapper.
    pub(crate) fn take_plain(&mut self, authenticate: Authenticate) {
        self.ntlm = true;
        self.authenticate = Some(Box::new(authenticate));
    }

    /// It says, or will never say, who the client is.
    pub(crate) fn names_client(&self) -> bool {
        self.authenticate.is_some() || self.kerberos
    }

    fn user(&self) -> Option<&Name> {
        let user = &self.authenticate.as_ref()?.user;
        (!user.is_empty()).then_some(user)
    }

    /// Emits what came of it.
    pub(crate) fn emit(
        &self,
        session_id: u64,
        decision: Option<Decision>,
        agreement: &Agreement,
        out: &mut Out<'_>,
    ) {
        let known = decision.unwrap_or_default();
        let id = (session_id != 0).then(|| hex_number(&session_id.to_be_bytes()));
        let status = decision.map(|decision| names::status(decision.status));
        let client = self.authenticate.as_deref();
        let server = self.challenge.as_deref();
        let said =
            |field: fn(&Authenticate) -> &Name| client.map(field).filter(|name| !name.is_empty());
        let names = [
            said(|client| &client.user),
            said(|client| &client.domain),
            said(|client| &client.workstation),
            server.and_then(|server| server.nb_computer.as_ref()),
            server.and_then(|server| server.nb_domain.as_ref()),
            server.and_then(|server| server.dns_computer.as_ref()),
            server.and_then(|server| server.dns_domain.as_ref()),
            server.and_then(|server| server.dns_tree.as_ref()),
        ];
        let texts = names.map(|name| name.map(|name| name.text.as_slice()));
        let [user, domain, host, computer, nb_domain, dns_computer, dns_domain, tree] =
            texts.map(|text| text.map(Into::into));
        let record = records::Session {
            session_id: id.as_deref().map(Into::into),
            dialect: agreement.dialect.as_deref().map(Into::into),
            dialects_offered: list(&agreement.offered),
            mechanism: match (self.authenticate.is_some() || !self.kerberos, self.ntlm) {
                (true, true) => Some("ntlm"),
                _ if self.kerberos => Some("kerberos"),
                _ => None,
            },
            mechs_offered: list(&self.mechs),
            username: user,
            domainname: domain,
            hostname: host,
            client_version: client.and_then(|client| client.version.as_deref()).map(Into::into),
            ntlm_version: client.and_then(|client| client.ntlm_version),
            server_nb_computer_name: computer,
            server_nb_domain_name: nb_domain,
            server_dns_computer_name: dns_computer,
            server_dns_domain_name: dns_domain,
            server_tree_name: tree,
            server_version: server.and_then(|server| server.version.as_deref()).map(Into::into),
            success: decision.map(|decision| !names::is_failure(decision.status)),
            status: status.as_deref().map(Into::into),
            guest: known.guest,
            anonymous: known.anonymous || client.is_some_and(|client| client.anonymous),
            signing_required: self.signing_required || agreement.signing_required,
            encrypted: known.encrypted,
            binding: self.binding,
            incomplete: self.incomplete || decision.is_none(),
            truncated: names.iter().flatten().any(|name| name.cut),
        };
        let lists = self.mechs.iter().chain(&agreement.offered).map(Vec::as_slice);
        out.emit(&record, RECORD, texts.into_iter().flatten().chain(lists));
    }
}

/// Texts as a record shows them.
pub(crate) fn list(texts: &[Vec<u8>]) -> Vec<flowcell_sdk::Text<'_>> {
    texts.iter().map(|text| text.as_slice().into()).collect()
}

/// A session, or what will be one.
#[derive(Debug)]
struct Session {
    id: u64,
    user: Option<Name>,
    exchange: Option<Box<Exchange>>,
}

/// All of a connection.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Vec<Session>);

impl Sessions {
    /// The user of a session, if it is known.
    pub(crate) fn user(&self, id: u64) -> Option<&Name> {
        let session = self.0.iter().find(|session| session.id == id)?;
        let exchange = session.exchange.as_ref().and_then(|exchange| exchange.user());
        session.user.as_ref().or(exchange)
    }

    /// A step of SESSION_SETUP: what the client said, what the server said, or both.
    pub(crate) fn setup(
        &mut self,
        asked: Option<(u64, Proof)>,
        answered: Option<(u64, u32, Option<Verdict>)>,
        agreement: &Agreement,
        out: &mut Out<'_>,
    ) {
        let asked_id = asked.as_ref().map_or(0, |(id, _)| *id);
        let id = answered.as_ref().map_or(0, |(id, ..)| *id);
        let id = if id == 0 { asked_id } else { id };
        let mut exchange = self.take(id).or_else(|| self.take(0)).unwrap_or_default();
        match asked {
            Some((_, proof)) => exchange.take(proof),
            None => exchange.incomplete = true,
        }
        let Some((_, status, verdict)) = answered else {
            exchange.incomplete = true;
            self.keep(id, exchange, agreement, out);
            return;
        };
        let mut decision = Decision { status, ..Decision::default() };
        if let Some(verdict) = verdict {
            decision.guest = verdict.guest;
            decision.anonymous = verdict.anonymous;
            decision.encrypted = verdict.encrypted;
            exchange.take(verdict.proof);
        }
        if status == names::MORE_PROCESSING_REQUIRED {
            self.keep(id, exchange, agreement, out);
            return;
        }
        exchange.emit(id, Some(decision), agreement, out);
        if names::is_failure(status) {
            self.remove(id);
            return;
        }
        let user = exchange.user().cloned();
        let session = self.session(id, agreement, out);
        if user.is_some() {
            session.user = user;
        }
    }

    /// A session has ended.
    pub(crate) fn remove(&mut self, id: u64) {
        self.0.retain(|session| session.id != id);
    }

    /// Tells what was not decided.
    pub(crate) fn finish(&mut self, agreement: &Agreement, out: &mut Out<'_>) {
        for session in &mut self.0 {
            session.give_up(agreement, out);
        }
    }

    fn take(&mut self, id: u64) -> Option<Box<Exchange>> {
        self.0.iter_mut().find(|session| session.id == id)?.exchange.take()
    }

    fn keep(&mut self, id: u64, exchange: Box<Exchange>, agreement: &Agreement, out: &mut Out<'_>) {
        self.session(id, agreement, out).exchange = Some(exchange);
    }

    /// The session with this id, made if it is new. Of too many, the oldest is forgotten.
    fn session(&mut self, id: u64, agreement: &Agreement, out: &mut Out<'_>) -> &mut Session {
        let at = match self.0.iter().position(|session| session.id == id) {
            Some(at) => at,
            None => {
                if self.0.len() >= SESSIONS_MAX {
                    self.0.remove(0).give_up(agreement, out);
                }
                self.0.push(Session { id, user: None, exchange: None });
                self.0.len() - 1
            }
        };
        &mut self.0[at]
    }
}

impl Session {
    fn give_up(&mut self, agreement: &Agreement, out: &mut Out<'_>) {
        if let Some(exchange) = self.exchange.take() {
            exchange.emit(self.id, None, agreement, out);
        }
    }
}
