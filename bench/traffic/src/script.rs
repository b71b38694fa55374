//! What a flow is going to say.

use crate::dns::Lookup;
use crate::mail::Dialogue;
use crate::message::Message;
use crate::rng::Rng;
use crate::tuple::{Application, Transport};
use crate::web::Exchange;
use crate::written::{self, Recital};

#[derive(Clone, Debug)]
pub(crate) enum Script {
    Mail(Dialogue),
    Web(Exchange),
    Dns(Lookup),
    Written(Recital),
}

impl Script {
    pub(crate) fn new(application: Application, transport: Transport, rng: &mut Rng) -> Self {
        let written = match application {
            Application::Mail => return Self::Mail(Dialogue::new(rng)),
            Application::Web => return Self::Web(Exchange::new(rng)),
            Application::Dns => return Self::Dns(Lookup::new(transport == Transport::Tcp, rng)),
            Application::Ftp => &written::FTP,
            Application::Imap => &written::IMAP,
            Application::Mqtt => &written::MQTT,
            Application::Pop3 => &written::POP3,
            Application::Redis => &written::REDIS,
            Application::Sip => &written::SIP,
            Application::Smb => &written::SMB,
            Application::Ssh => &written::SSH,
            Application::Tls => &written::TLS,
        };
        Self::Written(Recital::new(written, rng))
    }

    /// The next message of either side.
    pub(crate) fn next(&mut self, rng: &mut Rng) -> Option<Message> {
        match self {
            Self::Mail(dialogue) => dialogue.next(rng),
            Self::Web(exchange) => exchange.next(rng),
            Self::Dns(lookup) => lookup.next(rng),
            Self::Written(recital) => recital.next(rng),
        }
    }
}
