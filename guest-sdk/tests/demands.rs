//! What is said of a script whose demands are not met, and of patterns that do not find it.
#![expect(clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use flowcell_sdk::ParserDef;
use flowcell_sdk::prelude::*;
use flowcell_sdk::testing::{Cut, FlowScript, check_folder, scripts_in};

/// Who comes in.
#[derive(Record)]
struct Login<'a> {
    /// By name.
    user: Text<'a>,
    /// How often this flow.
    count: u64,
}

mod lines {
    use super::*;

    #[parser(name = "lines", client = "^USER ", server = ["^HI ", r"^\x00"], records = [Login])]
    async fn lines(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        let mut count = 0;
        while let Some(line) = client.get_line().await.or_end()? {
            count += 1;
            let user = line.bytes().strip_prefix(b"USER ").unwrap_or_default();
            flow.emit(&Login { user: user.into(), count });
        }
        Ok(())
    }
}

mod datagrams {
    use super::*;

    #[parser(name = "datagrams", client = "^A", udp_client = "^A.C")]
    async fn datagrams(mut flow: Flow) -> Result<()> {
        let mut datagrams = flow.datagrams();
        while datagrams.next().await?.is_some() {}
        Ok(())
    }
}

mod too_large {
    use super::*;

    #[parser(name = "large", server = "^[ab]*a[ab]{20}")]
    async fn large(_flow: Flow) -> Result<()> {
        Ok(())
    }
}

mod too_large_together {
    use super::*;

    #[parser(name = "together", udp_client = ["^[ab]*a[ab]{9}", "^[cd]*c[cd]{9}", "^[ef]*e[ef]{9}"])]
    async fn together(_flow: Flow) -> Result<()> {
        Ok(())
    }
}

fn script(options: &str, text: &str) -> FlowScript {
    let text = format!("client 10.0.0.1:4000 server 10.0.0.2:9 {options}\n{text}");
    FlowScript::parse(&text).expect("a script")
}

/// What a check panics with.
fn said(check: impl FnOnce()) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(check)) else { return "nothing".into() };
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "no text".into())
}

fn of(script: &FlowScript, def: &'static ParserDef) -> String {
    let said = said(|| script.check(def));
    said.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn what_is_demanded_and_what_came_are_told_apart() {
    let lines =
        |text: &str| of(&script("", &format!("> \"USER stjohns\\n\"\n{text}")), &lines::PARSER);
    assert_eq!(lines("= login {\"user\":\"stjohns\",\"count\":1}\n! confirm\n"), "nothing");
    assert_eq!(
        lines("# who\n= login {\"user\":\"st\"}\n"),
        "record 1: `user` is \"stjohns\", the script demands \"st\" (line 4)"
    );
    assert_eq!(
        lines("= login {\"count\":null}\n"),
        "record 1: `count` is 1, the script demands null (line 3)"
    );
    assert_eq!(lines("= login\n= login\n"), "records: the parser emits 1, the script demands 2");
    assert_eq!(
        lines("= login\n! fail \"no\"\n"),
        r#"the parser tells the host [], the script demands ["fail \"no\""]"#
    );
}

#[test]
fn names_that_do_not_exist_are_told_with_those_that_do() {
    let lines = |text: &str| of(&script("", text), &lines::PARSER);
    assert_eq!(
        lines("= login {\"usr\":\"a\"}\n"),
        "`usr` is no field of `login`; there are: user, count (line 2)"
    );
    assert_eq!(lines("= logn {}\n"), "`logn` is no record of `lines`; there are: login (line 2)");
    let error = FlowScript::parse("client 1.1.1.1:1 server 1.1.1.2:2\n= login []\n");
    assert_eq!(error.expect_err("a list").line, 2);
}

#[test]
fn a_file_is_named() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("demands");
    fs::create_dir_all(&folder).expect("a folder");
    let text = "client 10.0.0.1:1 server 10.0.0.2:9\n> \"USER a\\n\"\n\n= login {\"user\":\"b\"}\n";
    fs::write(folder.join("userid.flow"), text).expect("a file");
    let scripts = scripts_in(&folder);
    assert_eq!(
        of(&scripts[0].1, &lines::PARSER),
        "record 1: `user` is \"a\", the script demands \"b\" (userid.flow, line 4)"
    );
    let all = said(|| check_folder(&folder, &lines::PARSER));
    assert!(all.starts_with("failed: [") && all.contains("userid.flow"), "{all}");
    let all = said(|| check_folder(&folder, &too_large::PARSER));
    assert!(all.starts_with("pattern `^[ab]*a[ab]{20}` of `server`"), "{all}");
}

#[test]
fn patterns_find_how_a_side_begins() {
    let lines = |text: &str| {
        let script = script("", &format!("{text}! found\n"));
        said(|| script.demand(&script.run(&lines::PARSER, Cut::Whole), &lines::PARSER))
    };
    assert_eq!(lines("> \"US\"\n< \"?\"\n> \"ER a\"\n"), "nothing");
    assert_eq!(lines("> \"X\"\n< \"HI \"\n"), "nothing");
    assert_eq!(lines("> \"X\"\n< \"\\0\"\n"), "nothing");
    assert_eq!(
        lines("> \"XUSER \"\n< \"USER a\"\n> gap 3\n"),
        "no pattern matches how a side begins (line 5)\nClient: \"XUSER \"\nServer: \"USER a\""
    );
    assert!(lines("> \"US\"\n> gap 1\n> \"ER a\"\n").contains("Client: \"US\""));
    assert!(lines("> gap 1\n> \"USER a\"\n").ends_with("begins (line 4)"));
}

#[test]
fn patterns_look_no_farther_than_the_host() {
    let far = |count: usize| {
        let mut script = script("", &format!("> \"{}!\"\n", "a".repeat(count)));
        script.verdicts.push("found".into());
        of(&script, &far::PARSER)
    };
    assert_eq!(far(2047), "nothing");
    assert_eq!(far(2048), "no pattern matches how a side begins");
}

mod far {
    use super::*;

    #[parser(name = "far", client = "^a{40,}!")]
    async fn far(_flow: Flow) -> Result<()> {
        Ok(())
    }
}

#[test]
fn patterns_find_one_of_the_first_datagrams() {
    let found = |options: &str, text: &str| {
        of(&script(options, &format!("{text}! found\n")), &datagrams::PARSER)
    };
    let (other, one) = ("> \"x\"\n< \"y\"\n", "> \"A\\nC\"\n");
    assert_eq!(found("udp", &format!("{}{one}", other.repeat(3))), "nothing");
    assert!(found("udp", &format!("{}{one}", other.repeat(4))).starts_with("no pattern"));
    assert!(found("udp", "> \"A\"\n> \"xC\"\n").starts_with("no pattern"));
    assert!(found("udp", "< \"AxC\"\n").starts_with("no pattern"));
}

#[test]
fn patterns_that_the_host_refuses_fail_the_check() {
    let why = "its automaton would have more than 262144 bytes: say less";
    let empty = script("", "> \"a\"\n");
    assert_eq!(
        of(&empty, &too_large::PARSER),
        format!("pattern `^[ab]*a[ab]{{20}}` of `server`: {why}")
    );
    assert_eq!(
        of(&empty, &too_large_together::PARSER),
        format!("all patterns of `udp_client`: {why}")
    );
}
