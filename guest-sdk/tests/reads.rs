//! Every read, at every split of the bytes: what a parser gets must not depend on the segments.
#![expect(clippy::expect_used, reason = "a test may panic")]

use flowcell_sdk::prelude::*;
use flowcell_sdk::testing::FlowScript;

/// What a read returned.
#[derive(Record)]
struct Got<'a> {
    /// Bytes, as text.
    text: Text<'a>,
    /// The stream's offset behind them.
    offset: u64,
}

/// Why a read failed.
#[derive(Record)]
struct Failed {
    /// The error, for people.
    why: String,
}

fn check(parser: &'static flowcell_sdk::ParserDef, script: &str) {
    let head = "client 10.0.0.1:4000 server 10.0.0.2:9\n";
    FlowScript::parse(&format!("{head}{script}")).expect("a script").check(parser);
}

fn got<'a>(flow: &Flow, text: impl Into<Text<'a>>, offset: u64) {
    flow.emit(&Got { text: text.into(), offset });
}

fn failed(flow: &Flow, error: &ReadError) {
    flow.emit(&Failed { why: format!("{error:?}") });
}

mod lines {
    use super::*;

    #[parser(name = "lines", records = [Got, Failed])]
    async fn lines(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        loop {
            match client.get_line_max(12).await {
                Ok(line) => {
                    let text = line.text().into_owned();
                    let offset = client.offset();
                    got(&flow, text, offset);
                }
                Err(error @ ReadError::End(_)) => {
                    failed(&flow, &error);
                    while let Some(rest) = client.rest().await? {
                        let rest = rest.to_vec();
                        got(&flow, rest, client.offset());
                    }
                    return Ok(());
                }
                Err(error @ ReadError::Gap(_)) => {
                    failed(&flow, &error);
                    client.resync_line(100).await?;
                }
                Err(error @ ReadError::TooLong { .. }) => {
                    failed(&flow, &error);
                    client.resync_line(100).await?;
                }
            }
        }
    }

    #[test]
    fn ends_are_cr_lf_or_lf_and_offsets_count() {
        check(
            &PARSER,
            r#"
            > "a\r\nbc\n\n\r\n"
            = got {"text":"a","offset":3}
            = got {"text":"bc","offset":6}
            = got {"text":"","offset":7}
            = got {"text":"","offset":9}
            = failed {"why":"End(Ended { side: Client, reason: Fin, unread: 0 })"}
            "#,
        );
    }

    #[test]
    fn an_unterminated_line_is_left_for_rest() {
        check(
            &PARSER,
            r#"
            > "a\nhalf"
            > end reset
            = got {"text":"a"}
            = failed {"why":"End(Ended { side: Client, reason: Reset, unread: 4 })"}
            = got {"text":"half","offset":6}
            "#,
        );
    }

    #[test]
    fn a_gap_gives_up_the_line_around_it() {
        check(
            &PARSER,
            r#"
            > "one\ntw"
            > gap 20 memory
            > "ee\nfour\n"
            = got {"text":"one"}
            = failed {"why":"Gap(Gap { side: Client, offset: 6, length: 20, reason: Memory, cut: 2 })"}
            = got {"text":"four","offset":34}
            = failed {}
            "#,
        );
    }

    #[test]
    fn an_over_long_line_is_a_value() {
        check(
            &PARSER,
            r#"
            > "exactly 11.\n0123456789ab\nnext\n"
            = got {"text":"exactly 11."}
            = failed {"why":"TooLong { side: Client, limit: 12 }"}
            = got {"text":"next"}
            = failed {}
            "#,
        );
    }
}

mod parts {
    use super::*;

    #[parser(name = "parts", records = [Got])]
    async fn parts(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        while let Some(part) = client.get_line_part(5).await.or_end()? {
            let text = format!("{}{}", String::from_utf8_lossy(part.line.raw()), part.last);
            got(&flow, text, client.offset());
        }
        Ok(())
    }

    #[test]
    fn long_lines_come_in_pieces() {
        check(
            &PARSER,
            r#"
            > "0123456789a\n1234\n"
            = got {"text":"01234false"}
            = got {"text":"56789false"}
            = got {"text":"a\ntrue"}
            = got {"text":"1234\ntrue"}
            "#,
        );
    }
}

mod binary {
    use super::*;

