//! Reads bundles. They may come from anybody: nothing of them is taken on trust, and whatever is in
//! one costs no more than its limits say.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::bundle::{Bundle, Chunk, FORMAT, Header, Input, Transport};
use crate::runtime::clipped;

/// Longest file that is read, in bytes: more than the largest `repro_bytes` make.
const MAX_FILE: u64 = 128 << 20;

/// Longest line, in bytes: a delivery of 64 KiB in as many segments.
const MAX_LINE: u64 = 4 << 20;

/// Most deliveries.
const MAX_INPUTS: u64 = 1 << 20;

/// Most bytes in one delivery, as the contract says.
const MAX_DELIVERY: usize = 65_536;

/// Longest piece of the file that a message repeats, in bytes.
const MAX_SHOWN: usize = 200;

/// A bundle that can not be replayed. Says file, line and cure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It can not be read.
    #[error("{file}: {error} (`parser replay` wants a file that `run --repro-dir` has written)")]
    Read {
        /// Its name.
        file: String,
        /// Why not.
        error: io::Error,
    },
    /// It is not what it should be.
    #[error("{place}: {problem}; docs/repro.md describes the format")]
    Content {
        /// File and line, and column if that is known.
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

/// Only the number of the format, whatever else there is.
#[derive(Deserialize)]
struct Format {
    flowrepro: u32,
}

impl Bundle {
    /// Reads a file.
    ///
    /// # Errors
    /// When it can not be read, or is not a bundle in all of its parts.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Self::parse(&name, BufReader::new(file)),
            Err(error) => Err(BundleError::Read { file: name, error }),
        }
    }

    /// Reads what a file of this name holds.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(name: &str, content: impl BufRead) -> Result<Self, BundleError> {
        let mut lines =
            Lines { name, content: content.take(MAX_FILE), number: 0, line: Vec::new() };
        if !lines.next()? {
            return Err(lines.wrong("the file is empty"));
        }
        let format: Format = lines.value("not a bundle")?;
        if format.flowrepro != FORMAT {
            let found = format.flowrepro;
            return Err(lines.wrong(&format!(
                "a bundle of format {found}, and this program reads {FORMAT}; use the version of \
                 flowcell that has written it"
            )));
        }
        let header: Header = lines.value("not the first line of a bundle")?;
        check_header(&header).map_err(|problem| lines.wrong(&problem))?;
        let mut inputs = Vec::new();
        while lines.next()? {
            if inputs.len() as u64 == header.inputs {
                let promised = header.inputs;
                let problem = format!("one delivery more than the {promised} of the first line");
                return Err(lines.wrong(&problem));
            }
            let input: Input = lines.value("not a delivery")?;
            check_input(&input, header.flow.transport).map_err(|problem| lines.wrong(&problem))?;
            inputs.push(input);
        }
        if (inputs.len() as u64) < header.inputs {
            let (found, promised) = (inputs.len(), header.inputs);
            return Err(lines.wrong(&format!(
                "the file ends after {found} deliveries of {promised}: it was cut off; copy it anew"
            )));
        }
        Ok(Self { header, inputs })
    }
}

/// The lines of a file.
struct Lines<'a, R> {
    name: &'a str,
    content: io::Take<R>,
    number: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<'_, R> {
    /// Goes to the next line; returns whether there is one.
    fn next(&mut self) -> Result<bool, BundleError> {
        self.line.clear();
        self.number += 1;
        let mut limited = (&mut self.content).take(MAX_LINE);
        let read = limited.read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| BundleError::Read { file: self.name.to_owned(), error })?;
        if self.line.last() == Some(&b'\n') {
            return Ok(true);
        }
        if self.content.limit() == 0 {
            return Err(self.wrong(&format!("longer than {MAX_FILE} bytes, which no bundle is")));
        }
        if read as u64 >= MAX_LINE {
            return Err(self.wrong(&format!("a line of more than {MAX_LINE} bytes")));
        }
        if read > 0 {
            return Err(self.wrong("the line has no end: the file was cut off; copy it anew"));
        }
        Ok(false)
    }

    /// The line's value.
    fn value<T: DeserializeOwned>(&self, what: &str) -> Result<T, BundleError> {
        serde_json::from_slice(&self.line).map_err(|error| {
            let text = error.to_string();
            // The line that it means is always the first.
            let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
            let column = match error.column() {
                0 => String::new(),
                column => format!(":{column}"),
            };
            BundleError::Content {
                place: format!("{}:{}{column}", self.name, self.number),
                problem: format!("{what}: {}", clipped(text, MAX_SHOWN)),
            }
        })
    }

    fn wrong(&self, problem: &str) -> BundleError {
        let place = format!("{}:{}", self.name, self.number);
        BundleError::Content { place, problem: problem.to_owned() }
    }
}

