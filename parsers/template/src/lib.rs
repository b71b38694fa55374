//! The smallest complete parser: copy this folder to write your own.
//!
//! The protocol is "echo" (RFC 862) as people use it by hand: the client sends a line, the server
//! sends it back.

use flowcell_sdk::prelude::*;

/// A line and what came back.
#[derive(Record)]
struct Exchange<'a> {
    /// The line that the client sent, without its line end.
    request: Text<'a>,
    /// The line that the server sent.
    answer: Text<'a>,
    /// They are the same.
    equal: bool,
}

/// The echo protocol, line by line.
#[parser(name = "echo", tcp = [7], records = [Exchange])]
async fn echo(mut flow: Flow) -> Result<()> {
    let (mut client, mut server) = flow.streams();
    while let Some(request) = client.get_line().await.or_end()? {
        let answer = server.get_line().await?;
        flow.confirm();
        flow.emit(&Exchange {
            request: request.text(),
            answer: answer.text(),
            equal: request.bytes() == answer.bytes(),
        });
    }
    Ok(())
}
