//! What `docs/records.md` says of the envelope and of the host's own records.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use flowcell::documented::FieldDoc;
use flowcell::driver::RECORDS;
use flowcell::output::{CandidacyOutcome, ENVELOPE, ParserEvent};
use flowcell::runtime::FaultClass;
use flowcell_core::decode::TunnelKind;
use flowcell_core::{AnomalyKind, ConnState, EndReason, FragmentAnomaly, HistoryText};
use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};

use super::{line, table};

const SHARED: &str = "
- A field that is not always there is left out where there is nothing to say; `null` is only for numbers that are none.
- `ts` is RFC 3339 in UTC with six digits behind the second, or nine where the capture is finer than microseconds. A
  `time` in `data` always has nine.
- Text is as it was sent. Control characters are escaped as JSON has it. What is not UTF-8: see `escaped`.
- Secrets (passwords and the like) are `***`; in a run with `--show-secrets` they are as they were sent.
- `orig` and `resp` say who was seen first, not who is the server: of a flow whose beginning was not seen, that may be
  `orig`. Fields of parsers that speak of client and server are about what is said.

**Order.** Records come in the order of the packets that led to them. What time alone has led to comes before what the next
packet does, and what concerns the outside of a tunnel before its inside. A `flow` record is written when the flow is over,
but has time and number of its first packet: so `ts` and `packet` do not always rise. Flows that are left at the end of the
input end there, in the order in which they began. The same files and options give the same bytes with any number of
`--workers`, but for the time of day in `parser` records, and for parsers that take too much time (`--deterministic`).
";

const FLOW: &str = "
One for each flow, whether a parser had it or not, written when the flow is over; there is none while it lasts. Names are
those of Zeek's `conn.log` where Zeek has the field.
";

const ANOMALY: &str = "
Something that a protocol forbids or that has no good explanation: the first of each kind of a flow; all are counted in
`--stats-json`. One about fragments is of no flow and has the second form.
";

const FAULT: &str = "
A parser was ended by the sandbox. Nothing else is affected: what it has emitted stays, and the flow goes on without it; if
it had not confirmed yet, with the next parser that may know the flow. `parsers[]` of the flow has the outcome `fault`.
";

const PARSER: &str = "
What became of a parser: of files in the folder of `--parsers`, and of breakers (`limits.md`). No record tells of the
bundled parsers' being loaded.
";

const STREAM: &str = "
The only record of `flowcell streams`; `flowcell run` has none. (`stream.*` records are those of the parser `stream`.)
";

/// Fields of `parser` records that do not come from a breaker.
const OF_FILES: &[(&str, &str)] = &[
    (
        "previous",
        "The version that was replaced or rolled back, or that stays where a file was refused. Absent if there is none",
    ),
    ("previous_sha256", "`rolled_back`: SHA-256 of the file that was taken back, in hexadecimal"),
    ("reason", "`refused`: why"),
];

/// A type of Rust as a reader of records meets it.
fn kind(ty: &str) -> &str {
    let inner = ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty);
    match inner {
        "text" | "&'static str" | "&'a str" | "String" => "text",
        "integer" | "u8" | "u32" | "u64" => "integer",
        "f64" => "number",
        "bool" => "boolean",
        "&'a [u16]" => "list of integer",
        "list of text" | "Vec<&'a str>" | "&'a [String]" => "list of text",
        "time" => "time",
        "object" | "TunnelRecord" => "object",
        "Vec<Candidacy<'a>>" => "list of object",
        other => panic!("what is `{other}`?"),
    }
}

fn row(page: &mut String, place: &str, field: &FieldDoc, always: bool) {
    let doc = line(field.doc);
    let doc = doc.trim_end_matches('.');
    let always =
        if always && field.serde.is_empty() && !doc.contains("Absent") { "yes" } else { "" };
    let (name, kind) = (field.name, kind(field.ty));
    writeln!(page, "| `{place}{name}` | {kind} | {always} | {doc}. |").expect("a page grows");
}

const HEAD: &str = "\n| field | type | always | meaning |\n|---|---|---|---|\n";

fn fields(name: &str) -> &'static [FieldDoc] {
    RECORDS.iter().find(|(of, _)| *of == name).expect("it is documented").1
}

