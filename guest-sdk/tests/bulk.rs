//! Reads that take as much as is there: what a parser makes of it must not depend on how much that is.
#![expect(clippy::expect_used, reason = "a test may panic")]

use flowcell_sdk::prelude::*;
use flowcell_sdk::testing::FlowScript;

/// What was read in all.
#[derive(Record)]
struct Got<'a> {
    /// Bytes, as text.
    text: Text<'a>,
    /// The stream's offset behind them.
    offset: u64,
}

fn check(parser: &'static flowcell_sdk::ParserDef, script: &str) {
    let head = "client 10.0.0.1:4000 server 10.0.0.2:9\n";
    FlowScript::parse(&format!("{head}{script}")).expect("a script").check(parser);
}

mod some {
    use super::*;

    /// Reads ten bytes, and tells of what came before each gap.
    #[parser(name = "some", records = [Got])]
    async fn some(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        let (mut read, mut left) = (Vec::new(), 10);
        assert_eq!(client.read_some(0).await, Ok(&b""[..]), "nothing is waited for");
        while left > 0 {
            match client.read_some(left).await {
                Ok(bytes) => {
                    assert!(!bytes.is_empty());
                    read.extend_from_slice(bytes);
                    left -= bytes.len() as u64;
                }
                Err(error) => {
                    flow.emit(&Got { text: read.clone().into(), offset: client.offset() });
                    let ReadError::Gap(gap) = error else { return Ok(()) };
                    assert_eq!(gap.cut, 0, "what is there before a gap is read first");
                }
            }
        }
        let rest = client.get_line().await?.text().into_owned();
        read.extend_from_slice(&rest.0);
        flow.emit(&Got { text: read.into(), offset: client.offset() });
        Ok(())
    }

    #[test]
    fn content_is_read_as_it_comes() {
        let script = r#"
            > "0123456789ab\n"
            = got {"text":"0123456789ab","offset":13}
        "#;
        check(&PARSER, script);
        let script = r#"
            > "0123"
            > gap 5
            > "45"
            = got {"text":"0123","offset":9}
            = got {"text":"012345","offset":11}
        "#;
        check(&PARSER, script);
    }
}

mod lines {
    use super::*;

    /// Tells where the pieces of lines start that are cut at 8 bytes.
    #[parser(name = "lines", records = [Got])]
    async fn lines(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        loop {
            let taken = match client.peek_lines(8).await {
                Ok(lines) => {
                    assert!(lines.ends_with(b"\n") || lines.len() == 8, "{lines:?}");
                    let end = lines.iter().position(|byte| *byte == b'\n');
                    let piece = lines.get(..end.map_or(8, |end| end + 1)).unwrap_or(lines);
                    flow.emit(&Got { text: piece.into(), offset: 0 });
                    piece.len()
                }
                Err(ReadError::Gap(gap)) => {
                    flow.emit(&Got { text: "gap".into(), offset: gap.cut as u64 });
                    continue;
                }
                Err(_) => break,
            };
            client.skip(taken as u64);
        }
        let rest = client.rest().await?.unwrap_or_default().to_vec();
        flow.emit(&Got { text: rest.into(), offset: client.offset() });
        Ok(())
    }

    #[test]
    fn lines_are_cut_at_the_same_places() {
        let script = r#"
            > "ab\n\r\ncdefgh\n12345678901\nx\n1234567\n12345678\n"
            > "lost"
            > gap 3
            > "end"
            = got {"text":"ab\n"}
            = got {"text":"\r\n"}
            = got {"text":"cdefgh\n"}
            = got {"text":"12345678"}
            = got {"text":"901\n"}
            = got {"text":"x\n"}
            = got {"text":"1234567\n"}
            = got {"text":"12345678"}
            = got {"text":"\n"}
            = got {"text":"gap","offset":4}
            = got {"text":"end","offset":53}
        "#;
        check(&PARSER, script);
    }
}

mod backlog {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    /// Waits for a line of the server, as long as the client holds back less than eight bytes.
    #[parser(name = "backlog", records = [Got])]
    async fn backlog(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        let answered = {
            let mut answer = pin!(server.look_ahead(1));
            let mut held_back = pin!(client.backlog(8));
            poll_fn(|cx| {
                if answer.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(true);
                }
                held_back.as_mut().poll(cx).map(|()| false)
            })
            .await
        };
        let text = if answered { "answered" } else { "alone" };
        let first = client.look_ahead(1).await.map_or(0, |bytes| bytes[0]);
        flow.emit(&Got { text: text.into(), offset: first.into() });
        Ok(())
    }

    #[test]
    fn a_side_that_talks_alone_is_noticed_beyond_gaps() {
        let alone = r#"
            > "abc"
            > gap 9
            > "defgh"
            < "x"
            = got {"text":"alone","offset":97}
        "#;
        check(&PARSER, alone);
        let answered = r#"
            > "abcdefg"
            > gap 9
            < "x"
            = got {"text":"answered","offset":97}
        "#;
        check(&PARSER, answered);
        check(&PARSER, "> \"a\"\n> end\n< end\n= got {\"text\":\"answered\",\"offset\":97}\n");
    }
}
