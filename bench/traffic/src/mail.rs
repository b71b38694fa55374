//! SMTP dialogues (RFC 5321) with MIME mails (RFC 2045).

use crate::message::{Kind, Message, put, write_person};
use crate::pool::Material;
use crate::rng::Rng;
use crate::tuple::Side;

/// One message of a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Banner,
    Hello,
    HelloReply,
    Sender,
    SenderReply,
    Recipient(u8),
    RecipientReply,
    Data,
    DataReply,
    /// `MAIL`, so many `RCPT` and `DATA` at once (RFC 2920).
    Envelope(u8),
    EnvelopeReplies(u8),
    /// A mail of text.
    Text,
    /// A mail with an attachment.
    Attachment,
    ContentReply,
    Quit,
    QuitReply,
}

/// Where a dialogue has got to.
#[derive(Clone, Debug)]
pub(crate) struct Dialogue {
    seed: u64,
    last: Option<Line>,
    mails: u8,
    recipients: u8,
    pipelined: bool,
}

const SMALLEST_MAIL: u32 = 500;
const LARGEST_MAIL: u32 = 200_000;

impl Dialogue {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let mails = if rng.one_in(4) { rng.between(2, 4) } else { 1 };
        Self {
            seed: rng.next(),
            last: None,
            mails: crate::bits::low8(mails.into()),
            recipients: 0,
            pipelined: rng.one_in(3),
        }
    }

    pub(crate) fn next(&mut self, rng: &mut Rng) -> Option<Message> {
        let line = self.line(rng)?;
        self.last = Some(line);
        let side = line.side();
        // Commands that belong together share the seed of their mail, so that they name the same people.
        let seed = self.seed ^ u64::from(self.mails);
        let message = match line {
            Line::Text | Line::Attachment => {
                let material = match line {
                    Line::Text => Material::Text,
                    _ => Material::Base64,
                };
                let size = rng.size(SMALLEST_MAIL, LARGEST_MAIL);
                Message::with_body(side, Kind::Mail(line), rng.next(), material, size, false)
            }
            _ => Message::line(side, Kind::Mail(line), seed),
        };
        Some(message)
    }

    fn line(&mut self, rng: &mut Rng) -> Option<Line> {
        Some(match self.last {
            None => Line::Banner,
            Some(Line::Banner) => Line::Hello,
            Some(Line::Hello) => Line::HelloReply,
            Some(Line::HelloReply | Line::ContentReply) => {
                let Some(left) = self.mails.checked_sub(1) else { return Some(Line::Quit) };
                self.mails = left;
                self.recipients = if rng.one_in(4) { 2 + rng.u8() % 3 } else { 1 };
                if self.pipelined { Line::Envelope(self.recipients) } else { Line::Sender }
            }
            Some(Line::Sender) => Line::SenderReply,
            Some(Line::SenderReply | Line::RecipientReply) => {
                match self.recipients.checked_sub(1) {
                    Some(left) => {
                        self.recipients = left;
                        Line::Recipient(left)
                    }
                    None => Line::Data,
                }
            }
            Some(Line::Recipient(_)) => Line::RecipientReply,
            Some(Line::Data) => Line::DataReply,
            Some(Line::Envelope(recipients)) => Line::EnvelopeReplies(recipients),
            Some(Line::DataReply | Line::EnvelopeReplies(_)) => {
                if rng.one_in(2) {
                    Line::Text
                } else {
                    Line::Attachment
                }
            }
            Some(Line::Text | Line::Attachment) => Line::ContentReply,
            Some(Line::Quit) => Line::QuitReply,
            Some(Line::QuitReply) => return None,
        })
    }
}

impl Line {
    const fn side(self) -> Side {
        match self {
            Self::Hello
            | Self::Sender
            | Self::Recipient(_)
            | Self::Data
            | Self::Envelope(_)
            | Self::Text
            | Self::Attachment
            | Self::Quit => Side::Client,
            _ => Side::Server,
        }
    }

    pub(crate) const fn tail(self) -> &'static [u8] {
        match self {
            Self::Text => b".\r\n",
            Self::Attachment => b"\r\n--=_part--\r\n.\r\n",
            _ => b"",
        }
    }

    /// Appends the line, or what comes before the body of a mail.
    pub(crate) fn write(self, seed: u64, to: &mut Vec<u8>) {
        let mut rng = Rng::new(seed);
        match self {
            Self::Banner => put!(to, "220 mx{}.example.com ESMTP ready\r\n", seed % 16),
            Self::Hello => put!(to, "EHLO client-{}.example.net\r\n", seed % 4096),
            Self::HelloReply => put!(
                to,
                "250-mx{}.example.com greets you\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n",
                seed % 16
            ),
            Self::Sender => write_command("MAIL FROM", &mut rng, to),
            Self::Recipient(number) => {
                write_command("RCPT TO", &mut Rng::of(seed, number.into()), to);
            }
            Self::Data => to.extend(b"DATA\r\n"),
            Self::DataReply => to.extend(b"354 End data with <CR><LF>.<CR><LF>\r\n"),
            Self::Envelope(recipients) => {
                Self::Sender.write(seed, to);
                for number in 0..recipients {
                    Self::Recipient(number).write(seed, to);
                }
                Self::Data.write(seed, to);
            }
            Self::EnvelopeReplies(recipients) => {
                Self::SenderReply.write(seed, to);
                for _ in 0..recipients {
                    Self::RecipientReply.write(seed, to);
                }
                Self::DataReply.write(seed, to);
            }
            Self::SenderReply => to.extend(b"250 2.1.0 Sender ok\r\n"),
            Self::RecipientReply => to.extend(b"250 2.1.5 Recipient ok\r\n"),
            Self::ContentReply => put!(to, "250 2.0.0 Queued as {:08X}\r\n", rng.u32()),
            Self::Quit => to.extend(b"QUIT\r\n"),
            Self::QuitReply => to.extend(b"221 2.0.0 Bye\r\n"),
            Self::Text => {
                write_headers(&mut rng, to);
                to.extend(b"Content-Type: text/plain; charset=utf-8\r\n\r\n");
            }
            Self::Attachment => {
                write_headers(&mut rng, to);
                put!(
                    to,
                    "Content-Type: multipart/mixed; boundary=\"=_part\"\r\n\r\n\
                     --=_part\r\nContent-Type: text/plain\r\n\r\nThe file that you asked for.\r\n\r\n\
                     --=_part\r\nContent-Type: application/octet-stream\r\n\
                     Content-Transfer-Encoding: base64\r\n\
                     Content-Disposition: attachment; filename=\"report-{}.bin\"\r\n\r\n",
                    rng.below(1000)
                );
            }
        }
    }
}

fn write_command(command: &str, rng: &mut Rng, to: &mut Vec<u8>) {
    put!(to, "{command}:<");
    write_person(rng, to);
    to.extend(b">\r\n");
}

fn write_headers(rng: &mut Rng, to: &mut Vec<u8>) {
    to.extend(b"From: <");
    write_person(rng, to);
    to.extend(b">\r\nTo: <");
    write_person(rng, to);
    put!(
        to,
        ">\r\nSubject: Report {} of the day\r\nDate: Mon, 05 Jan 2026 10:{:02}:{:02} +0000\r\n\
         Message-ID: <{:016x}@example.net>\r\nMIME-Version: 1.0\r\n",
        rng.below(100_000),
        rng.below(60),
        rng.below(60),
        rng.next()
    );
}
