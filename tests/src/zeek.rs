//! Zeek's logs, as the baselines of its own tests have them: times and ids are masked.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::corpus::{Capture, Corpus, told};
use crate::talk::{Record, is_between};
use crate::tally::{Outcome, Tally};

/// A row of a log, by column; what is unset is left out.
pub type Row = BTreeMap<String, String>;

/// The logs of one kind (`ftp`, `sip`, ...) that there are of a capture, with their names.
#[must_use]
pub fn logs(corpus: &Corpus, capture: &str, kind: &str) -> Vec<(String, Vec<Row>)> {
    let folder = format!("zeek/{capture}");
    let names = corpus.list(&folder).into_iter();
    let logs = names.filter(|name| name.ends_with(&format!(".{kind}.log")));
    logs.map(|name| (name.clone(), rows(&corpus.path(&format!("{folder}/{name}"))))).collect()
}

/// Originator and responder of a row.
#[must_use]
pub fn ends(row: &Row) -> Option<[SocketAddr; 2]> {
    let end = |side: &str| {
        let address = row.get(&format!("id.{side}_h"))?.parse().ok()?;
        Some(SocketAddr::new(address, row.get(&format!("id.{side}_p"))?.parse().ok()?))
    };
    Some([end("orig")?, end("resp")?])
}

/// Compares the records of type `ty` with the rows of Zeek's logs of this kind, over all captures that have
/// such: each row has its record, and each record its row, by endpoints and in order. `compare` looks at the
/// fields of the two.
///
/// # Panics
///
/// If a log has a row without endpoints.
#[must_use]
pub fn compare_rows(
    corpus: &Corpus,
    kind: &str,
    ty: &str,
    mut compare: impl FnMut(&mut Tally, &Capture, &Record, &Row),
) -> Tally {
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        for (_, rows) in logs(corpus, &capture.name, kind) {
            let mut ours: Vec<_> = told(&capture, ty).into_values().flatten().collect();
            for row in &rows {
                let theirs = ends(row).unwrap_or_else(|| panic!("{}: {row:?}", capture.name));
                let found = ours.iter().position(|told| is_between(told.ends, theirs));
                tally.add(&capture.name, "records", Outcome::of(&found.is_some(), &true));
                if let Some(found) = found {
                    compare(&mut tally, &capture, &ours.remove(found), row);
                }
            }
            tally.add(&capture.name, "records", Outcome::of(&ours.len(), &0));
        }
    }
    tally
}

/// A field of ours as Zeek writes it; nothing if it is absent.
#[must_use]
pub fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(flag) => Some(if *flag { "T" } else { "F" }.to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => Some(list.iter().filter_map(cell).collect::<Vec<_>>().join(",")),
        other => Some(other.to_string()),
    }
}

/// The rows of a log. Columns are named by its `#fields` line, or, where the log was cut, by its first
/// line; a cut log without names has no rows.
///
/// # Panics
///
/// If it can not be read.
#[must_use]
pub fn rows(path: &Path) -> Vec<Row> {
    let log =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut columns: Option<Vec<&str>> = None;
    let mut rows = Vec::new();
    for line in log.lines() {
        if let Some(fields) = line.strip_prefix("#fields\t") {
            columns = Some(fields.split('\t').collect());
        } else if !line.starts_with('#') {
            match &columns {
                Some(columns) => rows.push(row(columns, line)),
                None if is_head(line) => columns = Some(line.split('\t').collect()),
                None => return rows,
            }
        }
    }
    rows
}

fn row(columns: &[&str], line: &str) -> Row {
    let cells = columns.iter().zip(line.split('\t'));
    let set = cells.filter(|(column, cell)| !column.is_empty() && *cell != "-");
    set.map(|(column, cell)| ((*column).to_owned(), cell.to_owned())).collect()
}

/// Whether a line names columns: `id.orig_h`, `history`, or nothing.
fn is_head(line: &str) -> bool {
    let is_name = |cell: &str| cell.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c));
    line.split('\t').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Scratch;

    fn read(text: &str) -> Vec<Row> {
        rows(&Scratch::new().write("a.log", text))
    }

    fn row(cells: &[(&str, &str)]) -> Row {
        cells.iter().map(|(column, cell)| ((*column).to_owned(), (*cell).to_owned())).collect()
    }

    #[test]
    fn columns_are_named_by_the_fields_line_or_the_first_one() {
        let whole = read("### made\n#path\tconn\n#fields\tid.orig_h\tproto\n1.2.3.4\t-\n#close\n");
        assert_eq!(whole, [row(&[("id.orig_h", "1.2.3.4")])]);
        let cut = read("### made\nproto\t\thistory\ntcp\t\tSF\nudp\t\tD\n");
        let of = |proto, history| row(&[("proto", proto), ("history", history)]);
        assert_eq!(cut, [of("tcp", "SF"), of("udp", "D")]);
        assert_eq!(read("### made\n1.2.3.4\t80\ttcp\n"), []);
        assert_eq!(read(""), []);
    }
}
