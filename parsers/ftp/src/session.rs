//! What the conversation comes to: who is logged in, where, and which data connections follow; and the
//! records of it.

use std::net::SocketAddr;

use flowcell_sdk::MASK;
use flowcell_sdk::prelude::*;

use crate::address::{self, Told};
use crate::command::{Command, WORD_MAX, names_password, shortened};
use crate::directory::Directory;
use crate::proof::Proof;
use crate::records::{self, DataChannel};
use crate::reply::{Reply, decimal};
use crate::transfer::Transfer;
use crate::verb::Verb;

/// Longest user name that is kept, in bytes.
const USER_MAX: usize = 256;

/// Most commands and replies that wait for the proof that this is FTP.
const HELD_MAX: usize = 16;

/// A data connection that is to come.
#[derive(Debug, Clone, Copy)]
struct Channel {
    passive: bool,
    /// Where one of the two hosts listens; absent if a third one is to.
    listener: Option<SocketAddr>,
}

/// What was learned so far.
#[derive(Debug)]
pub(crate) struct Session<'f> {
    flow: &'f Flow,
    proof: Proof,
    /// What waits for proof.
    held: Vec<(Option<Box<Command>>, Option<Reply>)>,
    user: Option<Vec<u8>>,
    /// As it is to be shown.
    password: Option<Vec<u8>>,
    /// A password comes next: a client may send it without the command.
    password_next: bool,
    directory: Directory,
    /// TYPE and MODE; 0 if not set.
    kind: u8,
    mode: u8,
    /// REST, until a transfer has it.
    offset: Option<u64>,
    /// The last SIZE and its reply.
    size: Option<(Vec<u8>, u64)>,
    channel: Option<Channel>,
}

