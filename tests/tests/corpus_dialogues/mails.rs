//! Mails that POP3 and IMAP carry against tshark.

use flowcell_tests::encoded;
use flowcell_tests::talk::{Event, Record, Talk};
use flowcell_tests::tally::{Outcome, Tally};

use crate::words::same;

const KNOWN: &[(&str, &str, &str)] = &[];

const CHARSET: &str = "words in a charset that the test does not know";
const FOLDED: &str = "tshark writes other white space where a line was folded";

#[test]
fn mails_agree_with_tshark() {
    let Some((_, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        for talk in sight.talks(&["imf"], &["pop3.mail", "imap.mail"]) {
            if !talk.records.is_empty() {
                compare(&mut tally, &sight.name, &talk);
            }
        }
    }
    tally.check(KNOWN);
}

/// tshark takes each segment of a mail for a mail: those count that begin with a header.
fn compare(tally: &mut Tally, name: &str, talk: &Talk<'_>) {
    let mut records = talk.records.clone();
    for event in talk.events.iter().filter(|event| event.text("message_id").is_some()) {
        let id = event.text("message_id").map(str::trim);
        let found = records.iter().position(|record| record.text("msg_id") == id);
        let outcome = match found {
            Some(_) => Outcome::Agree,
            None => Outcome::Wrong(format!("only theirs: {id:?}")),
        };
        tally.add(name, "mails", outcome);
        if let Some(found) = found {
            fields(tally, name, records.remove(found), event);
        }
    }
}

fn fields(tally: &mut Tally, name: &str, ours: &Record, theirs: &Event) {
    for field in ["subject", "from", "date"] {
        if let Some(theirs) = theirs.text(field) {
            tally.add(name, field, spaced(ours.text(field).unwrap_or_default(), theirs));
        }
    }
    if let Some(theirs) = theirs.text("to") {
        tally.add(name, "to", spaced(&ours.texts("to").join(", "), theirs));
    }
}

/// Compares fields whose lines may be folded in other ways; theirs has words that are still encoded.
fn spaced(ours: &str, theirs: &str) -> Outcome {
    let Some(theirs) = encoded::decode(theirs) else {
        return same(Some(ours), Some(theirs)).or(CHARSET);
    };
    let outcome = same(Some(ours), Some(&theirs));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    if words(ours) == words(&theirs) { outcome.or(FOLDED) } else { outcome }
}
