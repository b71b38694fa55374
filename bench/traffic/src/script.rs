//! What a flow is going to say.

use crate::dns::Lookup;
use crate::mail::Dialogue;
use crate::message::Message;
use crate::rng::Rng;
use crate::tuple::{Application, Transport};
use crate::web::Exchange;

#[derive(Clone, Debug)]
pub(crate) enum Script {
    Mail(Dialogue),
    Web(Exchange),
    Dns(Lookup),
}

impl Script {
    pub(crate) fn new(application: Application, transport: Transport, rng: &mut Rng) -> Self {
        match application {
            Application::Mail => Self::Mail(Dialogue::new(rng)),
            Application::Web => Self::Web(Exchange::new(rng)),
            Application::Dns => Self::Dns(Lookup::new(transport == Transport::Tcp, rng)),
        }
    }

    /// The next message of either side.
    pub(crate) fn next(&mut self, rng: &mut Rng) -> Option<Message> {
        match self {
            Self::Mail(dialogue) => dialogue.next(rng),
            Self::Web(exchange) => exchange.next(rng),
            Self::Dns(lookup) => lookup.next(rng),
        }
    }
}
