//! Commands and replies of POP3 against tshark.

use flowcell_tests::talk::{Event, Record, Talk};
use flowcell_tests::tally::{Outcome, Tally};

use crate::words::{SECRET, lists, same};

const KNOWN: &[(&str, &str, &str)] = &[];

#[test]
fn pop3_agrees_with_tshark() {
    let Some((_, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        for talk in sight.talks(&["pop"], &["pop3.command"]).into_iter().filter(Talk::is_of_both) {
            compare(&mut tally, &sight.name, &talk);
        }
    }
    tally.check(KNOWN);
}

fn compare(tally: &mut Tally, name: &str, talk: &Talk<'_>) {
    let commands: Vec<_> =
        talk.records.iter().filter(|record| record.text("command").is_some()).collect();
    let theirs = commands_of(&talk.events);
    lists(tally, name, "command", (&commands, &theirs), |ours, theirs| {
        same(ours.text("command"), theirs.text("cmd").map(str::to_uppercase).as_deref())
    });
    lists(tally, name, "argument", (&commands, &theirs), |ours, theirs| argument(ours, theirs));
    let replies: Vec<_> = talk.records.iter().filter(|it| it.text("status").is_some()).collect();
    let theirs: Vec<_> = talk.events.iter().filter(|event| event.is("reply")).collect();
    lists(tally, name, "status", (&replies, &theirs), |ours, theirs| {
        let indicator = theirs.text("indicator").map(|it| it.trim_start_matches(['+', '-']));
        Outcome::of(&ours.text("status"), &indicator)
    });
    lists(tally, name, "reply", (&replies, &theirs), |ours, theirs| {
        let line = theirs.text("line").unwrap_or_default();
        let text = line.split_once(' ').map(|(_, text)| text.trim());
        same(ours.text("reply"), Some(text.unwrap_or_default()))
    });
}

/// The commands among the client's lines, of which tshark makes one each: what follows AUTH with a
/// mechanism, until the server says yes or no, are credentials.
fn commands_of<'a>(events: &[&'a Event]) -> Vec<&'a Event> {
    let mut commands = Vec::new();
    let mut in_auth = false;
    for event in events {
        if event.is("reply") {
            in_auth = false;
        } else if event.is("command") && !in_auth {
            commands.push(*event);
            let auth = event.text("cmd").is_some_and(|cmd| cmd.eq_ignore_ascii_case("AUTH"));
            in_auth = auth && event.text("arg").is_some();
        }
    }
    commands
}

fn argument(ours: &Record, theirs: &Event) -> Outcome {
    let arg = theirs.text("arg").map(str::trim);
    if ours.text("argument") == Some("***") && arg.is_some() {
        return Outcome::Explained(SECRET);
    }
    same(ours.text("argument"), arg)
}
