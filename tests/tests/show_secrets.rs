//! What a run shows of passwords, from outside.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};

/// The password, and `\0joe\0hunter22` in base64.
const PASSWORD: &str = "hunter22";
const RESPONSE: &str = "AGpvZQBodW50ZXIyMg==";

/// What a client and a server say in turn, to a port.
type Talk = (u16, &'static [(&'static str, &'static str)]);

/// A login of each protocol that has passwords in the clear. The server speaks first where the first line of the
/// client is empty.
const TALKS: [Talk; 8] = [
    (
        21,
        &[("", "220 FTP\r\n"), ("USER joe\r\n", "331 p\r\n"), ("PASS hunter22\r\n", "230 in\r\n")],
    ),
    (
        25,
        &[
            ("", "220 x ESMTP\r\n"),
            ("EHLO c\r\n", "250 x\r\n"),
            ("AUTH PLAIN AGpvZQBodW50ZXIyMg==\r\n", "235 in\r\n"),
        ],
    ),
    (80, &[("GET http://joe:hunter22@h/ HTTP/1.0\r\n\r\n", "HTTP/1.0 204 No\r\n\r\n")]),
    (
        8080,
        &[(
            "GET / HTTP/1.0\r\nAuthorization: Basic am9lOmh1bnRlcjIy\r\n\r\n",
            "HTTP/1.0 204 No\r\n\r\n",
        )],
    ),
    (110, &[("", "+OK POP3\r\n"), ("USER joe\r\n", "+OK\r\n"), ("PASS hunter22\r\n", "+OK\r\n")]),
    (143, &[("", "* OK IMAP4rev1\r\n"), ("1 LOGIN joe hunter22\r\n", "1 OK in\r\n")]),
    (1883, &[("\x10\x1d\0\x04MQTT\x04\u{c2}\0<\0\x02c1\0\x03joe\0\x08hunter22", " \x02\0\0")]),
    (
        6379,
        &[
            ("AUTH joe hunter22\r\n", "+OK\r\n"),
            ("CONFIG GET requirepass\r\n", "*2\r\n$11\r\nrequirepass\r\n$8\r\nhunter22\r\n"),
        ],
    ),
];

/// One byte for each character.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect()
}

fn logins() -> Pcap {
    let mut conversations: Vec<Conversation> = TALKS
        .iter()
        .zip(4000..)
        .map(|((port, lines), client)| {
            let flow = Conversation::tcp(client, *port).open();
            let said = lines.iter().fold(flow, |flow, (asked, answer)| {
                flow.send(Client, &bytes(asked)).send(Server, &bytes(answer))
            });
            said.close()
        })
        .collect();
    let invite = b"INVITE sip:joe:hunter22@h SIP/2.0\r\nCall-ID: 1\r\n\r\n";
    conversations.push(Conversation::tcp(5060, 5060).datagram(Client, invite));
    Pcap::of(&conversations)
}

fn run(options: &[&str]) -> Run {
    let scratch = Scratch::new();
    let capture = scratch.capture("logins.pcap", &logins());
    let run = Run::of(flowcell(["run", "-q", "--strict", "-r"]).arg(capture).args(options));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    run
}

#[test]
fn passwords_are_shown_if_they_are_asked_for_and_nothing_else_changes() {
    let masked = run(&[]);
    let shown = run(&["--show-secrets"]);
    for secret in [PASSWORD, RESPONSE] {
        assert!(!masked.stdout.contains(secret), "{}", masked.stdout);
    }
    // IMAP shows a login as it was sent, Redis all of a reply.
    let hidden = shown.stdout.replace("[requirepass, hunter22]", "***");
    let hidden = hidden.replace(PASSWORD, "***").replace(RESPONSE, "***");
    assert_eq!(hidden, masked.stdout);

    for ty in ["ftp", "smtp", "http", "pop3", "imap", "mqtt", "redis", "sip"] {
        let prefix = format!("{ty}.");
        let says = |run: &Run, text: &str| {
            let of = |record: &&serde_json::Value| {
                record["type"].as_str().is_some_and(|ty| ty.starts_with(&prefix))
            };
            run.records.iter().filter(of).any(|record| record["data"].to_string().contains(text))
        };
        assert!(says(&masked, "***"), "{ty}: {}", masked.stdout);
        let secret = if ty == "smtp" { RESPONSE } else { PASSWORD };
        assert!(says(&shown, secret), "{ty}: {}", shown.stdout);
    }
    let users = shown.of_type("http.transaction");
    assert!(users.iter().any(|record| record["data"]["password"] == PASSWORD), "{users:?}");
}

#[test]
fn every_cell_of_a_run_is_told() {
    let shown = run(&["--show-secrets"]);
    for options in [
        &["--workers", "4"][..],
        &["--cell-mode", "alone"],
        &["--cell-mode", "park"],
        &["--deterministic"],
    ] {
        let other = run(&[options, &["--show-secrets"]].concat());
        assert_eq!(other.stdout, shown.stdout, "{options:?}");
    }
}

/// Parsers that do not look at the flag are loaded as ever, and say the same.
#[test]
fn parsers_that_know_of_no_secrets() {
    let scratch = Scratch::new();
    let parsers = scratch.parsers(&["reports_deliveries"]);
    let flow = |port| {
        let flow = Conversation::tcp(4000, port).open();
        flow.send(Client, b"hunter22\r\n").send(Server, b"hunter22\r\n").close()
    };
    let capture = scratch.capture("two.pcap", &Pcap::of(&[flow(7), flow(9)]));
    let run = |options: &[&str]| {
        let mut command = flowcell(["run", "-q", "--strict", "--parsers"]);
        Run::of(command.arg(&parsers).arg("-r").arg(&capture).args(options))
    };
    let (masked, shown) = (run(&[]), run(&["--show-secrets"]));
    assert_eq!((shown.code, &shown.stdout), (Some(0), &masked.stdout), "{}", shown.stderr);
    assert!(!shown.of_type("reports_deliveries.delivery").is_empty(), "{}", shown.stdout);
    assert!(!shown.of_type("echo.exchange").is_empty(), "{}", shown.stdout);
}

#[test]
fn the_help_says_what_becomes_of_passwords() {
    let output = flowcell(["run", "--help"]).output().expect("the program runs");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("--show-secrets Show passwords"), "{help}");
    assert!(help.contains("Passwords then stand in the output, for whoever can read it"), "{help}");
}
