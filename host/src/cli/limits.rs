//! `--limits FILE`: the limits of a run, from a TOML file.
//!
//! ```toml
//! [engine]            # the flow engine
//! tcp_timeout_ms = "10 min"
//!
//! [cells]             # every parser
//! memory = "2 MiB"
//!
//! [cells.smtp]        # the parser that calls itself `smtp`
//! memory = "1 MiB"
//!
//! [repro]             # --repro-dir
//! repro_bundles = 10
//! [breaker]           # when a parser gets no new flows
//! faults = 50
//! [compiler]          # compiling a parser
//! cpu_time = "30 s"
//! ```

mod value;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use flowcell_core::{LimitInfo, Limits};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::driver::repro::{ReproLimitInfo, ReproLimits};
use crate::driver::{BreakerLimits, Messages, Room};
use crate::registry::compiler::CompilerLimits;
use crate::runtime::{CellLimitInfo, CellLimits, ParserLimits};

/// Longest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Longest piece of the file that a message repeats, in characters.
const MAX_SHOWN: usize = 60;

/// The limits of a run.
#[derive(Debug, Default)]
pub(super) struct RunLimits {
    pub(super) engine: Limits,
    pub(super) cells: ParserLimits,
    /// What all cells may have together.
    pub(super) room: Room,
    pub(super) repro: ReproLimits,
    pub(super) breaker: BreakerLimits,
    pub(super) compiler: CompilerLimits,
    /// Where the file speaks of a single parser: its name and the place, in words.
    sections: Vec<(String, String)>,
}

/// Why a file of limits can not be taken. Says file, place and cure, in one line.
#[derive(Debug, thiserror::Error)]
pub(super) enum LimitsError {
    #[error("{file}: {error} (--limits wants a TOML file)")]
    Read { file: String, error: io::Error },
    #[error("{0}: longer than {MAX_FILE} bytes, which no file of limits is")]
    TooLong(String),
    #[error("{place}: {problem}")]
    Content { place: String, problem: String },
}

/// What is wrong at a place of the text.
#[derive(Debug)]
struct Problem {
    at: usize,
    text: String,
}

impl Problem {
    fn at(span: Range<usize>, text: String) -> Self {
        Self { at: span.start, text }
    }
}

/// One limit as a file may set it.
#[derive(Debug, Clone, Copy)]
struct Row {
    name: &'static str,
    unit: &'static str,
    min: u64,
    max: u64,
    fixed: bool,
}

impl From<&LimitInfo> for Row {
    fn from(row: &LimitInfo) -> Self {
        let LimitInfo { name, unit, min, max, fixed, .. } = *row;
        Self { name, unit, min, max, fixed }
    }
}

impl From<&CellLimitInfo> for Row {
    fn from(row: &CellLimitInfo) -> Self {
        let CellLimitInfo { name, unit, min, max, fixed, .. } = *row;
        Self { name, unit, min, max, fixed }
    }
}

impl From<&ReproLimitInfo> for Row {
    fn from(row: &ReproLimitInfo) -> Self {
        let ReproLimitInfo { name, unit, min, max, .. } = *row;
        Self { name, unit, min, max, fixed: false }
    }
}

/// A part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section<'a> {
    Engine,
    Cells,
    Breaker,
    Parser(&'a str),
    Repro,
    Compiler,
}

