"""The sessions of tests/traces/mail.pcap, and the truth about them; started by mail.sh.

    mail_sessions.py EXPECTED.json CERT.pem

What is written to EXPECTED.json is what the endpoints did: the addresses, replies and messages as
the clients sent and saw them, and the attachments as they were before encoding. Nothing in it comes
from looking at the capture.
"""

import json
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from mail_messages import Mail, chunked, dots, latin, pipelined, rich, secret, signed_in, utf8
from mail_submission import PASSWORD, USER

HELO = "client.example.net"
SERVER = {25: "mx.example.org", 587: "submission.example.org"}


class Session:
    """One connection: its ends, and what was done on it."""

    count = 0

    def __init__(self, shows, server="127.0.0.1", port=25, helo=HELO):
        Session.count += 1
        # A fixed port for each, so that the truth and the capture can be matched.
        self.truth = {
            "shows": shows,
            "client": server,
            "client_port": 40000 + Session.count,
            "server": server,
            "server_port": port,
            "helo": helo,
            "tls": False,
            "auth": [],
            "mails": [],
        }
        self.local = (server, self.truth["client_port"])
        self.remote = (server, port)

    def connect(self, timeout=10):
        return socket.create_connection(self.remote, timeout, source_address=self.local)

    def record(self, mail, refused, outcome, code, **how):
        """Notes one mail transaction; `refused` maps addresses to reply codes."""
        self.truth["mails"].append(
            {
                "mail_from": mail.sender,
                "rcpts_accepted": [rcpt for rcpt in mail.rcpts if rcpt not in refused],
                "rcpts_refused": [
                    {"address": rcpt, "code": code} for rcpt, code in refused.items()
                ],
                "outcome": outcome,
                "code": code,
                "transfer": how.get("transfer", "data"),
                "body": how.get("body"),
                "smtputf8": how.get("smtputf8", False),
                "encrypted": self.truth["tls"],
                "message": None if outcome in ("reset", "refused") else mail.truth(),
            }
        )


class Client(smtplib.SMTP):
    """smtplib's client, bound to a session's port."""

    def __init__(self, session):
        self.session = session
        name = SERVER[session.truth["server_port"]]
        super().__init__(name, session.remote[1], local_hostname=session.truth["helo"])

    def _get_socket(self, host, port, timeout):
        return self.session.connect()

    def close(self):
        """Lets the server close first, or a last word of TLS meets a closed port and a reset."""
        if self.sock:
            while self.sock.recv(4096):
                pass
        super().close()

    def deliver(self, mail, *options):
        """Sends one message, command by command, and records it."""
        self.ehlo_or_helo_if_needed()
        expect(self.mail(mail.sender, list(options)), 250)
        refused = {}
        for rcpt in mail.rcpts:
            code, _ = self.rcpt(rcpt)
            if code != 250:
                refused[rcpt] = code
        code, _ = expect(self.data(mail.bytes), 250)
        body = next((o.split("=")[1] for o in options if o.startswith("BODY=")), None)
        utf8 = "SMTPUTF8" in options
        self.session.record(mail, refused, "accepted", code, body=body, smtputf8=utf8)


class Raw:
    """A client that decides itself what goes into one segment."""

    def __init__(self, session):
        self.socket = session.connect()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def reply(self, *wanted):
        """Reads one reply and returns its code."""
        while True:
            line = self.replies.readline()
            code = int(line[:3])
            if line[3:4] != b"-":
                return expect((code, line), *wanted)[0]

    def command(self, line, *wanted):
        self.send(line.encode() + b"\r\n")
        return self.reply(*wanted)

    def close(self):
        """Waits for the server to close, then closes."""
        assert self.replies.read() == b""
        self.replies.close()
        self.socket.close()


def expect(reply, *wanted):
    """Returns a (code, text) reply, which must have one of the wanted codes."""
    if wanted and reply[0] not in wanted:
        sys.exit(f"wanted the reply {wanted}, got {reply}")
    return reply


def plain_swaks():
    session = Session("one plain message by swaks, with lines that start with dots")
    mail = dots()
    with tempfile.NamedTemporaryFile() as file:
        # swaks ends the last line itself, and doubles the dots.
        file.write(mail.bytes.replace(b"\r\n", b"\n").removesuffix(b"\n"))
        file.flush()
        subprocess.run(
            ["swaks", "--server", session.remote[0], "--port", "25", "--helo", HELO]
            + ["--local-interface", session.local[0], "--local-port", str(session.local[1])]
            + ["--from", mail.sender, "--to", ",".join(mail.rcpts)]
            + ["--data", f"@{file.name}", "--silent", "2"],
            check=True,
        )
    session.record(mail, {}, "accepted", 250)
    return session


def rich_smtplib():
    session = Session("text and HTML, four attachments, three recipients, folded headers")
    with Client(session) as client:
        client.deliver(rich(), "BODY=7BIT")
    return session


def two_on_one():
    session = Session("two messages on one connection and a reset between them; IPv6", "::1")
    first, second = latin()
    with Client(session) as client:
        client.deliver(first)
        dropped = Mail(first.sender, ["alice@example.org"])
        expect(client.mail(dropped.sender), 250)
        expect(client.rcpt(dropped.rcpts[0]), 250)
        code, _ = expect(client.rset(), 250)
        session.record(dropped, {}, "reset", code)
        client.deliver(second)
    return session


