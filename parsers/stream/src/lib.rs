//! What each side of any flow says: length, digest, first bytes, and what is missing.
//!
//! For flows whose protocol nobody parses, or that are to be compared with others. No port and no
//! pattern leads here: the operator says which flows.

use flowcell_sdk::futures::join;
use flowcell_sdk::prelude::*;

/// Bytes of the start that are shown.
const MAX_FIRST: usize = 64;

/// Gaps that are listed; all of them are counted.
const MAX_GAPS: usize = 64;

/// What one side of a flow said, emitted when it ends: two records a flow, as `flowcell streams` makes
/// them. Bytes of datagrams are joined.
#[derive(Record)]
#[record(name = "side")]
struct Said<'a> {
    /// `orig` for what the endpoint sent that sent the first packet, `resp` for the other's.
    side: &'static str,
    /// Bytes that were delivered.
    bytes: u64,
    /// Bytes that are missing from the capture or were not delivered.
    missed: u64,
    /// SHA-256 of the bytes that were delivered.
    sha256: String,
    /// The first of them, at most 64, and none from behind a gap.
    first: Bytes<'a>,
    /// How many datagrams they came in; absent over TCP.
    datagrams: Option<u64>,
    /// How often bytes are missing.
    gap_count: u64,
    /// Where they are missing: the first 64 times.
    gaps: Vec<Missing>,
    /// When the first bytes came; absent if none did.
    first_ts: Option<Timestamp>,
    /// When the last bytes came; absent if none did.
    last_ts: Option<Timestamp>,
    /// Why it ended: `fin`, `reset`, `idle`, `evicted` or `shutdown`.
    end_reason: &'static str,
}

/// A range of bytes that is missing.
#[derive(Record)]
struct Missing {
    /// Offset of the first of them; the first byte of the side is 0.
    offset: u64,
    /// How many.
    length: u64,
    /// Why: `lost`, `memory`, `depth` or `snaplen`.
    reason: &'static str,
}

/// Ordered bytes of any flow. It takes every flow that it is given.
#[parser(name = "stream", records = [Said])]
async fn stream(mut flow: Flow) -> Result<()> {
    flow.confirm();
    let (client, server) = flow.streams();
    join!(follow(&flow, client), follow(&flow, server));
    Ok(())
}

/// Reads one side to its end and tells of it.
async fn follow(flow: &Flow, mut stream: ByteStream) {
    let over_tcp = flow.info().transport == Transport::Tcp;
    let mut digest = Sha256::new();
    let mut first = Vec::new();
    let mut gaps = Vec::new();
    let (mut bytes, mut missed) = (0u64, 0u64);
    let (mut datagrams, mut gap_count) = (0u64, 0u64);
    let (mut first_ts, mut last_ts) = (None, None);
    let end = loop {
        match next(&mut stream, over_tcp).await {
            Ok(piece) => {
                let now = Some(flow.now());
                first_ts = first_ts.or(now);
                last_ts = now;
                datagrams = datagrams.saturating_add(1);
                bytes = bytes.saturating_add(piece.len() as u64);
                if missed == 0 {
                    first.extend(piece.iter().take(MAX_FIRST.saturating_sub(first.len())));
                }
                digest.update(piece);
            }
            Err(ReadError::Gap(gap)) => {
                missed = missed.saturating_add(gap.length);
                gap_count = gap_count.saturating_add(1);
                if gaps.len() < MAX_GAPS {
                    let reason = reason_of_gap(gap.reason);
                    gaps.push(Missing { offset: gap.offset, length: gap.length, reason });
                }
            }
            Err(ReadError::End(end)) => break end,
            Err(ReadError::TooLong { .. }) => return, // of reads that name a length
        }
    };
    flow.emit(&Said {
        side: if end.side == flow.info().originator { "orig" } else { "resp" },
        bytes,
        missed,
        sha256: digest.finish_hex(),
        first: first.into(),
        datagrams: (!over_tcp).then_some(datagrams),
        gap_count,
        gaps,
        first_ts,
        last_ts,
        end_reason: reason_of_end(end.reason),
    });
}

/// The bytes that come next: whatever is there, or one datagram.
async fn next(stream: &mut ByteStream, over_tcp: bool) -> Result<&[u8], ReadError> {
    if !over_tcp {
        return stream.datagram().await;
    }
    stream.peek(1).await?;
    Ok(stream.rest().await?.unwrap_or_default())
}

const fn reason_of_gap(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Lost => "lost",
        GapReason::Memory => "memory",
        GapReason::Depth => "depth",
        GapReason::Snaplen => "snaplen",
    }
}

const fn reason_of_end(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Fin => "fin",
        EndReason::Reset => "reset",
        EndReason::Idle => "idle",
        EndReason::Evicted => "evicted",
        EndReason::Shutdown => "shutdown",
    }
}
