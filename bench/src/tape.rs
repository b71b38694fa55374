//! Frames in memory, and the whole way from them to records.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};
use flowcell::capture::{CaptureError, Frame, Next, Precision, Source, Stats};
use flowcell::driver::{Interrupt, Messages, Outcome, Plan, Room, Worker, drive};
use flowcell::output::{Records, Types, Writer};
use flowcell::registry::Handle;
use flowcell_core::{EngineConfig, LinkType, RawFrame, Timestamp};
use flowcell_traffic::Output;

/// A capture in memory.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    bytes: Vec<u8>,
    /// The time of each frame, and where it ends.
    marks: Vec<(u64, usize)>,
}

impl Tape {
    /// Keeps what `generate` makes.
    pub(crate) fn record<T>(
        generate: impl FnOnce(&mut Output<'_>) -> io::Result<T>,
    ) -> io::Result<Self> {
        let mut tape = Self::default();
        tape.append(generate)?;
        Ok(tape)
    }

    /// Keeps what `generate` makes behind what is there, at a time that comes after it.
    pub(crate) fn append<T>(
        &mut self,
        generate: impl FnOnce(&mut Output<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        let from = self.marks.last().map_or(0, |(at, _)| at + 1);
        let mut later = None;
        generate(&mut |frame| {
            let later = *later.get_or_insert(from.saturating_sub(frame.at));
            self.bytes.extend_from_slice(frame.bytes);
            self.marks.push((frame.at + later, self.bytes.len()));
            Ok(())
        })
    }

    /// The frames, numbered from `first + 1`, `later` nanoseconds after they were captured.
    pub(crate) fn frames(&self, first: u64, later: u64) -> impl Iterator<Item = RawFrame<'_>> {
        let starts = std::iter::once(0).chain(self.marks.iter().map(|(_, end)| *end));
        starts.zip(&self.marks).zip(first + 1..).map(move |((start, (at, end)), number)| {
            let bytes = &self.bytes[start..*end];
            let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let ts = Timestamp(at + later);
            RawFrame { number, ts, interface: 0, link: LinkType::ETHERNET, len, bytes }
        })
    }

    /// How many frames there are.
    pub(crate) fn len(&self) -> u64 {
        self.marks.len() as u64
    }
}

/// Plays frames, wherever they come from.
struct Player<'a, 'f: 'a> {
    frames: &'a mut dyn Iterator<Item = RawFrame<'f>>,
    played: u64,
}

impl Source for Player<'_, '_> {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        Ok(match self.frames.next() {
            Some(raw) => {
                self.played += 1;
                Next::Frame(Frame { raw, precision: Precision::Nano })
            }
            None => Next::End,
        })
    }

    fn stats(&mut self) -> Stats {
        Stats { received: self.played, ..Stats::default() }
    }
}

/// Runs frames through all of Flowcell on this thread, as `flowcell run` does it.
pub(crate) fn run<'a>(
    mut frames: impl Iterator<Item = RawFrame<'a>>,
    parsers: &Handle,
    output: impl Write + Send + 'static,
) -> Result<Outcome<Worker>> {
    play(&mut Player { frames: &mut frames, played: 0 }, parsers, &Types::new(&[]), output)
}

/// As [`run`], from a source, and with only these types of records.
pub(crate) fn play(
    source: &mut dyn Source,
    parsers: &Handle,
    types: &Types,
    output: impl Write + Send + 'static,
) -> Result<Outcome<Worker>> {
    let plan = Plan::new(EngineConfig::default(), 1, usize::MAX);
    let share = Room::default().share(plan.lanes as u64);
    let make = |_| {
        let mut worker = worker(parsers, types);
        worker.set_room(share, false);
        worker
    };
    let writer = Writer::new(Box::new(output));
    let outcome = drive(source, &plan, make, None, writer, &Interrupt::default(), |_, _| {})?;
    ensure!(outcome.problems.is_empty(), "frames in memory can be read");
    Ok(outcome)
}

/// A worker whose parsers' messages nobody reads.
pub(crate) fn worker(parsers: &Handle, types: &Types) -> Worker {
    Worker::new(parsers.clone(), Records::new(types.clone()), Messages::new(|_| {}))
}

/// Output that is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flowcell_traffic::{Generated, Output};

    use super::Tape;

    #[test]
    fn what_is_appended_comes_later() {
        let two = |output: &mut Output<'_>| {
            output(Generated { at: 5, bytes: b"first" })?;
            output(Generated { at: 9, bytes: b"second" })
        };
        let mut tape = Tape::record(two).expect("nothing here fails");
        tape.append(two).expect("nothing here fails");
        let frames = tape.frames(10, 100);
        let frames: Vec<_> = frames.map(|raw| (raw.number, raw.ts.0, raw.bytes)).collect();
        let (first, second) = (&b"first"[..], &b"second"[..]);
        let expected = [(11, 105, first), (12, 109, second), (13, 110, first), (14, 114, second)];
        assert_eq!(frames, expected);
    }
}