fn check_header(header: &Header) -> Result<(), String> {
    let Header { flowcell, parser, uid, fault, inputs, truncated, .. } = header;
    let lower = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    let version = |byte: u8| byte.is_ascii_alphanumeric() || b".+-".contains(&byte);
    let hex = |byte: u8| matches!(byte, b'a'..=b'f' | b'0'..=b'9');
    let digits = |byte: u8| byte.is_ascii_alphanumeric();
    word("flowcell", flowcell, 32, version)?;
    word("parser.name", &parser.name, 32, lower)?;
    word("parser.version", &parser.version, 32, version)?;
    word("parser.sha256", &parser.sha256, 64, hex)?;
    if parser.sha256.len() != 64 {
        return Err("`parser.sha256` has 64 digits".into());
    }
    word("uid", uid, 32, digits)?;
    word("fault.class", &fault.class, 32, lower)?;
    if header.flow.client.is_ipv4() != header.flow.server.is_ipv4() {
        return Err("`flow` has endpoints of two address families".into());
    }
    if let Some(truncated) = truncated {
        word("truncated.limit", &truncated.limit, 32, lower)?;
    }
    if *inputs > MAX_INPUTS {
        return Err(format!("{inputs} deliveries are more than the {MAX_INPUTS} that are read"));
    }
    Ok(())
}

/// Checks a word that becomes part of a record or of a file's name.
fn word(name: &str, word: &str, most: usize, allowed: impl Fn(u8) -> bool) -> Result<(), String> {
    if !word.is_empty() && word.len() <= most && word.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("`{name}` is not what it can be: `{}`", clipped(word, MAX_SHOWN)))
}

fn check_input(input: &Input, transport: Transport) -> Result<(), String> {
    match input {
        Input::Data(chunk) => check_chunk(chunk, transport),
        Input::Gap(gap) if gap.length == 0 => Err("a gap has at least 1 byte".into()),
        Input::Gap(gap) if gap.offset.checked_add(gap.length).is_none() => {
            Err("the gap ends behind the last offset that there is".into())
        }
        Input::Gap(_) | Input::End(_) => Ok(()),
    }
}

fn check_chunk(chunk: &Chunk, transport: Transport) -> Result<(), String> {
    let length = chunk.bytes.0.len();
    if length > MAX_DELIVERY {
        return Err(format!("{length} bytes, and a delivery has at most {MAX_DELIVERY}"));
    }
    if length == 0 && transport == Transport::Tcp {
        return Err("a delivery of a stream has at least 1 byte".into());
    }
    if chunk.offset.checked_add(length as u64).is_none() {
        return Err("the bytes end behind the last offset that there is".into());
    }
    let Some(segments) = &chunk.segments else { return Ok(()) };
    let sum: u64 = segments.iter().map(|segment| u64::from(segment.0)).sum();
    let some_empty = segments.iter().any(|segment| segment.0 == 0);
    if sum != length as u64 || some_empty || segments.len() < 2 {
        return Err(format!(
            "`segments` is to cut the {length} bytes into two pieces or more, and does not"
        ));
    }
    if segments.last().is_some_and(|last| last.1 != chunk.at) {
        return Err("`at` is to be the time of the last of `segments`, and is not".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