/// The fields of these records, which are all or none there.
fn rows(page: &mut String, place: &str, name: &str, always: bool) {
    for field in fields(name).iter().filter(|field| field.serde != "flatten") {
        row(page, place, field, always);
        match field.name {
            "tunnel" => rows(page, "tunnel.", "flow.tunnel", true),
            "parsers" => rows(page, "parsers[].", "flow.parsers", true),
            _ => {}
        }
    }
}

/// A table of what a field can be.
fn values(
    page: &mut String,
    title: &str,
    values: impl IntoIterator<Item = (&'static str, &'static str)>,
) {
    let rows = values.into_iter().map(|(name, doc)| [format!("`{name}`"), line(doc)]);
    table(page, &format!("`{title}`"), &["value", "meaning"], rows);
}

/// Everything about the envelope and the host's records.
pub(super) fn sections() -> String {
    let mut page = String::from("\n## What all records share\n");
    page.push_str(HEAD);
    ENVELOPE.iter().for_each(|field| row(&mut page, "", field, true));
    page.push_str(SHARED);

    page.push_str(&format!("\n## flow\n{FLOW}{HEAD}"));
    rows(&mut page, "", "flow", true);
    values(&mut page, "conn_state", ConnState::ALL.iter().map(|it| (it.name(), it.doc())));
    page.push_str(
        "\nWhat is neither TCP nor UDP is `OTH`. The states move with those SYNs, FINs and RSTs only that are believed.\n",
    );
    let letters = HistoryText::LETTERS.iter();
    let letters = letters
        .map(|(letter, what, often)| [format!("`{letter}`"), (*what).into(), (*often).into()]);
    table(&mut page, "`history`", &["letter", "what was seen", "how often it is written"], letters);
    page.push_str(
        "\nUpper case is the originator's, lower case the responder's. The letters tell what was seen, believed or not.\n",
    );
    values(&mut page, "end_reason", EndReason::ALL.iter().map(|it| (it.name(), it.doc())));
    values(
        &mut page,
        "parsers[].outcome",
        CandidacyOutcome::ALL.iter().map(|it| (it.name(), it.doc())),
    );
    values(&mut page, "tunnel.kind", TunnelKind::ALL.iter().map(|it| (it.name(), it.doc())));

    page.push_str(&format!("\n## anomaly\n{ANOMALY}{HEAD}"));
    rows(&mut page, "", "anomaly", true);
    rows(&mut page, "", "anomaly.conflict", false);
    page.push_str(&format!("\nAbout fragments:\n{HEAD}"));
    rows(&mut page, "", "anomaly.fragment", true);
    let fragments = FragmentAnomaly::ALL.iter().map(|it| (it.name(), it.doc()));
    let kinds = AnomalyKind::ALL.iter().map(|it| (it.name(), it.doc())).chain(fragments);
    values(&mut page, "kind", kinds);

    page.push_str(&format!("\n## fault\n{FAULT}{HEAD}"));
    rows(&mut page, "", "fault", true);
    values(&mut page, "class", FaultClass::ALL.iter().map(|it| (it.name(), it.doc())));

    page.push_str(&format!("\n## parser\n{PARSER}{HEAD}"));
    rows(&mut page, "", "parser.breaker", true);
    for (name, doc) in OF_FILES {
        row(&mut page, "", &FieldDoc { name, ty: "text", serde: "skip", doc }, false);
    }
    values(&mut page, "event", ParserEvent::ALL.iter().map(|it| (it.name(), it.doc())));

    page.push_str(&format!("\n## stream\n{STREAM}{HEAD}"));
    rows(&mut page, "", "stream", true);
    page
}

/// The envelope is written by hand, so its table could name what does not exist. (All tests that run the
/// program find out if there is something that it does not name.)
#[test]
fn the_envelope_has_all_its_fields() {
    let scratch = Scratch::new();
    let flow = Conversation::tcp(4000, 7).open().send(Client, b"\xff\r\n").send(Server, b"x\r\n");
    let capture = scratch.capture("some.pcap", &Pcap::of(&[flow.close()]));
    let mut command = flowcell(["run", "-q", "--parsers"]);
    let run = Run::of(command.arg(scratch.parsers(&[])).arg("-r").arg(capture));
    let names = run.only("echo.exchange").as_object().expect("an object").keys();
    let names: BTreeSet<_> = names.map(String::as_str).collect();
    assert_eq!(names, ENVELOPE.iter().map(|field| field.name).collect());
}
