//! What goes through the pipes between a process and its compile worker.
//!
//! ```text
//! request   magic 8, engine hash 32, SHA-256 of the file 32, its length 8, the file
//! answer    magic 8, engine hash 32, SHA-256 of the file 32, status 1, confined 1,
//!           SHA-256 of the payload 32, its length 8, payload: machine code, or text that says why not
//! ```
//!
//! Numbers are little-endian. An answer names what it is an answer to, so that one which is cut short,
//! damaged or meant for something else is none.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use super::{CompileError, CompilerLimits};

const REQUEST: [u8; 8] = *b"fc-wasm1";
const ANSWER: [u8; 8] = *b"fc-code1";

/// Bytes of an answer before its payload.
pub(super) const ANSWER_HEAD: usize = 8 + 32 + 32 + 1 + 1 + 32 + 8;

/// A file to be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    /// Of the engine that is to run it.
    pub(super) engine: [u8; 32],
    /// SHA-256 of the file.
    pub(super) file: [u8; 32],
}

impl Subject {
    pub(super) fn new(engine: [u8; 32], bytes: &[u8]) -> Self {
        Self { engine, file: Sha256::digest(bytes).into() }
    }
}

/// Asks for `bytes` to be compiled.
pub(super) fn write_request(
    to: &mut impl Write,
    subject: &Subject,
    bytes: &[u8],
) -> io::Result<()> {
    let length = (bytes.len() as u64).to_le_bytes();
    for part in [&REQUEST[..], &subject.engine, &subject.file, &length, bytes] {
        to.write_all(part)?;
    }
    to.flush()
}

/// Reads a request whose file has at most `longest` bytes.
///
/// # Errors
/// When it ends early or is not what it says.
pub(super) fn read_request(from: &mut impl Read, longest: usize) -> io::Result<(Subject, Vec<u8>)> {
    let magic: [u8; 8] = take(from)?;
    let subject = Subject { engine: take(from)?, file: take(from)? };
    let length = u64::from_le_bytes(take(from)?);
    if magic != REQUEST || length > longest as u64 {
        return Err(invalid("no request for the compile worker"));
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length || Subject::new(subject.engine, &bytes) != subject {
        return Err(invalid("the request was cut short or damaged"));
    }
    Ok((subject, bytes))
}

/// What became of a file.
#[derive(Debug)]
pub(super) struct Answer {
    /// Machine code, or why there is none.
    pub(super) outcome: Result<Vec<u8>, CompileError>,
    /// System calls are restricted in the worker.
    pub(super) confined: bool,
}

/// How an outcome is written.
const CODE: u8 = 0;
const REFUSED: u8 = 1;
const FAILED: u8 = 2;
const MEMORY: u8 = 3;
const TOO_LONG: u8 = 4;
const UNABLE: u8 = 5;

/// Answers.
pub(super) fn write_answer(
    to: &mut impl Write,
    subject: &Subject,
    answer: &Answer,
) -> io::Result<()> {
    let (status, payload): (u8, &[u8]) = match &answer.outcome {
        Ok(code) => (CODE, code),
        Err(CompileError::Refused(text)) => (REFUSED, text.as_bytes()),
        Err(CompileError::Failed(text)) => (FAILED, text.as_bytes()),
        Err(CompileError::TooMuch { limit: "memory", .. }) => (MEMORY, &[]),
        Err(CompileError::TooMuch { .. }) => (TOO_LONG, &[]),
        Err(CompileError::Worker(text)) => (UNABLE, text.as_bytes()),
    };
    let length = (payload.len() as u64).to_le_bytes();
    let digest: [u8; 32] = Sha256::digest(payload).into();
    let flags = [status, answer.confined.into()];
    for part in [&ANSWER[..], &subject.engine, &subject.file, &flags, &digest, &length, payload] {
        to.write_all(part)?;
    }
    to.flush()
}

/// Reads the whole of an answer.
///
/// # Errors
/// What is wrong with it: it is then no answer at all.
pub(super) fn read_answer(
    mut bytes: &[u8],
    subject: &Subject,
    limits: &CompilerLimits,
) -> Result<Answer, &'static str> {
    let from = &mut bytes;
    let head = |from: &mut &[u8]| -> io::Result<_> {
        let magic: [u8; 8] = take(from)?;
        let about = Subject { engine: take(from)?, file: take(from)? };
        let [status, confined] = take(from)?;
        let digest: [u8; 32] = take(from)?;
        Ok((magic, about, status, confined, digest, u64::from_le_bytes(take(from)?)))
    };
    let (magic, about, status, confined, digest, length) =
        head(from).map_err(|_| "it is cut short")?;
    if magic != ANSWER {
        return Err("it is no answer");
    }
    if about.engine != subject.engine {
        return Err("it is for another engine");
    }
    if about.file != subject.file {
        return Err("it is for another file");
    }
    let payload = bytes;
    if payload.len() as u64 != length || digest != <[u8; 32]>::from(Sha256::digest(payload)) {
        return Err("it is damaged");
    }
    let text = || String::from_utf8_lossy(payload).into_owned();
    let outcome = match status {
        CODE => Ok(payload.to_vec()),
        REFUSED => Err(CompileError::Refused(text())),
        FAILED => Err(CompileError::Failed(text())),
        MEMORY => Err(CompileError::memory(limits)),
        TOO_LONG => Err(CompileError::code(limits)),
        UNABLE => Err(CompileError::Worker(text())),
        _ => return Err("its status is unknown"),
    };
    Ok(Answer { outcome, confined: confined == 1 })
}

