//! Mails against Zeek's `smtp.log`.

use std::net::SocketAddr;

use flowcell_tests::corpus::Corpus;
use flowcell_tests::zeek::{self, Row};

use crate::mails::{self, Mail};
use crate::reference::decoded;
use flowcell_tests::tally::{Outcome, Tally};

/// Captures and fields that are wrong, and why.
const KNOWN: &[(&str, &str, &str)] = &[];

/// Captures whose mails are inside of another protocol, and logs of runs with other options.
const SKIPPED: &[(&str, &str, &str)] = &[
    ("http-connect-smtp", "", "SMTP inside of HTTP CONNECT: for the HTTP parser to hand over"),
    (
        "smtp-mail-transactions-invalid",
        "disable-analyzer",
        "the log of a run that stops at the first error",
    ),
];

/// Texts, lists of which only the members count, lists.
const TEXTS: [&str; 7] =
    ["helo", "mailfrom", "date", "msg_id", "in_reply_to", "last_reply", "user_agent"];
const ENCODED: [&str; 3] = ["subject", "from", "reply_to"];
const SETS: [&str; 3] = ["rcptto", "to", "cc"];

#[test]
fn mails_agree_with_zeek() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let folder = format!("zeek/{}", capture.name);
        let logs = corpus.list(&folder).into_iter().filter(|log| log.ends_with(".smtp.log"));
        for log in logs {
            let skipped =
                SKIPPED.iter().find(|(name, of, _)| *name == capture.name && log.contains(of));
            if let Some((_, _, why)) = skipped {
                println!("skipped: {log}: {why}");
                continue;
            }
            let rows = zeek::rows(&corpus.path(&format!("{folder}/{log}")));
            compare(&mut tally, &capture.name, &rows, mails::read(&capture.path));
        }
    }
    tally.check(KNOWN);
}

/// Rows and mails of a connection are in the same order.
fn compare(tally: &mut Tally, name: &str, rows: &[Row], mut mails: Vec<Mail>) {
    for row in rows {
        let end = |side: &str| {
            let port = row[&format!("id.{side}_p")].parse().expect("a port");
            SocketAddr::new(row[&format!("id.{side}_h")].parse().expect("an address"), port)
        };
        let found = mails.iter().position(|mail| mail.is_between(end("orig"), end("resp")));
        tally.add(name, "mails", Outcome::of(&found.is_some(), &true));
        if let Some(found) = found {
            fields(tally, name, row, &mails.remove(found));
        }
    }
    tally.add(name, "mails", Outcome::of(&mails.len(), &0));
}

fn fields(tally: &mut Tally, name: &str, row: &Row, mail: &Mail) {
    let cell = |field: &str| row.get(field).map(String::as_str);
    for field in TEXTS {
        tally.add(name, field, Outcome::of(&mail.text(field), &cell(field)));
    }
    for field in ENCODED {
        tally.add(name, field, decoded(mail.text(field), cell(field)));
    }
    let members = |field: &str| {
        let mut members: Vec<_> = cell(field).into_iter().flat_map(|set| set.split(',')).collect();
        members.sort_unstable();
        members
    };
    for field in SETS {
        let mut ours = mail.texts(field);
        ours.sort_unstable();
        tally.add(name, field, Outcome::of(&ours, &members(field)));
    }
    let path: Vec<_> = cell("path").into_iter().flat_map(|path| path.split(',')).collect();
    tally.add(name, "path", Outcome::of(&mail.texts("path"), &path));
    let tls = mail.data["tls"].as_bool();
    tally.add(name, "tls", Outcome::of(&tls, &Some(cell("tls") == Some("T"))));
}
