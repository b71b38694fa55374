//! Commands of IMAP, and how they ended, against tshark.

use std::net::SocketAddr;

use flowcell_tests::talk::{Event, Record, Talk};
use flowcell_tests::tally::{Outcome, Tally};

use crate::words::{lists, same};

const KNOWN: &[(&str, &str, &str)] = &[];

#[test]
fn imap_agrees_with_tshark() {
    let Some((_, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        for talk in sight.talks(&["imap"], &["imap.command"]).into_iter().filter(Talk::is_of_both) {
            compare(&mut tally, &sight.name, &talk);
        }
    }
    tally.check(KNOWN);
}

const MISSING: &str = "a response to a command that is missing from the capture";

/// A command and the line that completes it.
#[derive(Debug)]
struct Command<'a> {
    tag: &'a str,
    /// Its name and the rest of its line.
    said: &'a str,
    /// The status and the text behind it.
    end: Option<&'a str>,
}

fn compare(tally: &mut Tally, name: &str, talk: &Talk<'_>) {
    let mut theirs = commands(&talk.events);
    let records = talk.records.iter().filter(|record| record.text("tag").is_some());
    let (records, answers): (Vec<&&Record>, Vec<&&Record>) =
        records.partition(|record| theirs.iter().any(|it| record.text("tag") == Some(it.tag)));
    for record in answers {
        let outcome = match record.text("command") {
            None => Outcome::Explained(MISSING),
            Some(command) => Outcome::Wrong(format!("only ours: {command}")),
        };
        tally.add(name, "tag", outcome);
    }
    // Ours stand in the order in which commands were completed, those that were not at the end.
    theirs.sort_by_key(|it| records.iter().position(|record| record.text("tag") == Some(it.tag)));
    lists(tally, name, "tag", (&records, &theirs), |ours, theirs| {
        Outcome::of(&ours.text("tag"), &Some(theirs.tag))
    });
    for (record, command) in records.iter().zip(&theirs) {
        fields(tally, name, record, command);
    }
}

fn fields(tally: &mut Tally, name: &str, record: &Record, command: &Command<'_>) {
    let mut words = command.said.splitn(2, ' ');
    let mut verb = words.next().unwrap_or_default().to_uppercase();
    let mut rest = words.next().unwrap_or_default();
    if verb == "UID" {
        let (second, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        verb = format!("UID {}", second.to_uppercase());
        rest = behind;
    }
    tally.add(name, "command", same(record.text("command"), Some(&verb)));
    // Secrets are masked, literals written as strings.
    if !["LOGIN", "AUTHENTICATE"].contains(&verb.as_str()) && !rest.ends_with('}') {
        let ours = record.text("argument").unwrap_or_default();
        tally.add(name, "argument", same(Some(ours), Some(rest.trim())));
    }
    let end = command.end.and_then(|end| end.split_once(' '));
    tally.add(name, "status", Outcome::of(&record.text("status"), &end.map(|(status, _)| status)));
    tally.add(name, "reply", same(record.text("reply"), end.map(|(_, text)| text.trim())));
}

/// The commands among the lines: those of the client but for literals, credentials and the end of IDLE,
/// which are all followed by the line that completes their command.
fn commands<'a>(events: &[&'a Event]) -> Vec<Command<'a>> {
    let mut commands: Vec<Command<'a>> = Vec::new();
    let Some(server) = server(events) else { return commands };
    let mut goes_on = false;
    for event in events {
        let line = event.text("line").unwrap_or_default();
        let Some((tag, said)) = line.split_once(' ') else { continue };
        if event.sender() != server {
            if !goes_on && event.text("cmd").is_some() {
                let verb = said.split(' ').next().unwrap_or_default().to_uppercase();
                goes_on = said.ends_with('}') || verb == "IDLE" || verb == "AUTHENTICATE";
                commands.push(Command { tag, said, end: None });
            }
        } else if let Some(command) =
            commands.iter_mut().find(|it| it.tag == tag && it.end.is_none())
        {
            command.end = Some(said);
            goes_on = false;
        }
    }
    commands
}

/// Who says what is not about a command.
fn server(events: &[&Event]) -> Option<SocketAddr> {
    let untagged = |event: &&&Event| event.text("line").is_some_and(|line| line.starts_with("* "));
    events.iter().find(untagged).map(|event| event.sender())
}
