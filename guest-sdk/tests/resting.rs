//! Parsers that say that they keep nothing of what they were given.
#![expect(clippy::expect_used, reason = "a test may panic")]

use flowcell_sdk::prelude::*;
use flowcell_sdk::testing::FlowScript;

/// A datagram.
#[derive(Record)]
struct Heard<'a> {
    /// What it says.
    text: Text<'a>,
    /// How many there were before it, as far as is known.
    before: u64,
    /// Another instance had the flow.
    confirmed: bool,
}

fn script() -> FlowScript {
    let text = r#"client 10.0.0.1:4000 server 10.0.0.2:9 udp
        > "one"
        < "two"
        > "three"
        = heard {"text":"one"}
        = heard {"text":"two"}
        = heard {"text":"three"}
    "#;
    FlowScript::parse(text).expect("a script")
}

mod honest {
    use super::*;

    #[parser(name = "honest", udp = [9], records = [Heard])]
    async fn honest(mut flow: Flow) -> Result<()> {
        let mut datagrams = flow.datagrams();
        while let Some(datagram) = datagrams.next_resting().await? {
            flow.emit(&Heard { text: datagram.bytes.into(), before: 0, confirmed: false });
        }
        Ok(())
    }

    #[test]
    fn begins_anew_without_a_difference() {
        script().check(&PARSER);
    }
}

mod forgetful {
    use super::*;

    #[parser(name = "forgetful", udp = [9], records = [Heard])]
    async fn forgetful(mut flow: Flow) -> Result<()> {
        let mut datagrams = flow.datagrams();
        let mut before = 0;
        while let Some(datagram) = datagrams.next_resting().await? {
            flow.emit(&Heard { text: datagram.bytes.into(), before, confirmed: false });
            before += 1;
        }
        Ok(())
    }

    #[test]
    #[should_panic(expected = "beginning anew where it rests")]
    fn is_found_out() {
        script().check(&PARSER);
    }
}

mod knowing {
    use super::*;

    #[parser(name = "knowing", udp = [9], records = [Heard])]
    async fn knowing(mut flow: Flow) -> Result<()> {
        let mut datagrams = flow.datagrams();
        let mut confirmed = flow.info().confirmed;
        while let Some(datagram) = datagrams.next_resting().await? {
            flow.emit(&Heard { text: datagram.bytes.into(), before: 0, confirmed });
            confirmed = true;
        }
        Ok(())
    }

    #[test]
    fn is_told_that_the_flow_is_its_own() {
        script().check(&PARSER);
    }
}

mod looking {
    use std::pin::pin;

    use flowcell_sdk::futures::poll;

    use super::*;

    #[parser(name = "looking", udp = [9], records = [Heard])]
    async fn looking(mut flow: Flow) -> Result<()> {
        let mut datagrams = flow.datagrams();
        let mut before = 0;
        while let Some(datagram) = datagrams.next().await? {
            flow.emit(&Heard { text: datagram.bytes.into(), before, confirmed: false });
            before += 1;
            // One may look for more in any way: what is waited for last counts.
            if poll!(pin!(datagrams.next_resting())).is_ready() {
                break;
            }
        }
        Ok(())
    }

    #[test]
    fn is_not_resting() {
        script().check(&PARSER);
    }
}
