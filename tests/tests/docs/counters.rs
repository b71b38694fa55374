//! `docs/counters.md`.

use flowcell::capture::Stats;
use flowcell::documented::{Documented, FieldDoc};
use flowcell::driver::repro::ArchiveStats;
use flowcell::driver::{ExpectationStats, ParkingStats, WorkerStats};
use flowcell_core::Counters;

use super::{check, line, table};

const INTRODUCTION: &str = "# Counters

Made from the code by `UPDATE_DOCS=1 cargo test --workspace --test docs`.

`flowcell run --stats-json FILE` writes one JSON object when the run ends; the summary on standard error has those that are
not zero, without `parsers.expectations`. All begin at 0 and only grow. Each is of the whole run, all lanes and files together. Which limits lead to which
counters: [limits.md](limits.md).

## records

How many records were written, by type. Types that `--types` leaves out are not there.
";

fn section<'a>(
    page: &mut String,
    title: &str,
    text: &str,
    rows: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    page.push_str(&format!("\n## {title}\n\n{text}\n"));
    let rows = rows.into_iter().map(|(name, doc)| [format!("`{name}`"), line(doc)]);
    table(page, "", &["counter", "what it counts"], rows);
}

fn of(fields: &[FieldDoc]) -> impl Iterator<Item = (&str, &str)> {
    fields.iter().map(|field| (field.name, field.doc))
}

#[test]
fn counters() {
    let mut page = INTRODUCTION.to_owned();
    section(&mut page, "capture", "Frames, before they are looked at.", of(Stats::FIELDS));
    let names = Counters::NAMES.iter().zip(Counters::DOCS).map(|(name, doc)| (*name, *doc));
    section(&mut page, "engine", "Of the flow engine: from frames to streams.", names);
    let workers = WorkerStats::FIELDS.iter().filter(|field| field.name != "expectations");
    let workers = workers.flat_map(|field| match field.serde {
        "flatten" => ParkingStats::FIELDS,
        _ => std::slice::from_ref(field),
    });
    let workers = workers.map(|field| (field.name, field.doc));
    section(&mut page, "parsers", "`null` where there are none.", workers);
    let text = "Flows that parsers have said are to come, such as FTP's data connections.";
    section(&mut page, "parsers.expectations", text, of(ExpectationStats::FIELDS));
    let text = "Bundles of faults; only with `--repro-dir`.";
    section(&mut page, "repro", text, of(ArchiveStats::FIELDS));
    check("counters.md", &page);
}