impl Section<'_> {
    /// Those that are for all parsers.
    const ALL: [Self; 5] = [Self::Engine, Self::Cells, Self::Breaker, Self::Compiler, Self::Repro];

    fn rows(self) -> Vec<Row> {
        match self {
            Self::Engine => Limits::TABLE.iter().map(Row::from).collect(),
            Self::Cells => {
                let of_each = Self::Parser("").rows().into_iter();
                of_each.chain(Room::TABLE.iter().map(Row::from)).collect()
            }
            Self::Breaker => BreakerLimits::TABLE.iter().map(Row::from).collect(),
            Self::Parser(_) => CellLimits::TABLE.iter().map(Row::from).collect(),
            Self::Repro => ReproLimits::TABLE.iter().map(Row::from).collect(),
            Self::Compiler => CompilerLimits::TABLE.iter().map(Row::from).collect(),
        }
    }

    fn title(self) -> String {
        match self {
            Self::Engine => "[engine]".into(),
            Self::Cells => "[cells]".into(),
            Self::Repro => "[repro]".into(),
            Self::Breaker => "[breaker]".into(),
            Self::Parser(name) => format!("[cells.{}]", shown(name)),
            Self::Compiler => "[compiler]".into(),
        }
    }
}

impl RunLimits {
    /// Those of a file, or the defaults if there is none.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, LimitsError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
            .map_err(|error| LimitsError::Read { file: name.clone(), error })?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(LimitsError::TooLong(name));
        }
        Self::of(&name, &bytes)
    }

    /// Those of a file with this name and content.
    fn of(file: &str, bytes: &[u8]) -> Result<Self, LimitsError> {
        let text = match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let place = place(file, &String::from_utf8_lossy(valid), valid.len());
                let problem = "not UTF-8, which TOML is; save the file as UTF-8".into();
                return Err(LimitsError::Content { place, problem });
            }
        };
        let mut limits = Self::default();
        limits.take(file, text).map_err(|problem| {
            let place = place(file, text, problem.at);
            LimitsError::Content { place, problem: problem.text }
        })?;
        Ok(limits)
    }

    fn take(&mut self, file: &str, text: &str) -> Result<(), Problem> {
        let document = DeTable::parse(text).map_err(|error| not_toml(text, &error))?;
        for (key, value) in in_order(document.get_ref()) {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("engine", DeValue::Table(table)) => {
                    each(Section::Engine, table, |name, value| self.engine.set(name, value))?;
                }
                ("cells", DeValue::Table(table)) => self.cells(file, text, table)?,
                ("breaker", DeValue::Table(table)) => {
                    each(Section::Breaker, table, |name, value| self.breaker.set(name, value))?;
                }
                ("compiler", DeValue::Table(table)) => {
                    each(Section::Compiler, table, |name, value| self.compiler.set(name, value))?;
                }
                ("repro", DeValue::Table(table)) => {
                    each(Section::Repro, table, |name, value| self.repro.set(name, value))?;
                }
                (name, value) => {
                    return Err(Problem::at(key.span(), no_section(name, value)));
                }
            }
        }
        Ok(())
    }

    /// Values for all parsers come first, wherever they stand: a parser's section starts from them.
    fn cells(&mut self, file: &str, text: &str, table: &DeTable<'_>) -> Result<(), Problem> {
        let rows = in_order(table);
        let is_section = |value: &Spanned<DeValue<'_>>| value.get_ref().is_table();
        for (key, value) in rows.iter().filter(|(_, value)| !is_section(value)) {
            let (name, value) = one(Section::Cells, key.span(), key.get_ref(), value)?;
            if !self.room.set(name, value) {
                self.cells.all.set(name, value);
            }
        }
        for (parser, section) in rows {
            let DeValue::Table(table) = section.get_ref() else { continue };
            let name = parser.get_ref().as_ref();
            let mut limits = self.cells.all;
            each(Section::Parser(name), table, |name, value| limits.set(name, value))?;
            self.cells.by_parser.insert(name.to_owned(), limits);
            self.sections.push((name.to_owned(), place(file, text, parser.span().start)));
        }
        Ok(())
    }

    /// Tells about sections of parsers that are not there. It is no error: one file may serve several
    /// runs, and live a parser may come later.
    pub(super) fn tell_unknown_parsers<'a>(
        &self,
        known: impl Iterator<Item = &'a str>,
        messages: &Messages,
    ) {
        let known: Vec<&str> = known.collect();
        for (name, place) in &self.sections {
            if !known.contains(&name.as_str()) {
                let cure = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean [cells.{near}]?"),
                    None if known.is_empty() => "there are none".into(),
                    None => format!("there are: {}", known.join(", ")),
                };
                messages.tell(&format!("{place}: no parser is called `{}`; {cure}", shown(name)));
            }
        }
    }
}