def pipelining():
    session = Session("commands pipelined in one segment, a refused recipient, two messages")
    first, second = pipelined()
    client = Raw(session)
    client.reply(220)
    client.command(f"EHLO {HELO}", 250)

    def envelope(mail):
        lines = [f"MAIL FROM:<{mail.sender}> SIZE={len(mail.bytes)}"]
        lines += [f"RCPT TO:<{rcpt}>" for rcpt in mail.rcpts] + ["DATA"]
        return "".join(line + "\r\n" for line in lines).encode()

    def replies(mail):
        client.reply(250)
        codes = {rcpt: client.reply(250, 550) for rcpt in mail.rcpts}
        client.reply(354)
        return {rcpt: code for rcpt, code in codes.items() if code != 250}

    client.send(envelope(first))
    refused = replies(first)
    client.send(first.stuffed() + envelope(second))  # the next mail rides with the end of this one
    session.record(first, refused, "accepted", client.reply(250))
    refused = replies(second)
    client.send(second.stuffed() + b"QUIT\r\n")
    session.record(second, refused, "accepted", client.reply(250))
    client.reply(221)
    client.close()
    return session


def chunking():
    session = Session("BDAT: chunks that end inside lines, and an empty last one; IPv6", "::1")
    mail = chunked()
    client = Raw(session)
    client.reply(220)
    client.command(f"EHLO {HELO}", 250)
    client.command(f"MAIL FROM:<{mail.sender}> BODY=8BITMIME", 250)
    client.command(f"RCPT TO:<{mail.rcpts[0]}>", 250)
    cuts = [0, 200, 457, len(mail.bytes)]
    for start, end in zip(cuts, cuts[1:]):
        client.send(f"BDAT {end - start}\r\n".encode() + mail.bytes[start:end])
        client.reply(250)
    code = client.command("BDAT 0 LAST", 250)
    session.record(mail, {}, "accepted", code, transfer="bdat", body="8BITMIME")
    client.command("QUIT", 221)
    client.close()
    return session


def smtputf8():
    session = Session("SMTPUTF8: addresses and headers in raw UTF-8; IPv6", "::1")
    with Client(session) as client:
        client.deliver(utf8(), "SMTPUTF8", "BODY=8BITMIME")
    return session


def authenticated():
    shows = "submission: a wrong password with AUTH LOGIN, the right one with PLAIN"
    session = Session(shows, port=587)
    with Client(session) as client:
        client.ehlo()
        client.user, client.password = USER, "guess"
        try:
            client.auth("LOGIN", client.auth_login)
            sys.exit("a wrong password was accepted")
        except smtplib.SMTPAuthenticationError as error:
            code = error.smtp_code
        session.truth["auth"].append(
            {"mechanism": "LOGIN", "user": USER, "password": "guess", "code": code}
        )
        client.password = PASSWORD
        code, _ = client.auth("PLAIN", client.auth_plain)
        session.truth["auth"].append(
            {"mechanism": "PLAIN", "user": USER, "password": PASSWORD, "code": code}
        )
        client.deliver(signed_in())
    return session


def starttls(cert):
    session = Session("STARTTLS, then a message that only the endpoints can read; IPv6", "::1")
    with Client(session) as client:
        client.starttls(context=ssl.create_default_context(cafile=cert))
        session.truth["tls"] = True
        client.deliver(secret())
    return session


def refusals():
    session = Session("HELO, and a server that refuses: relaying, unknown people, odd commands")
    mail = Mail("probe@example.net", ["someone@example.com", "nobody@example.org"])
    client = Raw(session)
    client.reply(220)
    client.command(f"HELO {HELO}", 250)
    client.command("NOOP", 250)
    client.command("VRFY alice@example.org", 252)
    client.command("WIZ", 502, 500)
    client.command("RCPT TO:<alice@example.org>", 503)  # before MAIL
    client.command(f"MAIL FROM:<{mail.sender}>", 250)
    refused = {rcpt: client.command(f"RCPT TO:<{rcpt}>", 454, 550, 554) for rcpt in mail.rcpts}
    session.record(mail, refused, "refused", client.command("DATA", 554))
    client.command("QUIT", 221)
    client.close()
    return session


def main(expected, cert):
    sessions = []
    sessions.append(plain_swaks())
    sessions.append(rich_smtplib())
    # Two at a time, so that their packets are interleaved.
    at_once = [
        threading.Thread(target=lambda run=run: sessions.append(run()))
        for run in (two_on_one, pipelining)
    ]
    for thread in at_once:
        thread.start()
        time.sleep(0.01)  # the ports are given out in this order
    for thread in at_once:
        thread.join()
    for run in (chunking, smtputf8, authenticated, lambda: starttls(cert), refusals):
        sessions.append(run())
        time.sleep(0.1)
    if len(sessions) != Session.count:
        sys.exit("a session failed")
    sessions.sort(key=lambda session: session.truth["client_port"])
    truth = {"capture": "mail.pcap", "sessions": [session.truth for session in sessions]}
    with open(expected, "w", encoding="utf-8") as file:
        json.dump(truth, file, ensure_ascii=False, indent=2)
        file.write("\n")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    main(*sys.argv[1:])
