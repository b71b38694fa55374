//! Many short flows, or one long one, that all say the same.

use std::io;

use super::plain::Plain;
use super::wire;
use crate::output::{Output, Summary};
use crate::tuple::{Side, Tuple};

/// TCP flows with a handshake, one segment for each line of a script, and a FIN of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialogues<'a> {
    /// Flows in all.
    pub flows: u32,
    /// Flows that are open at once and take turns, one step each.
    pub at_once: u32,
    /// The server's port.
    pub port: u16,
    /// The payloads of a flow, and who sends each. None may be longer than a segment.
    pub script: &'a [(Side, &'a [u8])],
}

impl Dialogues<'_> {
    /// Makes the frames.
    ///
    /// # Errors
    ///
    /// What `output` fails with.
    pub fn frames(&self, output: &mut Output<'_>) -> io::Result<Summary> {
        let mut wire = wire(output);
        let mut buffer = Vec::new();
        let mut first = 0;
        while first < self.flows {
            let last = first.saturating_add(self.at_once.max(1)).min(self.flows);
            let tuple = |id: u32| Tuple::of(id.into(), 0, false, self.port);
            let mut open: Vec<Plain> = (first..last).map(|id| Plain::new(tuple(id))).collect();
            for flow in &open {
                flow.open(&mut buffer, &mut wire)?;
            }
            for (side, payload) in self.script {
                for flow in &mut open {
                    flow.send(*side, payload, &mut buffer, &mut wire)?;
                }
            }
            for flow in &open {
                flow.close(&mut buffer, |frame| wire.send(frame))?;
            }
            first = last;
        }
        Ok(wire.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flow_says_all_of_the_script() {
        let script: &[(Side, &[u8])] = &[(Side::Client, b"HELO"), (Side::Server, b"250 hi")];
        let dialogues = Dialogues { flows: 5, at_once: 2, port: 25, script };
        let (mut asked, mut answered) = (0, 0);
        let summary = dialogues.frames(&mut |frame| {
            asked += u32::from(frame.bytes.ends_with(b"HELO"));
            answered += u32::from(frame.bytes.ends_with(b"250 hi"));
            Ok(())
        });
        let summary = summary.expect("nothing here fails");
        assert_eq!((asked, answered), (5, 5));
        assert_eq!((summary.flows, summary.frames), (5, 5 * (3 + 2 + 3)));
    }
}
