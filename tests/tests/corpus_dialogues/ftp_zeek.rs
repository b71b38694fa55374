//! Commands of FTP against Zeek's `ftp.log`.

use flowcell_tests::talk::{Record, is_between};
use flowcell_tests::tally::{Outcome, Tally};
use flowcell_tests::zeek::{self, Row};

use crate::words::SECRET;

const KNOWN: &[(&str, &str, &str)] = &[];

/// Logs of runs with other limits than Zeek's own.
const SKIPPED: [&str; 2] = ["ftp-max-arg-length", "ftp-max-user-length"];

const URL: &str = "Zeek makes a URL of the path";
const STALE: &str = "Zeek shows the reply of the command before where a command got none";
const LATER: &str = "Zeek gives what is said at the end of the connection to the last transfer";

#[test]
fn ftp_agrees_with_zeek() {
    let Some((corpus, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        for (log, rows) in zeek::logs(corpus, &sight.name, "ftp") {
            if SKIPPED.iter().any(|name| log.contains(name)) {
                println!("skipped: {log}: the log of a run with other limits");
                continue;
            }
            let commands = sight.records.iter().filter(|record| record.ty == "ftp.command");
            compare(&mut tally, &sight.name, &rows, &commands.collect::<Vec<_>>());
        }
    }
    tally.check(KNOWN);
}

/// The log has some of the commands, in their order.
fn compare(tally: &mut Tally, name: &str, rows: &[Row], records: &[&Record]) {
    let mut next = 0;
    for row in rows {
        let command = row.get("command").map(String::as_str).filter(|it| *it != "<init>");
        let ends = zeek::ends(row).expect("endpoints");
        let found = (next..records.len()).find(|index| {
            is_between(records[*index].ends, ends) && records[*index].text("command") == command
        });
        tally.add(name, "commands", Outcome::of(&found.is_some(), &true));
        if let Some(found) = found {
            fields(tally, name, row, records, found);
            next = found + 1;
        }
    }
}

fn fields(tally: &mut Tally, name: &str, row: &Row, records: &[&Record], at: usize) {
    let record = records[at];
    let cell = |field: &str| row.get(field).map(String::as_str);
    let user = cell("user").filter(|user| *user != "<unknown>");
    tally.add(name, "user", Outcome::of(&record.text("user"), &user));
    tally.add(name, "password", secret(record.text("password"), cell("password")));
    tally.add(name, "arg", argument(record, cell("arg")));
    let size = cell("file_size").map(|size| size.parse().expect("a number"));
    tally.add(name, "file_size", Outcome::of(&record.number("file_size"), &size));
    tally.add(name, "reply", reply(records, at, (cell("reply_code"), cell("reply_msg"))));
    for field in ["passive", "orig_h", "resp_h", "resp_p"] {
        let ours = zeek::cell(&record.data["data_channel"][field]);
        let theirs = row.get(&format!("data_channel.{field}")).cloned();
        tally.add(name, "data_channel", Outcome::of(&ours, &theirs));
    }
}

fn secret(ours: Option<&str>, theirs: Option<&str>) -> Outcome {
    match (ours, theirs) {
        (Some("***"), Some(_)) => Outcome::Explained(SECRET),
        _ => Outcome::of(&ours, &theirs),
    }
}

fn argument(record: &Record, theirs: Option<&str>) -> Outcome {
    let ours = record.text("arg");
    let Some(url) = theirs.and_then(|arg| arg.strip_prefix("ftp://")) else {
        return secret(ours, theirs);
    };
    // The path in it has the working directory in front, in its own way.
    let path = record.text("path").unwrap_or_default().trim_start_matches('/');
    if url.ends_with(&format!("/{path}")) {
        Outcome::Explained(URL)
    } else {
        Outcome::of(&ours, &theirs)
    }
}

fn reply(records: &[&Record], at: usize, theirs: (Option<&str>, Option<&str>)) -> Outcome {
    let of = |record: &Record| {
        let code = record.number("reply_code").map(|code| code.to_string());
        Outcome::of(&(code.as_deref(), record.text("reply_msg")), &theirs)
    };
    let (before, after) = (&records[..at], &records[at + 1..]);
    let outcome = of(records[at]);
    if before.last().is_some_and(|before| of(before) == Outcome::Agree) {
        outcome.or(STALE)
    } else if theirs.0 == Some("221") && after.iter().any(|after| of(after) == Outcome::Agree) {
        outcome.or(LATER)
    } else {
        outcome
    }
}
