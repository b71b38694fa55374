//! What the commands have in common: output, signals, how a run's outcome becomes an exit code.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write, stderr, stdout};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use wildmatch::WildMatch;

use super::args::OutputArgs;
use super::exit::Exit;
use crate::capture::CaptureError;
use crate::driver::{Interrupt, Messages, Outcome};
use crate::output::{Records, Writer};

/// Opens the output, which must not be one of the `inputs`.
pub(super) fn writer(args: &OutputArgs, inputs: &[PathBuf]) -> Result<Writer> {
    let out: Box<dyn Write + Send> = if args.output == Path::new("-") {
        Box::new(stdout())
    } else {
        let name = args.output.display();
        let same = |input: &PathBuf| is_same_file(input, &args.output);
        if inputs.iter().any(same) {
            bail!("{name}: it is read, and can not be the output as well");
        }
        let file = File::create(&args.output);
        Box::new(file.with_context(|| format!("{name}: the output can not be written"))?)
    };
    Ok(Writer::new(out))
}

/// `glob`, from `--types`, matches one of these types of record.
pub(super) fn matches_any(glob: &str, types: &[String]) -> bool {
    let glob = WildMatch::new(glob);
    types.iter().any(|ty| glob.matches(ty))
}

/// Whoever says `smtp` means all records of that parser.
pub(super) fn hint(glob: &str, types: &[String]) -> String {
    let all = format!("{glob}.*");
    if matches_any(&all, types) { format!(" (did you mean `{all}`?)") } else { String::new() }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// Prints a table on standard error, unless nobody reads that.
pub(super) fn tell_summary(table: &str) {
    let _ = stderr().write_all(table.as_bytes());
}

/// SIGINT and SIGTERM end a run in order; a second one ends it at once, for a run that waits for its
/// input.
pub(super) fn interrupt() -> Result<Interrupt> {
    let interrupt = Interrupt::default();
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, interrupt.flag())?;
        signal_hook::flag::register(signal, interrupt.flag())?;
    }
    Ok(interrupt)
}

/// Tells what was wrong with the input, and whether anything was.
pub(super) fn tell_problems(problems: &[CaptureError], messages: &Messages) -> bool {
    for problem in problems {
        messages.tell(&chain(problem));
    }
    !problems.is_empty()
}

/// How many records there were, by type.
pub(super) fn written<'a>(all: impl Iterator<Item = &'a Records>) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (ty, count) in all.flat_map(Records::written) {
        *sum.entry(ty).or_default() += count;
    }
    sum
}

/// An error with its sources, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The exit code, from what matters most to what matters least.
pub(super) fn exit<R>(
    outcome: &Outcome<R>,
    bad_input: bool,
    faults: bool,
    messages: &Messages,
) -> Exit {
    match outcome.writer.failed() {
        // Whoever read the output has had enough (`| head`).
        Some(error) if error.kind() == ErrorKind::BrokenPipe => return Exit::Done,
        Some(error) => {
            messages.tell(&format!("the output can not be written: {error}"));
            return Exit::BadInput;
        }
        None => {}
    }
    if outcome.interrupted {
        Exit::Interrupted
    } else if bad_input {
        Exit::BadInput
    } else if faults {
        Exit::Faults
    } else {
        Exit::Done
    }
}
