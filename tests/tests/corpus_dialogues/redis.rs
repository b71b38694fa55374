//! Commands and replies of Redis against tshark.

use flowcell_tests::talk::{Event, Record, Talk};
use flowcell_tests::tally::{Outcome, Tally};

use crate::words::{lists, same};

const KNOWN: &[(&str, &str, &str)] = &[];

const INLINE: &str = "tshark does not know commands that are plain lines";
const RESP3: &str = "tshark does not know the types of RESP3";

#[test]
fn redis_agrees_with_tshark() {
    let Some((_, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        for talk in sight.talks(&["resp"], &["redis.command"]).into_iter().filter(Talk::is_of_both)
        {
            compare(&mut tally, &sight.name, &talk);
        }
    }
    tally.check(KNOWN);
}

/// A value as tshark tells it: its type, its text or length, and what is in it.
#[derive(Debug, Clone, PartialEq)]
struct Value<'a> {
    kind: &'a str,
    text: Option<&'a str>,
    length: Option<usize>,
    inner: Vec<Self>,
}

/// The values of an event; nothing if there is something in it that tshark does not know.
fn values(event: &Event) -> Option<Vec<Value<'_>>> {
    let nodes = event.data["tree"].as_array().into_iter().flatten();
    let nodes = nodes.map(|node| Some((node[0].as_str()?, node[1].as_str()?)));
    let nodes: Vec<_> = nodes.collect::<Option<_>>()?;
    let mut rest = nodes.as_slice();
    let mut values = Vec::new();
    while !rest.is_empty() {
        values.push(value(&mut rest)?);
    }
    Some(values)
}

fn value<'a>(nodes: &mut &[(&'a str, &'a str)]) -> Option<Value<'a>> {
    let (&(kind, text), rest) = nodes.split_first()?;
    *nodes = rest;
    let mut value = Value { kind, text: Some(text), length: None, inner: Vec::new() };
    if kind == "fragment" {
        return None;
    }
    if ["array", "bulk_string"].contains(&kind) {
        let (&(_, length), rest) = nodes.split_first()?;
        *nodes = rest;
        value.length = length.parse().ok();
        value.text = None;
    }
    if kind == "array" {
        for _ in 0..value.length.unwrap_or(0) {
            // What goes on in the next segment it tells as values of their own.
            let Some(inner) = self::value(nodes) else {
                *nodes = &[];
                break;
            };
            value.inner.push(inner);
        }
    } else if let (Some(&("bulk_string.value", text)), Some(_)) = (nodes.first(), value.length) {
        *nodes = &nodes[1..];
        value.text = Some(text);
    }
    Some(value)
}

/// What the server said to a command.
#[derive(Debug, Clone, PartialEq)]
enum Reply<'a> {
    None,
    /// tshark does not know what it is.
    Unknown,
    Value(Value<'a>),
}

fn compare(tally: &mut Tally, name: &str, talk: &Talk<'_>) {
    // Without records there is nobody to be the server: all is theirs.
    let server = talk.records.first().map_or(talk.ends[0], |record| record.ends[1]);
    let mut theirs: Vec<(Option<Value<'_>>, Reply<'_>)> = Vec::new();
    for event in &talk.events {
        match (values(event), event.sender() == server) {
            (Some(values), false) => {
                theirs.extend(values.into_iter().map(|value| (Some(value), Reply::None)));
            }
            (None, false) => theirs.push((None, Reply::None)),
            (values, true) => {
                let replies = values.map(|values| values.into_iter().map(Reply::Value).collect());
                for reply in replies.unwrap_or_else(|| vec![Reply::Unknown]) {
                    // More than was asked for is what goes on, or what others say.
                    if let Some(open) = theirs.iter_mut().find(|it| it.1 == Reply::None) {
                        open.1 = reply;
                    }
                }
            }
        }
    }
    lists(tally, name, "command", (&talk.records, &theirs), |ours, (theirs, _)| {
        command(ours, theirs.as_ref())
    });
    lists(tally, name, "arguments", (&talk.records, &theirs), |ours, (theirs, _)| {
        arguments(ours, theirs.as_ref())
    });
    lists(tally, name, "reply", (&talk.records, &theirs), |ours, (_, reply)| {
        self::reply(ours, reply)
    });
}

fn command(ours: &Record, theirs: Option<&Value<'_>>) -> Outcome {
    let Some(theirs) = theirs else {
        return if ours.is("inline") {
            Outcome::Explained(INLINE)
        } else {
            Outcome::of(&ours.text("command"), &None)
        };
    };
    let verb = theirs.inner.first().and_then(|word| word.text).map(str::to_uppercase);
    same(ours.text("command"), verb.as_deref())
}

/// How many there are, and that key and value are among them.
fn arguments(ours: &Record, theirs: Option<&Value<'_>>) -> Outcome {
    let Some(theirs) = theirs else { return Outcome::Explained(INLINE) };
    let words: Vec<_> = theirs.inner.iter().skip(1).filter_map(|word| word.text).collect();
    for field in ["key", "value"] {
        let shown = ours.text(field).filter(|shown| *shown != "***");
        if shown.is_some_and(|shown| !words.iter().any(|word| begins(word, shown))) {
            return Outcome::Wrong(format!("{field}: ours {shown:?}, theirs among {words:?}"));
        }
    }
    Outcome::of(&ours.number("arguments"), &u64::try_from(words.len()).ok())
}

fn reply(ours: &Record, theirs: &Reply<'_>) -> Outcome {
    let value = match theirs {
        Reply::None => return Outcome::of(&ours.text("reply_type"), &None),
        Reply::Unknown => return Outcome::Explained(RESP3),
        Reply::Value(value) => value,
    };
    let kind = match value.kind {
        "string" => "simple_string",
        "bulk_string" | "array" if value.length.is_none() => "null",
        other => other,
    };
    let outcome = Outcome::of(&ours.text("reply_type"), &Some(kind));
    if outcome != Outcome::Agree {
        return outcome;
    }
    if let Some(length) = value.length {
        let length = u64::try_from(length).ok();
        return Outcome::of(&ours.number("reply_length"), &length);
    }
    same(ours.text("reply"), value.text)
}

/// Whether a text is another one, or what is shown of it.
fn begins(text: &str, shown: &str) -> bool {
    text == shown || shown.len() >= 256 && text.starts_with(shown)
}
