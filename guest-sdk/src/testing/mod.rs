//! Flow scripts: a conversation as text, and the records that a parser must make of it.
//!
//! ```text
//! # a comment
//! client 10.0.0.1:4000 server 10.0.0.2:25
//! < "220 mx.example.org ESMTP\r\n"
//! > "HELO a\r\n"
//! > gap 20
//! > end reset
//! = command {"verb":"HELO","code":null}
//! ```
//!
//! | line | meaning |
//! |---|---|
//! | `client ADDR:PORT server ADDR:PORT [udp] [midstream] [secrets] [context="…"]` | the flow; `secrets`: they are [shown](crate::Secrets::Shown); `context`: what the parser that expected it said (without spaces: `\x20`); once, first |
//! | `> "…"`, `< "…"` | the client, the server sends these bytes (`\r \n \t \0 \\ \" \xNN`); over UDP each line is one datagram |
//! | `> gap N [lost\|memory\|depth\|snaplen]` | N bytes of the client are missing |
//! | `> end [fin\|reset\|idle\|evicted\|shutdown]` | the client's side ends; a side that the script does not end is ended by `fin` at its close |
//! | `= NAME {…}` | the next record, by name, and the fields that must be as shown; `null` stands for a field that is left out |
//! | `! found` | a pattern of the parser matches how a side begins: its first 2,048 bytes before a gap, or one of its first 4 datagrams |
//! | `! confirm`, `! decline "…"`, `! fail "…"` | what else the parser must tell the host |
//! | `! switch_to "tls" client "…" server "…"` | the flow is handed over, with all the bytes that the next parser gets of each side |
//! | `! expect PARSER tcp\|udp ADDR:PORT "…"` | a flow to come, and what its parser is told; all in lowercase |
//!
//! [`FlowScript::check`] runs the parser with all bytes of a run at once, line by line, one byte at a
//! time, and cut in two at every place, and demands the same records of all; then with several packets in
//! one delivery. A parser that passes does not depend on how TCP cut the stream. Over UDP it is also begun
//! anew wherever it [rests](crate::Datagrams::next_resting). Whether secrets are shown may change nothing else
//! ([`FlowScript::check_secrets`]). Its patterns are built as the host builds them.
//! [`check_folder`] does so with all scripts of a folder, and [`check_damaged`] with what becomes of them on
//! a bad day.

mod damage;
mod demand;
mod folder;
mod json;
mod patterns;
mod play;
mod run;
mod script;
mod secrets;

pub use self::damage::{Random, check_damaged};
pub use self::folder::{check_folder, scripts_in};
pub use self::play::Outcome;
pub use self::run::Cut;
pub use self::script::{FlowScript, ScriptError, Step};
