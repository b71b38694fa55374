//! Which transaction a message belongs to.

use crate::message::Message;

/// Most transactions that are remembered: those that came last.
const REMEMBERED_MAX: usize = 64;

/// The transactions of a flow, each with its number.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    /// Keys and numbers; the oldest is overwritten.
    recent: Vec<(u64, u64)>,
    next: u64,
}

impl Transactions {
    /// The number of a message's transaction, from 0. One that is not remembered is new.
    pub(crate) fn number_of(&mut self, message: &Message) -> u64 {
        let key = key(message);
        let known = self.recent.iter().find(|(known, _)| Some(*known) == key);
        if let Some((_, number)) = known {
            return *number;
        }
        let number = self.next;
        self.next = self.next.saturating_add(1);
        let Some(key) = key else {
            return number;
        };
        let slot = usize::try_from(number % REMEMBERED_MAX as u64).unwrap_or(0);
        match self.recent.get_mut(slot) {
            Some(oldest) => *oldest = (key, number),
            None => self.recent.push((key, number)),
        }
        number
    }
}

/// Call-ID, number and method. RFC 3261 §17.1.1.3: ACK has the number of its INVITE.
fn key(message: &Message) -> Option<u64> {
    let (call_id, number, method) = (message.call_id()?, message.number()?, message.method()?);
    let method = if method.eq_ignore_ascii_case(b"ACK") { b"INVITE" } else { method };
    // FNV-1a. Who finds two calls of one key makes two numbers equal, and no more.
    let parts = [call_id, b"\0", number, b"\0", method];
    let bytes = parts.into_iter().flatten();
    Some(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_uppercase())).wrapping_mul(0x0100_0000_01b3)
    }))
}
