//! Real captures with ground truth, for the differential tests.
//!
//! The captures are not part of the project. They are looked for in the folder that the environment
//! variable `FLOWCELL_CORPUS` names, by default `../shared/corpus` beside the workspace; tests that
//! need them are skipped where there is no such folder.

mod live;
mod told;

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{self, Run};

pub use live::{TrueFlow, TrueMail, Truth, Variant};
pub use told::{Ends, ends, told};

/// The folder with the captures.
#[derive(Debug)]
pub struct Corpus {
    root: PathBuf,
}

/// A capture of the index.
#[derive(Debug)]
pub struct Capture {
    /// The name that its files start with.
    pub name: String,
    /// What it shows: `smtp`, `tcp`, `frag`, ...
    pub category: String,
    /// The capture file.
    pub path: PathBuf,
}

/// A flow of `flowcell streams`.
#[derive(Debug, Clone)]
pub struct Flow {
    /// The flow's id.
    pub uid: String,
    /// `tcp` or `udp`.
    pub proto: String,
    /// The originator.
    pub orig: SocketAddr,
    /// The responder.
    pub resp: SocketAddr,
    /// The number of its first packet.
    pub packet: u64,
    /// What originator and responder said.
    pub sides: [Digest; 2],
}

/// What one side of a flow said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digest {
    /// Bytes delivered.
    pub bytes: u64,
    /// Bytes that were not there to deliver.
    pub missed: u64,
    /// SHA-256 of the bytes delivered, in hex.
    pub sha256: String,
}

impl Corpus {
    /// The corpus, or nothing and a printed reason if it is not on this machine.
    #[must_use]
    pub fn find() -> Option<Self> {
        let root = std::env::var_os("FLOWCELL_CORPUS").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
            PathBuf::from,
        );
        if root.join("INDEX.tsv").is_file() {
            Some(Self { root })
        } else {
            println!(
                "skipped: no captures in {} (FLOWCELL_CORPUS names another folder)",
                root.display()
            );
            None
        }
    }

    /// The captures of the index, in its order.
    ///
    /// # Panics
    ///
    /// If the index has a line without a category or a capture.
    #[must_use]
    pub fn captures(&self) -> Vec<Capture> {
        let index = read(&self.path("INDEX.tsv"));
        let lines = index.lines().filter(|line| !line.starts_with('#'));
        let captures = lines.map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            let &[name, _, category, ..] = columns.as_slice() else {
                panic!("INDEX.tsv: a line of {} columns", columns.len());
            };
            let path = ["pcap", "pcapng", "snoop"]
                .map(|extension| self.path(&format!("captures/{name}.{extension}")))
                .into_iter()
                .find(|path| path.is_file())
                .unwrap_or_else(|| panic!("INDEX.tsv: no capture of {name}"));
            Capture { name: name.into(), category: category.into(), path }
        });
        captures.collect()
    }

    /// A file or folder of the corpus.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A JSON file of the corpus, or nothing if there is none of this name.
    ///
    /// # Panics
    ///
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self, name: &str) -> Option<Value> {
        let text = fs::read_to_string(self.path(name)).ok()?;
        Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")))
    }

    /// The names of a folder's files, in order; none if there is no such folder.
    #[must_use]
    pub fn list(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        names
    }
}

/// Runs `flowcell COMMAND -r CAPTURE`.
///
/// # Panics
///
/// If the program was not built, or writes something else than JSON Lines.
#[must_use]
pub fn flowcell(command: &str, capture: &Path) -> Run {
    flowcell_with(command, capture, &[])
}

/// Runs `flowcell COMMAND -r CAPTURE` with more options.
///
/// # Panics
///
/// As [`flowcell()`].
#[must_use]
pub fn flowcell_with(command: &str, capture: &Path, options: &[&str]) -> Run {
    let mut command = command::flowcell([command.as_ref(), "-r".as_ref(), capture.as_os_str()]);
    Run::of(command.args(options))
}

/// A counter of the engine, from the summary of a run.
#[must_use]
pub fn counter(run: &Run, name: &str) -> u64 {
    let mut rows = run.stderr.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.starts_with(&["engine", name]));
    // Counters that are zero are left out.
    row.and_then(|row| row.get(2)?.parse().ok()).unwrap_or(0)
}

/// The flows of a run of `flowcell streams`, in order of their first packets.
///
/// # Panics
///
/// If the records are not as documented.
#[must_use]
pub fn flows(run: &Run) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    for pair in run.records.chunks(2) {
        let [orig, resp] = pair else { panic!("a flow with one side: {pair:?}") };
        assert_eq!(orig["uid"], resp["uid"]);
        assert_eq!((text(orig, "/data/side"), text(resp, "/data/side")), ("orig", "resp"));
        flows.push(Flow {
            uid: text(orig, "/uid").into(),
            proto: text(orig, "/proto").into(),
            orig: endpoint(orig, "orig"),
            resp: endpoint(orig, "resp"),
            packet: number(orig, "/packet"),
            sides: [digest(orig), digest(resp)],
        });
    }
    flows.sort_by_key(|flow| flow.packet);
    flows
}

fn digest(record: &Value) -> Digest {
    Digest {
        bytes: number(record, "/data/bytes"),
        missed: number(record, "/data/missed"),
        sha256: text(record, "/data/sha256").into(),
    }
}

fn endpoint(record: &Value, side: &str) -> SocketAddr {
    let address: IpAddr = text(record, &format!("/{side}_ip"))
        .parse()
        .unwrap_or_else(|error| panic!("{side}_ip: {error}"));
    let port = number(record, &format!("/{side}_port"));
    SocketAddr::new(address, u16::try_from(port).unwrap_or_else(|error| panic!("port: {error}")))
}

/// Reads `address:port`; an IPv6 address stands there with or without brackets.
///
/// # Panics
///
/// If it is something else.
#[must_use]
pub fn socket(text: &str) -> SocketAddr {
    let parsed = text.rsplit_once(':').and_then(|(address, port)| {
        let address = address.trim_start_matches('[').trim_end_matches(']');
        Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
    });
    parsed.unwrap_or_else(|| panic!("{text}: not an endpoint"))
}

/// The text at a JSON pointer.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text {pointer} in {value}"))
}

/// The number at a JSON pointer.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn number(value: &Value, pointer: &str) -> u64 {
    let found = value.pointer(pointer).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("no number {pointer} in {value}"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lines up the cells of a table; the first row is its head. Cells of digits are right-aligned.
#[must_use]
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut table = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string can not fail.
            let _ = if !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit()) {
                write!(line, "{cell:>width$}  ")
            } else {
                write!(line, "{cell:<width$}  ")
            };
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}
