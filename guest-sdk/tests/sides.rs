//! Both sides at once, the ecosystem's traits, and how a parser ends.
#![expect(clippy::expect_used, reason = "a test may panic")]

use std::cell::RefCell;

use flowcell_sdk::futures::{self, AsyncBufReadExt, AsyncReadExt, StreamExt};
use flowcell_sdk::prelude::*;
use flowcell_sdk::testing::{Cut, FlowScript};

/// One line of one side.
#[derive(Record)]
struct Said<'a> {
    /// Who said it.
    side: &'a str,
    /// What.
    text: Text<'a>,
}

fn script(text: &str) -> FlowScript {
    FlowScript::parse(&format!("client [::1]:4000 server [::2]:9\n{text}")).expect("a script")
}

mod joined {
    use super::*;

    #[parser(name = "joined", records = [Said])]
    async fn joined(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        let heard = RefCell::new(0);
        let listen = async |side: &str, stream: &mut ByteStream| -> Result<()> {
            while let Some(line) = stream.get_line().await.or_end()? {
                *heard.borrow_mut() += 1;
                flow.emit(&Said { side, text: line.text() });
            }
            Ok(())
        };
        let (a, b) = futures::join!(listen("client", &mut client), listen("server", &mut server));
        a?;
        b?;
        flow.emit(&Said { side: "both", text: heard.into_inner().to_string().into() });
        Ok(())
    }

    #[test]
    fn sides_are_heard_in_the_order_of_the_capture() {
        script(
            r#"
            > "one\ntwo\nthr"
            < "eins\nzwei\n"
            > "ee\n"
            < "drei\n"
            = said {"side":"client","text":"one"}
            = said {"side":"client","text":"two"}
            = said {"side":"server","text":"eins"}
            = said {"side":"server","text":"zwei"}
            = said {"side":"client","text":"three"}
            = said {"side":"server","text":"drei"}
            = said {"side":"both","text":"6"}
            "#,
        )
        .check(&PARSER);
    }
}

mod held {
    use super::*;

    // A line of one side stays readable while the parser waits for the other and more of the first
    // side arrives.
    #[parser(name = "held", records = [Said])]
    async fn held(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        while let Some(question) = client.get_line().await.or_end()? {
            let answer = server.get_line().await?;
            let both = [question.bytes(), answer.bytes()].concat();
            flow.emit(&Said { side: "both", text: both.into() });
        }
        Ok(())
    }

    #[test]
    fn a_line_outlives_what_arrives_behind_it() {
        script(
            r#"
            > "a\nb\nccccccccccccccccccccccccccccccccccccccccccccccc"
            < "1\n"
            > "c\n"
            < "2\n3\n"
            = said {"text":"a1"}
            = said {"text":"b2"}
            = said {"text":"cccccccccccccccccccccccccccccccccccccccccccccccc3"}
            "#,
        )
        .check(&PARSER);
    }
}

mod ecosystem {
    use super::*;

    #[parser(name = "ecosystem", records = [Said])]
    async fn ecosystem(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        let mut line = String::new();
        let read = client.read_line(&mut line).await;
        read.map_err(|_| Error::violation("not a line"))?;
        flow.emit(&Said { side: "read_line", text: line.into() });
        let mut three = [0; 3];
        AsyncReadExt::read_exact(&mut client, &mut three).await.map_err(|_| Error::decline("?"))?;
        flow.emit(&Said { side: "read_exact", text: (&three[..]).into() });
        let all: Vec<Vec<u8>> =
            (&mut server).filter_map(|chunk| std::future::ready(chunk.ok())).collect().await;
        flow.emit(&Said { side: "stream", text: all.concat().into() });
        Ok(())
    }

    #[test]
    fn combinators_work_on_a_stream() {
        script(
            r#"
            > "line\nabcdef"
            < "chunks "
            < gap 3
            < "of any size"
            = said {"side":"read_line","text":"line\n"}
            = said {"side":"read_exact","text":"abc"}
            = said {"side":"stream","text":"chunks of any size"}
            "#,
        )
        .check(&PARSER);
    }
}

mod endings {
    use super::*;

    #[parser(name = "endings", records = [])]
    async fn endings(mut flow: Flow) -> Result<()> {
        let (mut client, _) = flow.streams();
        match client.get_line_max(20).await?.bytes() {
            b"decline" => Err(Error::decline("not mine")),
            b"violate" => Err(Error::violation("broken")),
            _ => client.get_line_max(3).await.map(drop).map_err(Error::from),
        }
    }

    #[test]
    fn only_the_peers_faults_are_told() {
        for (said, verdict) in [
            (r#"> "decline\n""#, r#"! decline "not mine""#),
            (r#"> "violate\n""#, r#"! fail "broken""#),
            (r#"> "x\nlong line\n""#, r#"! fail "client sent a unit longer than 3 bytes""#),
            (r#"> "x\n""#, ""),
            (r#"> "cut o""#, ""),
        ] {
            script(&format!("{said}\n{verdict}")).check(&PARSER);
        }
        script("> \"x\\n\"\n> gap 3\n> \"y\\n\"").check(&PARSER);
    }

    #[test]
    #[should_panic(expected = "changes what the parser tells")]
    fn a_parser_that_depends_on_segments_is_found_out() {
        mod naive {
            use super::*;

            #[parser(name = "naive", records = [Said])]
            async fn naive(mut flow: Flow) -> Result<()> {
                let (mut client, _) = flow.streams();
                while let Some(chunk) = client.rest().await? {
                    flow.emit(&Said { side: "client", text: chunk.into() });
                }
                Ok(())
            }
        }
        script("> \"abc\"\n= said {\"text\":\"abc\"}").check(&naive::PARSER);
    }

    #[test]
    #[should_panic(expected = "record 1: `text` is")]
    fn a_wrong_record_is_found_out() {
        script("> \"a\\n\"\n< \"b\\n\"\n= said {\"text\":\"ax\"}").check(&held::PARSER);
    }

    #[test]
    fn cuts_keep_all_bytes() {
        let script = script("> \"abc\"\n> \"de\"\n< \"f\"");
        let lengths = |cut| script.cut(cut).len();
        assert_eq!(lengths(Cut::Whole), 4);
        assert_eq!(lengths(Cut::Lines), 5);
        assert_eq!(lengths(Cut::Bytes), 8);
        assert_eq!(lengths(Cut::At(2)), 5);
    }
}

mod unread {
    use super::*;

    // Waits for the server all the time; what the client says meanwhile is more than can wait.
    #[parser(name = "unread", records = [Said])]
    async fn unread(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        while server.get_line().await.or_end()?.is_some() {}
        let (mut bytes, mut missed) = (0, 0);
        loop {
            match client.rest().await {
                Ok(Some(more)) => bytes += more.len(),
                Ok(None) => break,
                Err(ReadError::Gap(gap)) => missed += gap.length,
                Err(error) => return Err(error.into()),
            }
        }
        flow.emit(&Said { side: "client", text: format!("{bytes} and {missed}").into() });
        Ok(())
    }

    #[test]
    fn more_than_can_wait_becomes_a_gap() {
        let line = format!("> \"{}\"\n", "x".repeat(100_000));
        let script = script(&format!("{}< \"done\\n\"\n", line.repeat(4)));
        let outcome = script.run(&PARSER, Cut::Lines);
        assert_eq!(outcome.records[0].1["text"], "300000 and 100000");
    }
}
