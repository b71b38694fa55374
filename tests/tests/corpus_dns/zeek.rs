//! Transactions against Zeek's `dns.log`.

use flowcell_tests::corpus::{Corpus, told};
use flowcell_tests::talk::{Record, is_between};
use flowcell_tests::tally::{Outcome, Tally};
use flowcell_tests::zeek::{self, Row};

use crate::TRANSACTION;

const NO_QUERY: &str = "Zeek takes class and type from the query, which is not in the capture";
const SHORT: &str = "Zeek shows only some of the data of such records";

const TEXTS: [&str; 3] = ["qclass_name", "qtype_name", "rcode_name"];
const NUMBERS: [&str; 4] = ["qclass", "qtype", "rcode", "opcode"];
const FLAGS: [(&str, &str); 5] =
    [("aa", "AA"), ("tc", "TC"), ("rd", "RD"), ("ra", "RA"), ("rejected", "rejected")];

#[test]
fn transactions_agree_with_zeek() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        for (_, rows) in zeek::logs(&corpus, &capture.name, "dns") {
            let mut ours: Vec<_> = told(&capture, TRANSACTION).into_values().flatten().collect();
            for row in &rows {
                let found = ours.iter().position(|told| is_same(told, row));
                let Some(found) = found else {
                    let how = format!("only theirs: {row:?}");
                    tally.add(&capture.name, "transactions", Outcome::Wrong(how));
                    continue;
                };
                tally.add(&capture.name, "transactions", Outcome::Agree);
                fields(&mut tally, &capture.name, &ours.remove(found), row);
            }
            for told in ours {
                let how = format!("only ours: {}", told.data);
                tally.add(&capture.name, "transactions", Outcome::Wrong(how));
            }
        }
    }
    tally.check(&[]);
}

fn is_same(told: &Record, row: &Row) -> bool {
    let id = told.number("trans_id").map(|id| id.to_string());
    let theirs = zeek::ends(row).expect("endpoints");
    is_between(told.ends, theirs)
        && id.as_ref() == row.get("trans_id")
        && told.number("rcode").is_some() == row.contains_key("rcode")
}

fn fields(tally: &mut Tally, name: &str, ours: &Record, row: &Row) {
    let cell = |field: &str| row.get(field).map(String::as_str);
    let lower = ours.text("query").map(str::to_ascii_lowercase);
    tally.add(name, "query", Outcome::of(&lower.as_deref(), &cell("query")));
    let no_query = ours.number("query_len").is_none() && cell("qtype").is_none();
    let told = |field: &str, outcome: Outcome| {
        if no_query && field.starts_with('q') { outcome.or(NO_QUERY) } else { outcome }
    };
    for field in TEXTS {
        tally.add(name, field, told(field, Outcome::of(&ours.text(field), &cell(field))));
    }
    for field in NUMBERS {
        let theirs = cell(field).and_then(|cell| cell.parse().ok());
        tally.add(name, field, told(field, Outcome::of(&ours.number(field), &theirs)));
    }
    for (field, column) in FLAGS {
        tally.add(name, field, Outcome::of(&ours.is(field), &(cell(column) == Some("T"))));
    }
    let micros = |seconds: f64| format!("{seconds:.6}");
    let rtt = ours.data["rtt"].as_f64().map(micros);
    tally.add(name, "rtt", Outcome::of(&rtt.as_deref(), &cell("rtt")));
    let ttls = ours.data["ttls"].as_array().into_iter().flatten();
    let ttls: Vec<_> = ttls.filter_map(|ttl| Some(micros(ttl.as_f64()?))).collect();
    let list =
        |column| cell(column).map(|list| list.split(',').collect::<Vec<_>>()).unwrap_or_default();
    tally.add(name, "ttls", Outcome::of(&ttls.iter().map(String::as_str).collect(), &list("TTLs")));
    let (ours, kinds) = (ours.texts("answers"), ours.texts("answer_types"));
    let theirs = list("answers");
    tally.add(name, "answers", Outcome::of(&ours.len(), &theirs.len()));
    for ((ours, kind), theirs) in ours.iter().zip(kinds).zip(theirs) {
        let outcome = Outcome::of(&ours.to_ascii_lowercase().as_str(), &theirs);
        let short =
            theirs.split(' ').next() == Some(kind) && signer(ours) == theirs.rsplit(' ').next();
        tally.add(name, "answer", if short { outcome.or(SHORT) } else { outcome });
    }
}

/// Who signed, in the data of RRSIG.
fn signer(data: &str) -> Option<&str> {
    data.split(' ').nth(7)
}