impl<'f> Session<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        Self {
            flow,
            proof: Proof::default(),
            held: Vec::new(),
            user: None,
            password: None,
            password_next: false,
            directory: Directory::default(),
            kind: 0,
            mode: 0,
            offset: None,
            size: None,
            channel: None,
        }
    }

    /// It is certain that this is FTP.
    pub(crate) fn is_certain(&self) -> bool {
        self.proof.is_certain()
    }

    // ---- when a command is sent ----

    /// Takes note of a command that was sent. `port_awaited`: a reply that says where the server listens is
    /// still to come.
    pub(crate) fn sent(&mut self, command: &mut Command, port_awaited: bool) -> Result<()> {
        self.proof.judge(command)?;
        match command.verb {
            Verb::Port => self.told_by_client(command, address::port(&command.argument)),
            Verb::Eprt => self.told_by_client(command, address::eprt(&command.argument)),
            Verb::Pasv | Verb::Epsv => self.channel = None,
            Verb::Type => self.kind = letter(&command.argument),
            Verb::Mode => {
                let mode = letter(&command.argument);
                self.mode = if mode == b'S' { 0 } else { mode };
            }
            Verb::Rest => self.offset = decimal(command.argument.trim_ascii()),
            verb if verb.direction().is_some() => {
                command.offset = self.offset.take().filter(|offset| *offset > 0);
                if !port_awaited {
                    self.announce(command, None);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// PORT and EPRT: the client listens.
    fn told_by_client(&mut self, command: &mut Command, told: Option<Told>) {
        self.channel = None;
        let Some(told) = told else {
            return;
        };
        self.proof.found();
        self.flow.confirm();
        let info = self.flow.info();
        let client = info.client.ip();
        let address = told.address.unwrap_or(client);
        let address_differs = address != client;
        command.channel = Some(DataChannel {
            passive: false,
            orig_h: info.server.ip(),
            resp_h: address,
            resp_p: told.port,
            address_differs,
        });
        // The server connects to a third host: a bounce attack, or a client that does not know its
        // address. No flow of the two hosts at hand will come of it.
        let listener = (!address_differs).then(|| SocketAddr::new(client, told.port));
        self.open_channel(Channel { passive: false, listener });
    }

    // ---- when a reply is there ----

    /// A transfer has begun.
    pub(crate) fn begun(&mut self, command: &Command, reply: &Reply) {
        if let Some(name) = reply.given_name().filter(|_| command.verb == Verb::Stou) {
            self.announce(command, Some(name));
        }
    }

    /// Takes a command with the reply to it; either may be missing.
    pub(crate) fn exchange(
        &mut self,
        command: Option<Box<Command>>,
        reply: Option<Reply>,
    ) -> Result<()> {
        if !self.is_certain() {
            self.proof.weigh(command.as_deref(), reply.as_ref());
            if !self.is_certain() {
                self.held.push((command, reply));
                if self.held.len() > HELD_MAX {
                    return Err(Error::decline("nothing in the conversation is of FTP alone"));
                }
                return Ok(());
            }
            self.tell_held();
        }
        self.process(command, reply);
        Ok(())
    }

    /// The client begins with TLS.
    pub(crate) fn tls_begins(&mut self) -> Result<()> {
        // AUTH TLS without a reply or the reply alone, and TLS behind it.
        let is_of_tls = |(command, reply): &(Option<Box<Command>>, Option<Reply>)| {
            command.as_ref().is_some_and(|command| command.asks_for_tls())
                || reply.as_ref().is_some_and(|reply| reply.code == Some(234))
        };
        if self.held.iter().any(is_of_tls) {
            self.proof.found();
        }
        if !self.is_certain() {
            return Err(Error::decline("TLS from the start"));
        }
        self.tell_held();
        Ok(())
    }

    /// The conversation is over.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if !self.proof.is_likely() {
            return Err(Error::decline("nothing in the conversation is of FTP alone"));
        }
        self.tell_held();
        Ok(())
    }

    fn tell_held(&mut self) {
        for (command, reply) in std::mem::take(&mut self.held) {
            self.process(command, reply);
        }
    }

    /// Masks an unknown command that sets a password or is one, and what the reply repeats of it, unless
    /// secrets are shown.
    fn hide_secrets(&mut self, command: &mut Command, reply: Option<&mut Reply>) {
        if command.verb != Verb::Unknown || command.word.is_empty() {
            return;
        }
        if self.flow.secrets().are_shown() {
            if !self.password_next {
                command.truncated |= command.word.len() > WORD_MAX;
                command.word.truncate(WORD_MAX);
            } else if !command.argument.is_empty() {
                // All of the line is the password.
                command.word.push(b' ');
                command.word.append(&mut command.argument);
            }
            return;
        }
        let mut secrets = Vec::new();
        if self.password_next {
            let mask = MASK.as_bytes().to_vec();
            secrets.push(std::mem::replace(&mut command.word, mask));
            secrets.push(std::mem::take(&mut command.argument));
        } else if names_password(&command.word) && !command.argument.is_empty() {
            let mask = MASK.as_bytes().to_vec();
            secrets.push(std::mem::replace(&mut command.argument, mask));
        }
        if let Some(reply) = reply {
            for secret in &secrets {
                reply.hide(secret);
            }
            // What it repeats may be more than is kept.
            if command.truncated && !secrets.is_empty() {
                reply.message = MASK.as_bytes().to_vec();
                reply.text.clear();
            }
        }
    }

    /// Takes what an exchange changes, and emits it.
    fn process(&mut self, mut command: Option<Box<Command>>, mut reply: Option<Reply>) {
        if let Some(command) = &mut command {
            self.hide_secrets(command, reply.as_mut());
        }
        let reply = reply.as_ref();
        let asked = matches!(reply.and_then(|reply| reply.code), Some(331 | 332));
        let by_server = reply.and_then(Reply::listener).map(|told| self.listens(told));
        let Some(command) = command else {
            self.password_next |= asked;
            return self.emit(None, reply, by_server, None);
        };
        self.password_next = asked || (command.verb == Verb::User && reply.is_none());
        let channel = command.channel.or(by_server);
        let done = reply.is_some_and(Reply::is_success);
        let refused = reply.is_some_and(Reply::is_refusal);
        let message = reply.map(|reply| &*reply.message).unwrap_or_default();
        let code = reply.and_then(|reply| reply.code);
        let mut file_size = None;
        match command.verb {
            Verb::User => {
                self.user = Some(shortened(&command.argument, USER_MAX));
                self.password = None;
            }
            Verb::Pass => {
                self.password = Some(self.flow.secrets().show(&command.argument).to_vec());
            }
            Verb::Port | Verb::Eprt if refused => self.channel = None,
            Verb::Type if refused => self.kind = 0,
            Verb::Mode if refused => self.mode = 0,
            Verb::Rest if refused => self.offset = None,
            Verb::Size if done => {
                file_size = decimal(message.trim_ascii());
                self.size = file_size.map(|size| (command.argument.clone(), size));
            }
            Verb::Retr => file_size = self.file_size(&command),
            _ => {}
        }
        self.emit(Some(&command), reply, channel, file_size);
        match command.verb {
            Verb::Cwd if done => self.directory.enter(&command.argument),
            Verb::Cdup if done => self.directory.enter(b".."),
            Verb::Pwd if code == Some(257) => self.directory.told(message),
            // RFC 959 §4.1.1: all is as it was in the beginning.
            Verb::Rein if done => {
                self.user = None;
                self.password = None;
                self.directory = Directory::default();
                (self.kind, self.mode, self.offset) = (0, 0, None);
            }
            _ => {}
        }
    }

    /// As it was announced, or told in reply to SIZE.
    fn file_size(&self, command: &Command) -> Option<u64> {
        let asked = self.size.as_ref().filter(|(name, _)| *name == command.argument);
        let announced = command.begun.as_ref().and_then(Reply::announced_size);
        announced.or(asked.map(|(_, size)| *size))
    }

    /// The server listens, in reply to PASV or EPSV.
    fn listens(&mut self, told: Told) -> DataChannel {
        let info = self.flow.info();
        let server = info.server.ip();
        let address = told.address.unwrap_or(server);
        let channel = DataChannel {
            passive: true,
            orig_h: info.client.ip(),
            resp_h: address,
            resp_p: told.port,
            address_differs: address != server,
        };
        // Behind address translation a server does not know its address. The client goes where the
        // control connection goes, as most clients have done since they were told to (RFC 2577).
        let listener = Some(SocketAddr::new(server, told.port));
        self.open_channel(Channel { passive: true, listener });
        channel
    }

    // ---- data connections ----

    /// Says that a data connection may come. For what, the next command says.
    fn open_channel(&mut self, channel: Channel) {
        self.channel = Some(channel);
        self.expect(&Transfer::default());
    }

    /// Says what the data connection is for.
    pub(crate) fn announce(&self, command: &Command, given_name: Option<&[u8]>) {
        let name = given_name.or(command.path());
        let (path, cut) = match name {
            Some(name) => self.directory.path_of(name),
            None => (self.directory.path().unwrap_or_default().to_vec(), false),
        };
        self.expect(&Transfer {
            kind: self.kind,
            mode: self.mode,
            offset: command.offset.unwrap_or(0),
            command: (&*command.word).into(),
            path: path.into(),
            truncated: cut || command.truncated,
            ..Transfer::default()
        });
    }

    fn expect(&self, transfer: &Transfer<'_>) {
        let Some(Channel { passive, listener: Some(server) }) = self.channel else {
            return;
        };
        let context = Transfer { passive, port: server.port(), ..transfer.clone() }.encode();
        self.flow.expect(&Expectation {
            parser: "ftp",
            transport: Transport::Tcp,
            server,
            context: &context,
        });
    }

    // ---- records ----

    fn emit(
        &self,
        command: Option<&Command>,
        reply: Option<&Reply>,
        data_channel: Option<DataChannel>,
        file_size: Option<u64>,
    ) {
        let path = command.and_then(Command::path).map(|name| self.directory.path_of(name));
        let cut_path = path.as_ref().is_some_and(|(_, cut)| *cut);
        let argument = command.map(|command| &*command.argument).filter(|text| !text.is_empty());
        let flag = |command_has: fn(&Command) -> bool, reply_has: fn(&Reply) -> bool| {
            command.is_some_and(command_has) || reply.is_some_and(reply_has)
        };
        self.flow.emit(&records::Command {
            user: self.user.as_deref().map(Text::from),
            password: self.password.as_deref().map(Text::from),
            command: command.map(|command| Text::from(&*command.word)),
            arg: argument.map(Text::from),
            path: path.map(|(path, _)| Text::from(path)),
            file_size,
            offset: command.and_then(|command| command.offset),
            reply_code: reply.and_then(|reply| reply.code),
            reply_msg: reply.map(|reply| Text::from(&*reply.message)),
            reply_text: reply.filter(|reply| reply.has_text).map(|reply| Text::from(&*reply.text)),
            data_channel,
            truncated: cut_path || flag(|command| command.truncated, |reply| reply.truncated),
            incomplete: flag(|command| command.incomplete, |reply| reply.incomplete),
        });
    }
}

/// The letter that stands for a type or mode, in upper case.
fn letter(argument: &[u8]) -> u8 {
    let first = argument.trim_ascii().first().filter(|byte| byte.is_ascii_alphabetic());
    first.map_or(0, u8::to_ascii_uppercase)
}
