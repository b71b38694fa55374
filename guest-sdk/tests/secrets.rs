//! Parsers that know a secret: what their records show of it, and what scripts find out.
#![expect(clippy::expect_used, reason = "a test may panic")]

use flowcell_sdk::prelude::*;
use flowcell_sdk::testing::FlowScript;

/// A password.
#[derive(Record)]
struct Login<'a> {
    /// `***`, or the password where secrets are shown.
    password: Text<'a>,
}

/// Takes every line for a password.
#[parser(name = "keys", tcp = [9], records = [Login])]
async fn keys(mut flow: Flow) -> Result<()> {
    let (mut client, _) = flow.streams();
    while let Some(line) = client.get_line().await.or_end()? {
        flow.emit(&Login { password: flow.secrets().show(line.bytes()).into() });
    }
    Ok(())
}

fn script(options: &str, passwords: [&str; 2]) -> FlowScript {
    let [first, second] = passwords;
    let text = format!(
        "client 10.0.0.1:1 server 10.0.0.2:9 {options}\n> \"open\\nsesame\\n\"\n\
         = login {{\"password\":\"{first}\"}}\n= login {{\"password\":\"{second}\"}}\n"
    );
    FlowScript::parse(&text).expect("a script")
}

#[test]
fn secrets_are_masked_unless_the_script_asks() {
    script("", ["***", "***"]).check(&PARSER);
    script("secrets", ["open", "sesame"]).check(&PARSER);
}

#[test]
#[should_panic(expected = "password")]
fn a_script_that_asks_sees_them() {
    script("secrets", ["***", "***"]).check(&PARSER);
}

mod telling {
    use super::*;

    /// Says less where secrets are masked.
    #[parser(name = "telling", tcp = [9], records = [Login])]
    async fn telling(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        while let Some(line) = client.get_line().await.or_end()? {
            if flow.secrets().are_shown() || line.bytes() == b"open" {
                flow.emit(&Login { password: flow.secrets().show(line.bytes()).into() });
            }
        }
        Ok(())
    }

    #[test]
    #[should_panic(expected = "showing secrets changes more than texts with `***`")]
    fn is_found_out() {
        script("secrets", ["open", "sesame"]).check(&PARSER);
    }
}
