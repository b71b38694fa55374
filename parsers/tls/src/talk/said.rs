//! Handshake messages and alerts that are in the clear.

use flowcell_sdk::prelude::*;

use super::{Course, HELLO, Talk};
use crate::chain::Chain;
use crate::client_hello::ClientHello;
use crate::messages::{
    CERTIFICATE, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, Message, Messages, SERVER_HELLO,
    SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE,
};
use crate::records::Alert;
use crate::server_hello::ServerHello;
use crate::{key_exchange, names};

/// Most alerts that are kept.
const MAX_ALERTS: usize = 16;

impl Talk<'_> {
    /// Looks at the beginning of the message that is being put together.
    pub(super) fn begun(&mut self, side: Side, messages: &Messages) -> Result<()> {
        match messages.begun() {
            Some((kind, length, body)) if body.len() >= 2 => self.greet(side, kind, length, body),
            _ => Ok(()),
        }
    }

    /// The first message of a side is a hello, and says who is who.
    fn greet(&mut self, side: Side, kind: u8, length: usize, body: &[u8]) -> Result<()> {
        if self.party(side).greeted {
            return Ok(());
        }
        let version = matches!(body, [3, 0..=4, ..] | [0x7f, ..]);
        if !matches!(kind, CLIENT_HELLO | SERVER_HELLO) || !version || !HELLO.contains(&length) {
            return self.foreign(side);
        }
        let flipped = (kind == CLIENT_HELLO) == (side == Side::Server);
        if self.parties.iter().any(|party| party.greeted) && flipped != self.flipped {
            return Err(Error::violation("both sides are clients, or both are servers"));
        }
        if flipped && !self.flipped {
            self.history.insert(0, b'^');
        }
        self.flipped = flipped;
        self.party(side).greeted = true;
        self.confirm();
        Ok(())
    }

    pub(super) fn message(&mut self, side: Side, message: Message) -> Result<()> {
        let Message { kind, body, torn, cut } = message;
        if body.len() >= 2 {
            self.greet(side, kind, body.len(), &body)?;
        }
        if !self.party(side).greeted {
            return Ok(());
        }
        self.incomplete |= torn;
        let whole = !torn && !cut;
        let mut letter = names::letter(kind);
        let client = self.is_client(side);
        match kind {
            CLIENT_HELLO if client && self.client_hello.is_none() => {
                let mut hello = ClientHello::read(&body);
                if whole && !hello.whole && hello.cut.is_empty() {
                    return Err(Error::violation("a ClientHello that does not add up"));
                }
                hello.whole &= whole;
                if cut {
                    hello.cut.push("ssl_client_exts");
                }
                self.client_hello = Some(hello);
            }
            SERVER_HELLO if !client => {
                let mut hello = ServerHello::read(&body);
                if whole && !hello.whole && !hello.cut {
                    return Err(Error::violation("a ServerHello that does not add up"));
                }
                if hello.retry {
                    letter = b'j';
                }
                if hello.group.is_some() {
                    self.curve = hello.group;
                }
                let place = if hello.retry { &mut self.retry } else { &mut self.server_hello };
                hello.whole &= whole;
                place.get_or_insert(hello);
            }
            CERTIFICATE if self.sends_x509(side) && self.party(side).chain.is_none() => {
                let (mut chain, sound) = Chain::read(&body);
                chain.cut |= cut;
                self.party(side).chain = Some(chain);
                if whole && sound.is_none() {
                    return Err(Error::violation("a chain of certificates that does not add up"));
                }
            }
            SERVER_KEY_EXCHANGE if !client => {
                let cipher = self.server_hello.as_ref().and_then(|hello| hello.cipher);
                let curve = cipher.and_then(|cipher| key_exchange::curve(cipher, &body));
                self.curve = curve.or(self.curve);
            }
            SERVER_HELLO_DONE => self.party(side).hello_done = true,
            CLIENT_KEY_EXCHANGE => self.party(side).key_exchange = true,
            _ => {}
        }
        if !torn {
            self.letter(side, letter);
        }
        Ok(())
    }

    /// RFC 7250: a certificate may be a bare key, or of another kind, if both agreed on that.
    fn sends_x509(&self, side: Side) -> bool {
        let [client, server] = self.server_hello.as_ref().map_or([true; 2], |hello| hello.x509);
        if self.is_client(side) { client } else { server }
    }

    /// RFC 8446 §6: level and description. They need not be in one record (RFC 5246 §6.2.1).
    pub(super) fn alerts(&mut self, side: Side, bytes: &[u8]) -> Result<Course> {
        let mut course = Course::Read;
        for byte in bytes {
            let Some(level) = self.party(side).alert_level.take() else {
                self.party(side).alert_level = Some(*byte);
                continue;
            };
            let known = names::known_alert(*byte).is_some() && matches!(level, 1 | 2);
            if !self.confirmed && !self.flow.info().midstream {
                if !known {
                    return self.foreign(side).map(|()| Course::Done);
                }
                self.confirm();
            }
            self.letter(side, b'l');
            if self.alerts.len() < MAX_ALERTS {
                self.alerts.push(Alert {
                    from: if self.is_client(side) { "client" } else { "server" },
                    level: names::alert_level(level),
                    description: names::alert(*byte),
                });
            } else {
                self.alerts_cut = true;
            }
            if level == 2 {
                course = Course::Done; // RFC 8446 §6.2: nothing comes behind it
            }
        }
        Ok(course)
    }
}