/// Reads the limits of a section, and hands each to `set`.
fn each(
    section: Section<'_>,
    table: &DeTable<'_>,
    mut set: impl FnMut(&str, u64) -> bool,
) -> Result<(), Problem> {
    for (key, value) in in_order(table) {
        let (name, value) = one(section, key.span(), key.get_ref(), value)?;
        set(name, value); // the name is one of the section's
    }
    Ok(())
}

/// Looks one limit up and reads its value.
fn one(
    section: Section<'_>,
    span: Range<usize>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<(&'static str, u64), Problem> {
    let rows = section.rows();
    let Some(row) = rows.iter().find(|row| row.name == name) else {
        return Err(Problem::at(span, unknown(section, &rows, name)));
    };
    if row.fixed {
        return Err(Problem::at(span, format!("`{name}` is built in and can't be set")));
    }
    match value::read(row, value.get_ref()) {
        Ok(value) => Ok((row.name, value)),
        Err(text) => Err(Problem::at(value.span(), text)),
    }
}

/// What to say of a limit that its section does not have.
fn unknown(section: Section<'_>, rows: &[Row], name: &str) -> String {
    let title = section.title();
    let has = |other: Section<'_>| other.rows().iter().any(|row| row.name == name);
    let home = Section::ALL.into_iter().find(|other| has(*other));
    if let Some(home) = home {
        return format!("`{name}` belongs into the section {}, not into {title}", home.title());
    }
    let settable = rows.iter().filter(|row| !row.fixed).map(|row| row.name);
    let cure = match nearest(name, settable) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "docs/limits.md lists them".into(),
    };
    format!("`{}` is no limit of {title}; {cure}", shown(name))
}

/// What to say of a line that is no section's.
fn no_section(name: &str, value: &DeValue<'_>) -> String {
    if matches!(name, "engine" | "cells" | "breaker" | "compiler" | "repro") {
        let is_list = value.is_array();
        let wrong = if is_list { format!("[[{name}]]") } else { format!("{name} = …") };
        return format!("`{name}` is a section: write [{name}] on a line of its own, not {wrong}");
    }
    let has = |section: &Section<'_>| section.rows().iter().any(|row| row.name == name);
    match Section::ALL.iter().find(|section| has(section)) {
        Some(home) => format!("`{name}` belongs below a line that says {}", home.title()),
        None => {
            let shown = shown(name);
            format!(
                "`{shown}` is no section; there are [engine], [cells], [cells.PARSER], [breaker], \
                 [compiler] and [repro]"
            )
        }
    }
}

fn not_toml(text: &str, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or(text.len()..text.len());
    let key = text.get(span.clone()).unwrap_or_default();
    let problem = match error.message() {
        "duplicate key" => format!("`{}` is there twice; keep one", shown(key)),
        message => format!("not TOML: {message}"),
    };
    Problem::at(span, problem)
}

/// The name that is most like this one, if one is like it.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: String = name.chars().take(MAX_SHOWN).collect();
    let distance = |known: &&str| strsim::osa_distance(&name, known);
    let near = known.min_by_key(distance)?;
    (distance(&near) <= 1 + near.len() / 4).then_some(near)
}

type Entry<'a, 'i> = (&'a Spanned<toml::de::DeString<'i>>, &'a Spanned<DeValue<'i>>);

/// The entries of a table as they stand in the file, so that the first mistake is told.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<Entry<'a, 'i>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// `file:line:column`, counted from 1 and in characters.
fn place(file: &str, text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.split('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{file}:{line}:{column}")
}

/// A piece of the file for a message: one line, and not too long.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
