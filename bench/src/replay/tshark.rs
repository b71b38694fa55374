//! What tshark has to do.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Result;

use crate::process::Program;

/// Where a row says whether there is a mail in its frame.
const SUBJECT: &str = "imf.subject";

/// The fields of tshark that hold what flowcell's records of mails, commands and flows hold.
const FIELDS: [&str; 34] = [
    SUBJECT,
    "frame.number",
    "frame.time_epoch",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.stream",
    "smtp.req.command",
    "smtp.req.parameter",
    "smtp.response.code",
    "smtp.rsp.parameter",
    "smtp.auth.username",
    "smtp.data.reassembled.length",
    "imf.date",
    "imf.from",
    "imf.to",
    "imf.cc",
    "imf.reply_to",
    "imf.message_id",
    "imf.in_reply_to",
    "imf.received",
    "imf.user_agent",
    "imf.ext.mailer",
    "imf.content.type",
    "imf.content.transfer_encoding",
    "mime_multipart.header.content-type",
    "mime_multipart.header.content-disposition",
    "mime_multipart.header.content-transfer-encoding",
    "mime_multipart.header.content-description",
    "mime_multipart.type",
    "mime_multipart.boundary",
];

/// The fastest way known to have tshark give them: one pass, no names of hosts, one row for each frame
/// with a command, a reply or a mail, tables of the TCP and UDP flows at the end, and none of the
/// protocols taken apart that flowcell has no parser for.
///
/// It does less: it tells neither the size nor the SHA-256 of an attachment.
pub(super) fn fields(capture: &Path) -> Program {
    Program::new("tshark -T fields", "tshark")
        .args(["-n".as_ref(), "-r".as_ref(), capture.as_os_str()])
        .args(["--disable-protocol", "http", "--disable-protocol", "dns"])
        .args(["-Y", "smtp", "-T", "fields"])
        .args(FIELDS.into_iter().flat_map(|field| ["-e", field]))
        .args(["-z", "conv,tcp", "-z", "conv,udp"])
}

/// Rows with a mail, in what it wrote.
pub(super) fn mails(rows: &Path) -> Result<u64> {
    let mut mails = 0;
    // Tables follow: their rows have no tabs.
    for row in BufReader::new(File::open(rows)?).split(b'\n') {
        let row = row?;
        mails += u64::from(!row.starts_with(b"\t") && row.contains(&b'\t'));
    }
    Ok(mails)
}
