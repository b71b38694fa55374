//! Commands and replies of FTP against tshark.

use flowcell_tests::talk::{Event, Record, Talk};
use flowcell_tests::tally::{Outcome, Tally};

use crate::words::{DAMAGED, SECRET, lists, same};

const KNOWN: &[(&str, &str, &str)] = &[];

const SEGMENTS: &str = "tshark takes each segment of a long line for a line of its own";
const PRELIMINARY: &str = "a preliminary reply, which is not shown where another one follows";
const AFTER_RESET: &str = "said after the connection was reset, which is told as an anomaly";
const INNER: &str = "tshark tells the first line of a segment only";

#[test]
fn ftp_agrees_with_tshark() {
    let Some((_, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        if sight.is_damaged {
            tally.forgive(&sight.name, DAMAGED);
        }
        for talk in
            sight.talks(&["ftp"], &["ftp.command", "anomaly"]).into_iter().filter(Talk::is_of_both)
        {
            compare(&mut tally, &sight.name, &talk);
        }
    }
    tally.check(KNOWN);
}

fn compare(tally: &mut Tally, name: &str, talk: &Talk<'_>) {
    let commands: Vec<_> =
        talk.records.iter().copied().filter(|it| it.text("command").is_some()).collect();
    let theirs = talk.events.iter().copied().filter(|event| event.is("command"));
    let theirs = without_segments(tally, name, &commands, theirs.collect());
    let commands = first_ones(tally, name, commands, &theirs);
    lists(tally, name, "command", (&commands, &theirs), |ours, theirs| command(ours, theirs));
    lists(tally, name, "arg", (&commands, &theirs), |ours, theirs| argument(ours, theirs));
    replies(tally, name, talk);
}

/// Leaves out of ours what does not begin a segment, as far as others follow.
fn first_ones<'a>(
    tally: &mut Tally,
    name: &str,
    mut commands: Vec<&'a Record>,
    events: &[&Event],
) -> Vec<&'a Record> {
    for (at, event) in events.iter().enumerate() {
        let fits = |record: &&Record| !matches!(command(record, event), Outcome::Wrong(_));
        let more = commands.iter().skip(at).position(fits).unwrap_or(0);
        for _ in 0..more {
            commands.remove(at);
            tally.add(name, "command", Outcome::Explained(INNER));
        }
    }
    commands
}

fn command(ours: &Record, theirs: &Event) -> Outcome {
    let verb = theirs.text("cmd").map(str::to_uppercase).unwrap_or_default();
    let shown = ours.text("command").unwrap_or_default();
    if ours.is("truncated") && verb.starts_with(shown) {
        return Outcome::Agree;
    }
    same(Some(shown), Some(&verb))
}

/// Leaves out what stands between a command that was cut and the next one.
fn without_segments<'a>(
    tally: &mut Tally,
    name: &str,
    commands: &[&Record],
    mut events: Vec<&'a Event>,
) -> Vec<&'a Event> {
    for (index, pair) in commands.windows(2).enumerate() {
        let [cut, next] = pair else { continue };
        if cut.is("truncated") {
            while events.get(index + 1).is_some_and(|it| it.text("cmd") != next.text("command")) {
                events.remove(index + 1);
                tally.add(name, "command", Outcome::Explained(SEGMENTS));
            }
        }
    }
    events
}

fn argument(ours: &Record, theirs: &Event) -> Outcome {
    let (arg, theirs) = (ours.text("arg"), theirs.text("arg").map(str::trim));
    let (shown, said) = (arg.unwrap_or_default(), theirs.unwrap_or_default());
    if shown == "***" && theirs.is_some() {
        return Outcome::Explained(SECRET);
    }
    if ours.is("truncated") && (shown.starts_with(said) || said.starts_with(shown)) {
        return Outcome::Explained(SEGMENTS);
    }
    same(arg, theirs)
}

/// A line of one of our replies.
struct Line<'a> {
    code: Option<u64>,
    text: &'a str,
    /// Its reply has no other lines.
    alone: bool,
}

/// Lines of replies are in the same order. tshark has some of them, as far as a segment goes.
fn replies(tally: &mut Tally, name: &str, talk: &Talk<'_>) {
    let mut ours = Vec::new();
    for record in &talk.records {
        let before = record.text("reply_text");
        let last = record.text("reply_msg");
        let lines = before.into_iter().flat_map(|text| text.split('\n')).chain(last);
        let code = record.number("reply_code");
        ours.extend(lines.map(|text| Line { code, text: text.trim(), alone: before.is_none() }));
    }
    let mut rest = ours.as_slice();
    for event in talk.events.iter().filter(|event| event.is("reply")) {
        let code = event.number("code");
        let text = event.text("text").unwrap_or_default().trim();
        let is_it = |line: &Line<'_>| {
            let cut = text.len() > 3 && line.text.contains(text);
            (cut || !matches!(same(Some(line.text), Some(text)), Outcome::Wrong(_)))
                && code.is_none_or(|_| line.code == code)
        };
        let Some(found) = rest.iter().position(is_it) else {
            let outcome = match code {
                Some(100..200) => Outcome::Explained(PRELIMINARY),
                None if talk.records.iter().any(|it| it.is("truncated")) => {
                    Outcome::Explained(SEGMENTS)
                }
                _ if talk.records.iter().any(|it| is_too_late(it, event)) => {
                    Outcome::Explained(AFTER_RESET)
                }
                _ => Outcome::Wrong(format!("only theirs: {code:?} {text:?}")),
            };
            tally.add(name, "replies", outcome);
            continue;
        };
        let (passed, behind) = rest.split_at(found);
        unseen(tally, name, passed);
        tally.add(name, "replies", Outcome::Agree);
        rest = behind.get(1..).unwrap_or_default();
    }
    unseen(tally, name, rest);
}

/// Whether a record tells that what the event is about came after the connection's end.
fn is_too_late(record: &Record, event: &Event) -> bool {
    record.text("kind") == Some("data_after_close") && record.packet <= event.frame
}

/// What is a segment's first line is told by both.
fn unseen(tally: &mut Tally, name: &str, lines: &[Line<'_>]) {
    for line in lines {
        let how = format!("only ours: {:?} {:?}", line.code, line.text);
        let outcome = Outcome::Wrong(how);
        tally.add(name, "replies", if line.alone { outcome } else { outcome.or(INNER) });
    }
}
