"""The submission server on port 587: aiosmtpd with one made-up account; started by mail.sh."""

import signal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

USER = "bob@example.org"
PASSWORD = "not-a-real-password"


def authenticate(_server, _session, _envelope, _mechanism, data):
    wanted = LoginPassword(USER.encode(), PASSWORD.encode())
    # Not handled: aiosmtpd then sends the 535 itself.
    return AuthResult(success=data == wanted, handled=False)


class Discard:
    """Accepts every message of somebody who has signed in."""

    async def handle_DATA(self, _server, _session, envelope):
        return f"250 2.0.0 queued, {len(envelope.content)} bytes"


def main():
    controller = Controller(
        Discard(),
        hostname="127.0.0.1",
        port=587,
        server_hostname="submission.example.org",
        ident="ESMTP",
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,  # so that the demo can show how a password is masked
        enable_SMTPUTF8=True,
    )
    controller.start()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