    #[parser(name = "binary", records = [Got, Failed])]
    async fn binary(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        let peeked = client.peek(2).await?.to_vec();
        got(&flow, peeked, client.offset());
        let sum = u64::from(client.read_u8().await?)
            + u64::from(client.read_u16().await?)
            + u64::from(client.read_u24().await?)
            + u64::from(client.read_u32().await?)
            + client.read_u64().await?
            + u64::from(client.read_u16_le().await?)
            + u64::from(client.read_u32_le().await?)
            + client.read_u64_le().await?;
        got(&flow, format!("{sum:x}"), client.offset());
        let until = client.read_until(b"--x", 50).await?.to_vec();
        got(&flow, until, client.offset());
        client.skip(5);
        let four = client.read_exact(4).await?.to_vec();
        got(&flow, four, client.offset());
        if let Err(error) = client.read_exact(70_000).await {
            failed(&flow, &error);
        }
        if let Err(error) = client.read_until(b"never", 3).await {
            failed(&flow, &error);
        }
        Ok(())
    }

    #[test]
    fn integers_delimiters_and_skips() {
        check(
            &PARSER,
            r#"
            > "\x01\0\x02\0\0\x03\0\0\0\x04\0\0\0\0\0\0\0\x05\x06\0\x07\0\0\0\x08\0\0\0\0\0\0\0"
            > "a-b--c---x12345wxyzrest"
            = got {"text":"\u0001\u0000","offset":0}
            = got {"text":"24","offset":32}
            = got {"text":"a-b--c---x","offset":42}
            = got {"text":"wxyz","offset":51}
            = failed {"why":"TooLong { side: Client, limit: 65536 }"}
            = failed {"why":"TooLong { side: Client, limit: 3 }"}
            "#,
        );
    }
}

mod skips {
    use super::*;

    #[parser(name = "skips", records = [Got, Failed])]
    async fn skips(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        loop {
            let line = match client.get_line().await {
                Ok(line) => line.bytes().to_vec(),
                Err(ReadError::End(_)) => return Ok(()),
                Err(error) => {
                    failed(&flow, &error);
                    continue;
                }
            };
            let length = String::from_utf8_lossy(&line).parse().unwrap_or(0);
            got(&flow, line, client.offset());
            client.skip(length);
        }
    }

    #[test]
    fn a_gap_inside_is_silent_and_one_beyond_is_shortened() {
        check(
            &PARSER,
            r#"
            > "10\nab"
            > gap 6
            > "cd5\nxy"
            > gap 7
            > "z\nlast\n"
            = got {"text":"10","offset":3}
            = got {"text":"5","offset":15}
            = failed {"why":"Gap(Gap { side: Client, offset: 20, length: 4, reason: Lost, cut: 0 })"}
            = got {"text":"z","offset":26}
            = got {"text":"last"}
            "#,
        );
    }
}

mod resync {
    use super::*;

    #[parser(name = "resync", records = [Got, Failed])]
    async fn resync(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        while client.resync_to(b"##", 10).await.or_end()?.is_some() {
            let offset = client.offset();
            got(&flow, client.get_line().await?.text(), offset);
        }
        Ok(())
    }

    #[test]
    fn finds_the_pattern_and_keeps_to_the_budget() {
        check(
            &PARSER,
            r##"
            > "ab#c##one\n##two\n"
            > "0123#"
            > gap 3
            > "#4##three\n"
            > "0123456789##late\n"
            = got {"text":"one","offset":6}
            = got {"text":"two","offset":12}
            = got {"text":"three","offset":28}
            ! fail "client sent a unit longer than 10 bytes"
            "##,
        );
    }
}

mod datagrams {
    use super::*;

    #[parser(name = "datagrams", records = [Got])]
    async fn datagrams(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        while let Some(question) = client.datagram().await.or_end()? {
            let question = question.to_vec();
            let answer = server.datagram().await?.to_vec();
            got(&flow, [question, answer].concat(), client.offset());
        }
        Ok(())
    }

    #[test]
    fn empty_ones_that_wait_are_not_lost() {
        let script = r#"client 10.0.0.1:4000 server 10.0.0.2:9 udp
            > "hello"
            > ""
            > ""
            > "x"
            < "1"
            < "2"
            < "3"
            < "4"
            = got {"text":"hello1"}
            = got {"text":"2"}
            = got {"text":"3"}
            = got {"text":"x4"}
        "#;
        FlowScript::parse(script).expect("a script").check(&PARSER);
    }

    #[test]
    fn what_a_capture_cut_off_is_told_behind_what_is_there() {
        let script = r#"client 10.0.0.1:4000 server 10.0.0.2:9 udp
            > "cut"
            > gap 97 snaplen
            < "1"
            = got {"text":"cut1","offset":3}
        "#;
        FlowScript::parse(script).expect("a script").check(&PARSER);
    }

    #[test]
    fn keep_their_bounds_and_may_be_empty() {
        let script = r#"client 10.0.0.1:4000 server 10.0.0.2:9 udp
            > "one"
            > ""
            < "1"
            > "three"
            < "2"
            < ""
            = got {"text":"one1","offset":3}
            = got {"text":"2","offset":3}
            = got {"text":"three","offset":8}
        "#;
        FlowScript::parse(script).expect("a script").check(&PARSER);
    }
}
