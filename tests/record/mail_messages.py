"""The messages that are sent, built so that what they hold is known beforehand."""

import hashlib
import struct
import zlib
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate


class Mail:
    """An envelope and its message: `bytes` as after DATA, lines ended by CRLF, dots not doubled."""

    def __init__(self, sender, rcpts, data=b"", subject=None, attachments=()):
        self.sender = sender
        self.rcpts = rcpts
        self.bytes = data
        self.subject = subject
        self.attachments = attachments

    def stuffed(self):
        """The message as DATA carries it, with its end (RFC 5321, 4.5.2)."""
        lines = self.bytes.removesuffix(b"\r\n").split(b"\r\n")
        doubled = (b"." + line if line.startswith(b".") else line for line in lines)
        return b"".join(line + b"\r\n" for line in doubled) + b".\r\n"

    def truth(self):
        return {
            "subject": self.subject,
            "size": len(self.bytes),
            "sha256": hashlib.sha256(self.bytes).hexdigest(),
            "attachments": [
                {
                    "filename": name,
                    "content_type": content_type,
                    "size": len(data),
                    "sha256": hashlib.sha256(data).hexdigest(),
                }
                for name, content_type, data in self.attachments
            ],
        }


def lines(*text, encoding="ascii"):
    return "".join(line + "\r\n" for line in text).encode(encoding)


def headers(sender, to, subject, number, *more):
    return (
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {formatdate()}",
        f"Message-ID: <{number}.demo@example.net>",
        *more,
    )


def dots():
    subject = "Lunch on Friday?"
    text = headers("Erin <erin@example.net>", "alice@example.org", subject, 1)
    body = (
        "Hi Alice,",
        "",
        "the menu has changed:",
        ".",
        ".. that was a line with one dot, this one starts with two",
        ".hidden files are listed too",
        "",
        "Erin",
    )
    data = lines(*text, "", *body)
    return Mail("erin@example.net", ["alice@example.org"], data, subject)


def rich():
    subject = "Überblick: Zahlen für das dritte Quartal – 売上の概要 und was wir daraus lernen"
    photo, report = png(48, 32), pdf()
    table = "Monat;Umsatz €;Änderung\r\n" + "".join(
        f"2026-{month:02};{month * 1375},50;+{month} %\r\n" for month in range(7, 10)
    )
    notes = "".join(f"{n}. a line of notes, long enough to need = signs\t\r\n" for n in range(1, 6))

    message = EmailMessage(policy=SMTP)
    message["From"] = "Zoë Ångström <zoe@example.net>"
    message["To"] = "Alice <alice@example.org>, Bob <bob@example.org>"
    message["Cc"] = "Carol <carol@example.org>"
    message["Subject"] = subject
    message["Date"] = formatdate()
    message["Message-ID"] = "<2.demo@example.net>"
    thread = (f"<{n}.thread.of.several.messages@example.net>" for n in range(4))
    message["References"] = " ".join(thread)
    message.set_content("Die Zahlen sind da, siehe Anhang.\n")
    message.add_alternative("<p>Die Zahlen sind <b>da</b>, siehe Anhang.</p>\n", subtype="html")
    message.add_attachment(report, "application", "pdf", filename="report.pdf")
    message.add_attachment(photo, "image", "png", filename="chart.png")
    message.add_attachment(
        table.replace("\r\n", "\n"),
        subtype="csv",
        filename="Übersicht 2026.csv",
        cte="quoted-printable",
    )
    message.add_attachment(
        notes.replace("\r\n", "\n"),
        subtype="plain",
        filename="notes.txt",
        cte="quoted-printable",
    )
    mixed, alternative = message, message.get_payload(0)
    mixed.set_boundary("=_demo_mixed")
    alternative.set_boundary("=_demo_alternative")
    attachments = (
        ("report.pdf", "application/pdf", report),
        ("chart.png", "image/png", photo),
        ("Übersicht 2026.csv", "text/csv", table.encode()),
        ("notes.txt", "text/plain", notes.encode()),
    )
    rcpts = ["alice@example.org", "bob@example.org", "carol@example.org"]
    return Mail("zoe@example.net", rcpts, message.as_bytes(), subject, attachments)