fn take<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject::new([7; 32], b"file")
    }

    fn answer(outcome: Result<Vec<u8>, CompileError>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_answer(&mut bytes, &subject(), &Answer { outcome, confined: true }).unwrap();
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Answer, &'static str> {
        read_answer(bytes, &subject(), &CompilerLimits::default())
    }

    #[test]
    fn a_request_arrives_whole_or_not_at_all() {
        let mut bytes = Vec::new();
        write_request(&mut bytes, &subject(), b"file").unwrap();
        let (got, file) = read_request(&mut &bytes[..], 4).unwrap();
        assert_eq!((got, &file[..]), (subject(), &b"file"[..]));
        assert!(read_request(&mut &bytes[..], 3).is_err(), "longer than it may be");
        for end in 0..bytes.len() {
            assert!(read_request(&mut &bytes[..end], 4).is_err(), "cut to {end}");
        }
        // The engine's hash is for the worker to compare; everything else is checked here.
        for at in (0..8).chain(40..bytes.len()) {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(read_request(&mut &bad[..], 1 << 20).is_err(), "byte {at} is another");
        }
    }

    #[test]
    fn an_answer_with_any_other_byte_is_none() {
        let good = answer(Ok(b"code".to_vec()));
        assert_eq!(good.len(), ANSWER_HEAD + 4);
        assert_eq!(read(&good).unwrap().outcome.unwrap(), b"code");
        for end in 0..good.len() {
            assert!(read(&good[..end]).is_err(), "cut to {end}");
        }
        assert!(read(&[&good[..], b"x"].concat()).is_err());
        // Status and confinement mean something else then; they are no code's bytes.
        for at in (0..72).chain(74..good.len()) {
            let mut bad = good.clone();
            bad[at] ^= 0x80;
            assert!(read(&bad).is_err(), "byte {at} is another");
        }
    }

    #[test]
    fn each_outcome_arrives_as_it_was() {
        let limits = CompilerLimits::default();
        let told = |error| {
            let text = format!("{error}");
            (read(&answer(Err(error))).unwrap().outcome.unwrap_err().to_string(), text)
        };
        for error in [
            CompileError::Refused("no".into()),
            CompileError::Failed("boom".into()),
            CompileError::Worker("unable".into()),
            CompileError::memory(&limits),
            CompileError::code(&limits),
        ] {
            let (got, sent) = told(error);
            assert_eq!(got, sent);
        }
    }
}
