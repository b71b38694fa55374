//! A data connection (RFC 959 §3): one file or listing, from one side, up to the end of the connection.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::records::File;
use crate::transfer::Transfer;
use crate::verb::Direction;

/// Follows the data connection that the control connection's parser has told of.
pub(crate) async fn data(mut flow: Flow) -> Result<()> {
    let context = flow.info().context.clone().unwrap_or_default();
    let Some(transfer) = Transfer::decode(&context) else {
        return Err(Error::decline("the flow was expected by another parser"));
    };
    flow.confirm();
    let (mut client, mut server) = flow.streams();
    let (sender, ftp_server) = match sides(&flow, &transfer) {
        (Some(sender), ftp_server) => (sender, ftp_server),
        (None, ftp_server) => (who_speaks(&mut client, &mut server).await, ftp_server),
    };
    let direction = transfer.direction().unwrap_or(match sender == ftp_server {
        true => Direction::Download,
        false => Direction::Upload,
    });
    let (stream, other) = match sender {
        Side::Client => (&mut client, &mut server),
        Side::Server => (&mut server, &mut client),
    };
    other.done();
    let sent = Sent::read(stream).await;
    let text = |bytes: &[u8]| (!bytes.is_empty()).then(|| Text::from(bytes).into_owned());
    let letter = |byte: u8| (byte != 0).then(|| Text::from(vec![byte]));
    flow.emit(&File {
        command: text(&transfer.command),
        path: text(&transfer.path),
        direction: match direction {
            Direction::Download => "download",
            Direction::Upload => "upload",
            Direction::Listing => "listing",
        },
        passive: transfer.passive,
        transfer_type: letter(transfer.kind),
        transfer_mode: letter(transfer.mode),
        offset: (transfer.offset > 0).then_some(transfer.offset),
        size: sent.size,
        missing_bytes: sent.missing,
        sha256: sent.sha256,
        complete: sent.complete,
        truncated: transfer.truncated,
    });
    Ok(())
}

/// Who sends, if the command that was sent tells, and which side is the FTP server. Where the connection's
/// start was not seen, the port where one listens says which side is which.
fn sides(flow: &Flow, transfer: &Transfer<'_>) -> (Option<Side>, Side) {
    let info = flow.info();
    let (listens, connects) =
        if info.server.port() != transfer.port && info.client.port() == transfer.port {
            (Side::Client, Side::Server)
        } else {
            (Side::Server, Side::Client)
        };
    let (ftp_server, ftp_client) =
        if transfer.passive { (listens, connects) } else { (connects, listens) };
    let sender = transfer.direction().map(|direction| match direction {
        Direction::Upload => ftp_client,
        Direction::Download | Direction::Listing => ftp_server,
    });
    (sender, ftp_server)
}

/// The side that sends first.
async fn who_speaks(client: &mut ByteStream, server: &mut ByteStream) -> Side {
    let mut from_client = pin!(client.look_ahead(1));
    let mut from_server = pin!(server.look_ahead(1));
    let mut ended = false;
    poll_fn(|cx| {
        let spoke = |read: &Result<&[u8], ReadError>| !matches!(read, Err(ReadError::End(_)));
        if !ended && let Poll::Ready(read) = from_client.as_mut().poll(cx) {
            if spoke(&read) {
                return Poll::Ready(Side::Client);
            }
            ended = true;
        }
        match from_server.as_mut().poll(cx) {
            Poll::Ready(read) if spoke(&read) || ended => Poll::Ready(Side::Server),
            // Its end was seen: only the client can speak.
            Poll::Ready(_) => Poll::Ready(Side::Client),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// What a side has sent.
struct Sent {
    size: u64,
    missing: u64,
    sha256: Option<String>,
    complete: bool,
}

impl Sent {
    async fn read(stream: &mut ByteStream) -> Self {
        let mut digest = Sha256::new();
        let (mut size, mut missing) = (0u64, 0u64);
        let in_order = loop {
            match stream.rest().await {
                Ok(Some(bytes)) => {
                    size = size.saturating_add(bytes.len() as u64);
                    digest.update(bytes);
                }
                Err(ReadError::Gap(gap)) => missing = missing.saturating_add(gap.length),
                // `rest` does not say why the side has ended; the next read does.
                Ok(None) | Err(_) => match stream.look_ahead(1).await {
                    Err(ReadError::End(end)) => break end.reason == EndReason::Fin,
                    _ => break false,
                },
            }
        };
        let whole = missing == 0;
        let sha256 = digest.finish_hex();
        Self { size, missing, sha256: whole.then_some(sha256), complete: in_order && whole }
    }
}