def latin():
    subject = "Grüße aus Köln: der Café-Gutschein für Señor Pérez liegt jetzt an der Theke"
    encoded = Header(subject, "iso-8859-1", maxlinelen=76, header_name="Subject")
    text = headers(
        "=?iso-8859-1?Q?J=FCrgen?= <juergen@example.com>",
        "Bob\r\n\t<bob@example.org>",
        encoded.encode(linesep="\r\n"),
        3,
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=iso-8859-1",
        "Content-Transfer-Encoding: quoted-printable",
    )
    body = ("Gr=FC=DFe!", "", "Diese Zeile ist weich=", " umbrochen.")
    first = Mail("juergen@example.com", ["bob@example.org"], lines(*text, "", *body), subject)

    subject = "Fwd: a message in a message"
    text = headers("Dave <dave@example.org>", "bob@example.org", "The inner one", 30)
    inner = lines(*text, "", "Inner text.")
    boundary = "demo-forward"
    text = headers(
        "bob@example.com",
        "dave@example.org",
        subject,
        4,
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed;\r\n boundary="{boundary}"',
    )
    body = (
        "This preamble is for readers without MIME.",
        f"--{boundary}",
        "",
        "See below.",
        f"--{boundary}",
        "Content-Type: message/rfc822",
        'Content-Disposition: attachment; filename="inner.eml"',
        "",
    )
    data = lines(*text, "", *body) + inner + lines("", f"--{boundary}--", "An epilogue.")
    attachments = (("inner.eml", "message/rfc822", inner),)
    return first, Mail("bob@example.com", ["dave@example.org"], data, subject, attachments)


def pipelined():
    subject = "Pipelining saves round trips"
    text = headers("news@example.com", "undisclosed-recipients:;", subject, 5)
    rcpts = ["alice@example.org", "nobody@example.org", "dave@example.org"]
    first = Mail("news@example.com", rcpts, lines(*text, "", "One.", ".two"), subject)

    subject = "A bounce has no sender"
    text = headers("Mail Delivery <postmaster@example.com>", "carol@example.org", subject, 6)
    return first, Mail("", ["carol@example.org"], lines(*text, "", "Not delivered."), subject)


def chunked():
    subject = "In chunks"
    text = headers(
        "Erin <erin@example.net>",
        "carol@example.org",
        subject,
        7,
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    )
    body = (
        "A chunk needs no doubled dots, so the next line is just a dot:",
        ".",
        "QUIT",
        "is text here, not a command, and so is 数字 in eight bits.",
        *(f"Line {n} of several that make this long enough for three chunks." for n in range(1, 8)),
    )
    data = lines(*text, "", *body, encoding="utf-8")
    return Mail("erin@example.net", ["carol@example.org"], data, subject)


def utf8():
    subject = "Žluťoučký kůň – 日本語の件名"
    text = headers(
        "René <rené@example.net>",
        "Jörg <jörg@example.org>",
        subject,
        8,
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    )
    data = lines(*text, "", "Headers and text are UTF-8: ✓", encoding="utf-8")
    return Mail("rené@example.net", ["jörg@example.org"], data, subject)


def signed_in():
    subject = "Sent after signing in"
    text = headers("Bob <bob@example.org>", "frank@example.com", subject, 9)
    data = lines(*text, "", "The password before this is not a real one.")
    return Mail("bob@example.org", ["frank@example.com"], data, subject)


def secret():
    subject = "Nobody on the wire can read this"
    text = headers("Erin <erin@example.net>", "alice@example.org", subject, 10)
    return Mail("erin@example.net", ["alice@example.org"], lines(*text, "", "Secret."), subject)


def png(width, height):
    """A small picture of a colour gradient."""

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    def colour(x, y):
        return x * 5 % 256, y * 7 % 256, (x ^ y) * 4 % 256

    rows = b"".join(
        b"\0" + bytes(value for x in range(width) for value in colour(x, y)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def pdf():
    """A one-page PDF with 30 KB of incompressible stream, the same each time."""
    noise = b"".join(hashlib.sha256(f"report {n}".encode()).digest() for n in range(960))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(noise), noise),
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 5\n0000000000 65535 f \n" + table + trailer
