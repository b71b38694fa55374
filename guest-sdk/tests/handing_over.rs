//! A parser that hands the rest of its flow over, one that expects flows, and one that reads datagrams.

use flowcell_sdk::prelude::*;
use flowcell_sdk::testing::FlowScript;

/// What was read of one side.
#[derive(Record)]
struct Heard<'a> {
    /// The bytes.
    bytes: Text<'a>,
    /// Their digest.
    sha256: Text<'a>,
}

mod upgrade {
    use super::*;

    /// After "go" and "ok", whatever follows is of another protocol.
    #[parser(name = "upgrade", client = r"^go\n", server = [r"^ok\n", r"^no\n"], records = [Heard])]
    async fn upgrade(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        let line = client.get_line().await?;
        let mut digest = Sha256::new();
        digest.update(&line);
        let sha256 = digest.finish_hex();
        flow.emit(&Heard { bytes: line.text(), sha256: Text::from(sha256.as_str()) });
        server.get_line().await?;
        Err(Error::switch_to("other"))
    }
}

#[test]
fn what_was_not_read_is_handed_over() {
    let script = r#"
        client 10.0.0.1:1 server 10.0.0.2:2
        > "go\nearly"
        < "ok\nhello"
        > " late"
        = heard {"bytes":"go","sha256":"f81af07e6cb12b13d5b3d0fd4d7b0a4d5d3f0b0a"}
        ! switch_to "other" client "early late" server "hello"
    "#;
    let digest = {
        let mut digest = Sha256::new();
        digest.update(b"go");
        digest.finish_hex()
    };
    let script = script.replace("f81af07e6cb12b13d5b3d0fd4d7b0a4d5d3f0b0a", &digest);
    FlowScript::parse(&script).unwrap().check(&upgrade::PARSER);
}

#[test]
fn bytes_before_a_gap_are_not_handed_over() {
    let script = r#"
        client 10.0.0.1:1 server 10.0.0.2:2
        > "go\nearly"
        > gap 7
        > "late"
        < "ok\n"
        = heard {"bytes":"go"}
        ! switch_to "other" client "late" server ""
    "#;
    FlowScript::parse(script).unwrap().check(&upgrade::PARSER);
}

#[test]
fn patterns_are_described() {
    let patterns: Vec<_> =
        upgrade::PARSER.patterns.iter().map(|pattern| (pattern.side, pattern.regex)).collect();
    let wanted = [(Side::Client, r"^go\n"), (Side::Server, r"^ok\n"), (Side::Server, r"^no\n")];
    assert_eq!(patterns, wanted);
}

mod seed {
    use super::*;

    /// The client names a port, or was told of by such a client.
    #[parser(name = "seed", expects = true, records = [Heard])]
    async fn seed(mut flow: Flow) -> Result<()> {
        let context = flow.info().context.clone();
        let mut server = flow.info().server;
        let (mut client, _) = flow.streams();
        let line = client.get_line().await?;
        if let Some(context) = context {
            flow.emit(&Heard { bytes: line.text(), sha256: Text::from(context.as_slice()) });
            return Ok(());
        }
        server.set_port(line.first().map_or(0, |byte| u16::from(*byte)));
        let expectation =
            Expectation { parser: "seed", transport: Transport::Tcp, server, context: &line };
        flow.expect(&expectation);
        Ok(())
    }
}

#[test]
fn flows_are_expected() {
    let script =
        "client [::1]:1 server [::2]:2\n> \"A\\xff\\n\"\n! expect seed tcp [::2]:65 \"a\\xff\"\n";
    FlowScript::parse(script).unwrap().check(&seed::PARSER);
    let script = "client 10.0.0.1:1 server 10.0.0.2:65 context=\"A\\x20b\"\n> \"x\\n\"\n\
                  = heard {\"bytes\":\"x\",\"sha256\":\"A b\"}\n";
    FlowScript::parse(script).unwrap().check(&seed::PARSER);
}

mod both {
    use super::*;

    /// Tells of each datagram.
    #[parser(name = "both", records = [Heard])]
    async fn both(mut flow: Flow) -> Result<()> {
        let mut datagrams = flow.datagrams();
        loop {
            let (bytes, from) = match datagrams.next().await {
                Ok(Some(datagram)) => (datagram.bytes.to_vec(), datagram.side.to_string()),
                Ok(None) => return Ok(()),
                Err(error) => (Vec::new(), error.to_string()),
            };
            flow.emit(&Heard {
                bytes: Text::from(bytes.as_slice()),
                sha256: Text::from(from.as_str()),
            });
        }
    }
}

#[test]
fn datagrams_come_in_order_of_arrival() {
    let script = r#"
        client 10.0.0.1:1 server 10.0.0.2:2 udp
        < "a"
        > "b"
        > ""
        > gap 3 snaplen
        < "c"
        < end idle
        > "d"
        = heard {"bytes":"a","sha256":"server"}
        = heard {"bytes":"b","sha256":"client"}
        = heard {"bytes":"","sha256":"client"}
        = heard {"bytes":"","sha256":"client lacks 3 bytes at offset 1"}
        = heard {"bytes":"c","sha256":"server"}
        = heard {"bytes":"d","sha256":"client"}
    "#;
    FlowScript::parse(script).unwrap().check(&both::PARSER);
}
