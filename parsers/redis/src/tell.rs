//! The records of a command and of what was said unasked.

use flowcell_sdk::MASK;
use flowcell_sdk::prelude::*;

use crate::command::Command;
use crate::records;
use crate::talk::is_confirmation;
use crate::value::Value;
use crate::words::Kept;

/// Emits a command, its reply, or both.
pub(crate) fn tell(
    flow: &Flow,
    command: Option<&Command>,
    reply: Option<&Value>,
    uncertain: bool,
    incomplete: bool,
) {
    let key = command.and_then(|command| command.key.as_ref());
    let value = command.and_then(|command| command.value.as_ref());
    let hides_reply = command.is_some_and(|command| command.hides_reply);
    let hides_reply = hides_reply && reply.is_some_and(|reply| !reply.is_error());
    let hides_reply = hides_reply && !flow.secrets().are_shown();
    let mut truncated = Vec::new();
    for (kept, name) in [(key, "key"), (value, "value")] {
        if kept.is_some_and(Kept::is_cut) {
            truncated.push(name);
        }
    }
    if reply.is_some_and(|reply| reply.is_cut) && !hides_reply {
        truncated.push("reply");
    }
    let shown = reply.filter(|reply| !reply.is_null);
    flow.emit(&records::Command {
        command: command.map(|command| Text::from(&command.name[..])),
        subcommand: command.and_then(|command| command.subcommand.as_deref()).map(Text::from),
        key: key.map(|kept| Text::from(&kept.bytes[..])),
        value: value.map(|kept| Text::from(&kept.bytes[..])),
        arguments: command.map_or(0, |command| command.arguments),
        inline: command.is_some_and(|command| command.inline),
        success: reply.map(|reply| !reply.is_error()),
        reply_type: reply.map(Value::type_name),
        reply: shown.map(|reply| match hides_reply {
            true => Text::from(MASK),
            false => Text::from(&reply.text[..]),
        }),
        reply_length: reply.and_then(|reply| reply.length),
        uncertain,
        incomplete: incomplete || command.is_some_and(|command| command.incomplete),
        truncated,
    });
}

/// Emits what the server said unasked.
pub(crate) fn tell_push(flow: &Flow, kind: &[u8], value: &Value) {
    let item = |index: usize| value.items.get(index);
    let (channel, pattern, payload) = match kind {
        b"pmessage" => (item(2), item(1), item(3)),
        b"message" | b"smessage" => (item(1), None, item(2)),
        _ if is_confirmation(kind) => (item(1), None, item(2)),
        _ => (None, None, None),
    };
    let mut truncated = Vec::new();
    for (kept, name) in [(channel, "channel"), (pattern, "pattern"), (payload, "payload")] {
        if kept.is_some_and(Kept::is_cut) {
            truncated.push(name);
        }
    }
    if payload.is_none() && value.is_cut {
        truncated.push("payload");
    }
    let text = |kept: Option<&Kept>| kept.map(|kept| Text::from(kept.bytes.clone()));
    flow.emit(&records::Push {
        kind: Text::from(kind),
        channel: text(channel),
        pattern: text(pattern),
        payload: text(payload).or_else(|| Some(Text::from(&value.text[..]))),
        truncated,
    });
}
