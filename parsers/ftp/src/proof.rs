//! Whether the conversation is FTP.

use flowcell_sdk::{Error, Result};

use crate::command::Command;
use crate::reply::Reply;
use crate::verb::Verb;

/// Unknown commands that are borne before it is certain.
const STRANGE_MAX: u8 = 3;

/// So much evidence is proof.
const CERTAIN: u8 = 3;

/// So much is proof if the flow ends with it.
const LIKELY: u8 = 2;

/// What speaks for FTP so far.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    evidence: u8,
    strange: u8,
}

impl Proof {
    pub(crate) fn is_certain(&self) -> bool {
        self.evidence >= CERTAIN
    }

    /// It is FTP, if nothing more comes.
    pub(crate) fn is_likely(&self) -> bool {
        self.evidence >= LIKELY
    }

    /// Nothing else has what was seen.
    pub(crate) fn found(&mut self) {
        self.evidence = self.evidence.max(CERTAIN);
    }

    /// Before it is certain: says no to what no client of FTP sends.
    pub(crate) fn judge(&mut self, command: &Command) -> Result<()> {
        if self.is_certain() {
            return Ok(());
        }
        let foreign = Err(Error::decline("the client does not speak FTP"));
        match command.verb {
            Verb::Foreign => foreign,
            Verb::Unknown => {
                self.strange += 1;
                // RFC 959 §5.3: commands are three or four letters.
                let is_word = matches!(command.word.len(), 3 | 4)
                    && command.word.iter().all(u8::is_ascii_alphabetic);
                if is_word && self.strange <= STRANGE_MAX { Ok(()) } else { foreign }
            }
            _ => Ok(()),
        }
    }

    /// Adds what a command and the reply to it are worth; either may be missing.
    pub(crate) fn weigh(&mut self, command: Option<&Command>, reply: Option<&Reply>) {
        let coded = reply.filter(|reply| reply.code.is_some());
        let worth = match (command, coded) {
            (Some(command), Some(_)) if command.verb.is_proof_with_code() => CERTAIN,
            (Some(command), Some(_)) if command.asks_for_tls() => CERTAIN,
            // After a greeting that names FTP, any command will do.
            (Some(command), Some(_)) if command.verb != Verb::Unknown => self.evidence / LIKELY,
            (Some(command), None) if command.asks_for_tls() => 1,
            (Some(command), None) => command.verb.evidence(),
            (None, Some(reply)) => match reply.code {
                Some(227 | 229) if reply.listener().is_some() => CERTAIN,
                Some(230 | 331) => 2,
                Some(220) if reply.names_ftp() => 2,
                _ => 0,
            },
            _ => 0,
        };
        self.evidence = self.evidence.saturating_add(worth);
    }
}
