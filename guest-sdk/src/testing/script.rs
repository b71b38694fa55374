//! The text form of a flow.

use std::net::SocketAddr;

use serde_json::Value as Json;

use crate::info::{FlowInfo, Secrets, Side, Transport};
use crate::read_error::{EndReason, GapReason};
use crate::record::Timestamp;

/// One thing that happens in a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the module's table says it")]
pub enum Step {
    Data { side: Side, bytes: Vec<u8> },
    Gap { side: Side, length: u64, reason: GapReason },
    End { side: Side, reason: EndReason },
}

/// A conversation and what a parser must make of it. The module says how it is written.
#[derive(Debug, Clone)]
pub struct FlowScript {
    /// The endpoints.
    pub info: FlowInfo,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The records demanded: name, and the fields that must be as shown.
    pub records: Vec<(String, Json)>,
    /// What else the parser must tell the host, for instance `fail "..."`; and `found`.
    pub verdicts: Vec<String>,
    /// The file's name.
    pub(super) file: Option<String>,
    /// The line of each of the records and verdicts that were read, from 1.
    pub(super) record_lines: Vec<usize>,
    pub(super) verdict_lines: Vec<usize>,
}

/// The verdict that is the host's: a pattern of the parser finds the flow.
pub(super) const FOUND: &str = "found";

/// A line of a script that can not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// From 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ScriptError {}

impl FlowScript {
    /// Reads a script.
    ///
    /// # Errors
    /// The first line that can not be understood.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut script: Option<Self> = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = index + 1;
            let at = |message: String| ScriptError { line: number, message };
            match &mut script {
                None => script = Some(Self::opened(line).map_err(at)?),
                Some(script) => script.add(line, number).map_err(at)?,
            }
        }
        let mut script = script.ok_or_else(|| ScriptError {
            line: 1,
            message: "a script starts with: client ADDR:PORT server ADDR:PORT".into(),
        })?;
        script.end_open_sides();
        script.find_originator();
        Ok(script)
    }

    fn opened(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["client", client, "server", server, options @ ..] = words.as_slice() else {
            return Err("a script starts with: client ADDR:PORT server ADDR:PORT".into());
        };
        let endpoint = |text: &str| {
            text.parse::<SocketAddr>().map_err(|_| format!("`{text}` is not ADDR:PORT"))
        };
        let mut info = FlowInfo {
            client: endpoint(client)?,
            server: endpoint(server)?,
            transport: Transport::Tcp,
            at: Timestamp(0),
            midstream: false,
            confirmed: false,
            secrets: Secrets::Masked,
            originator: Side::Client,
            context: None,
        };
        for option in options {
            match *option {
                "udp" => info.transport = Transport::Udp,
                "midstream" => info.midstream = true,
                "secrets" => info.secrets = Secrets::Shown,
                other => match other.strip_prefix("context=") {
                    Some(context) => info.context = Some(quoted(context)?),
                    None => {
                        let known = "known are udp, midstream, secrets, context=";
                        return Err(format!("`{other}`: {known}"));
                    }
                },
            }
        }
        Ok(Self {
            info,
            steps: Vec::new(),
            records: Vec::new(),
            verdicts: Vec::new(),
            file: None,
            record_lines: Vec::new(),
            verdict_lines: Vec::new(),
        })
    }

    fn add(&mut self, line: &str, number: usize) -> Result<(), String> {
        let (mark, rest) = line.split_at_checked(1).ok_or("a line starts with > < = or !")?;
        let rest = rest.trim();
        match mark {
            ">" => self.steps.push(step(Side::Client, rest)?),
            "<" => self.steps.push(step(Side::Server, rest)?),
            "=" => {
                let (name, fields) = rest.split_once(' ').unwrap_or((rest, "{}"));
                let fields = serde_json::from_str(fields).map_err(|error| error.to_string())?;
                self.records.push((name.to_owned(), Json::Object(fields)));
                self.record_lines.push(number);
            }
            "!" => {
                self.verdicts.push(rest.to_owned());
                self.verdict_lines.push(number);
            }
            _ => return Err("a line starts with > < = or !".into()),
        }
        Ok(())
    }

    /// Where no connection was opened, whoever says something first is the originator.
    fn find_originator(&mut self) {
        let says = |step: &Step| match step {
            Step::Data { side, .. } => Some(*side),
            Step::Gap { .. } | Step::End { .. } => None,
        };
        if self.info.midstream || self.info.transport == Transport::Udp {
            self.info.originator = self.steps.iter().find_map(says).unwrap_or(Side::Client);
        }
    }

    fn end_open_sides(&mut self) {
        for side in [Side::Client, Side::Server] {
            let ended = |step: &Step| matches!(step, Step::End { side: s, .. } if *s == side);
            if !self.steps.iter().any(ended) {
                self.steps.push(Step::End { side, reason: EndReason::Fin });
            }
        }
    }
}

fn step(side: Side, text: &str) -> Result<Step, String> {
    if text.starts_with('"') {
        return Ok(Step::Data { side, bytes: quoted(text)? });
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["gap", length, reason @ ..] => {
            let length = length.parse().map_err(|_| format!("`{length}` is not a length"))?;
            let reason = match reason {
                [] | ["lost"] => GapReason::Lost,
                ["memory"] => GapReason::Memory,
                ["depth"] => GapReason::Depth,
                ["snaplen"] => GapReason::Snaplen,
                _ => return Err("a gap is lost, memory, depth or snaplen".into()),
            };
            Ok(Step::Gap { side, length, reason })
        }
        ["end", reason @ ..] => {
            let reason = match reason {
                [] | ["fin"] => EndReason::Fin,
                ["reset"] => EndReason::Reset,
                ["idle"] => EndReason::Idle,
                ["evicted"] => EndReason::Evicted,
                ["shutdown"] => EndReason::Shutdown,
                _ => return Err("an end is fin, reset, idle, evicted or shutdown".into()),
            };
            Ok(Step::End { side, reason })
        }
        _ => Err("after > or < comes \"bytes\", gap N or end".into()),
    }
}

fn quoted(text: &str) -> Result<Vec<u8>, String> {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .ok_or("bytes stand in double quotes")?;
    let mut bytes = Vec::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next() {
            Some('r') => bytes.push(b'\r'),
            Some('n') => bytes.push(b'\n'),
            Some('t') => bytes.push(b'\t'),
            Some('0') => bytes.push(0),
            Some('\\') => bytes.push(b'\\'),
            Some('"') => bytes.push(b'"'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                let byte = u8::from_str_radix(&digits, 16);
                bytes.push(byte.map_err(|_| format!("\\x{digits} is not a byte"))?);
            }
            other => return Err(format!("unknown escape \\{}", other.unwrap_or(' '))),
        }
    }
    Ok(bytes)
}
