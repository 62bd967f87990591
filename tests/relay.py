"""Relays to mail to, on loopback: one that answers by mailbox name, and one that says what a script says."""
import asyncio
import contextlib
import random
import socket
import socketserver
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from devdigest.config import Mail
from devdigest.replies import Outcome, Stage

HOST = "127.0.0.1"

# What real relays say, where they say it, and what it means. Every row of the reply table is here.
REPLIES = [
    # busy, idle, throttled
    (Stage.CONNECT, "421 4.3.2 service shutting down", Outcome.THROTTLED),
    (Stage.MAIL, "421 4.4.2 idle for too long", Outcome.THROTTLED),
    (Stage.RCPT, "421 4.7.0 try again later", Outcome.THROTTLED),
    (Stage.DATA, "421", Outcome.THROTTLED),
    (Stage.CONNECT, "451 busy", Outcome.THROTTLED),
    (Stage.MAIL, "452 4.3.1 insufficient system storage", Outcome.THROTTLED),
    (Stage.RCPT, "452 4.5.3 too many recipients", Outcome.THROTTLED),
    (Stage.RCPT, "451 4.4.5 congestion", Outcome.THROTTLED),
    (Stage.RCPT, "450 4.7.0 slower, please", Outcome.THROTTLED),
    (Stage.DATA, "454 Throttling failure: Maximum sending rate exceeded.", Outcome.THROTTLED),
    (Stage.DATA, "451 local error in processing", Outcome.THROTTLED),
    (Stage.RCPT, "450 4.2.1 Peak SMTP relay limit exceeded for customer.", Outcome.THROTTLED),
    (Stage.RCPT, "550 5.0.0 frequency limited", Outcome.THROTTLED),
    # the day's quota
    (Stage.DATA, "454 Throttling failure: Daily message quota exceeded.", Outcome.QUOTA),
    (Stage.DATA, "550 5.4.5 Daily user sending limit exceeded.", Outcome.QUOTA),
    (Stage.RCPT, "550 5.7.1 Daily SMTP relay limit exceeded for customer.", Outcome.QUOTA),
    (Stage.MAIL, "550 5.4.5 see you tomorrow", Outcome.QUOTA),
    # this reader, later
    (Stage.RCPT, "450 mailbox busy", Outcome.DEFERRED),
    (Stage.RCPT, "451 4.7.1 greylisted, come back in 5 minutes", Outcome.DEFERRED),
    (Stage.RCPT, "452 4.2.2 mailbox full", Outcome.DEFERRED),
    (Stage.RCPT, "450 4.1.1 address not yet verified by probe", Outcome.DEFERRED),
    (Stage.RCPT, "450 4.2.1 the user is receiving mail too quickly", Outcome.DEFERRED),
    (Stage.DATA, "452 4.2.2 over quota", Outcome.DEFERRED),
    (Stage.RCPT, "552 5.2.2 mailbox full", Outcome.DEFERRED),
    (Stage.DATA, "552 5.2.2 mailbox full", Outcome.DEFERRED),
    (Stage.RCPT, "552 exceeded storage allocation", Outcome.DEFERRED),
    # this reader, not again
    (Stage.RCPT, "550 5.1.1 no such user", Outcome.REFUSED),
    (Stage.RCPT, "550 5.1.10 recipient not found", Outcome.REFUSED),
    (Stage.RCPT, "551 5.1.6 moved, no forwarding", Outcome.REFUSED),
    (Stage.RCPT, "553 5.2.1 mailbox disabled", Outcome.REFUSED),
    (Stage.RCPT, "550 no such user", Outcome.REFUSED),
    (Stage.RCPT, "550 <throttled@example.org> unknown", Outcome.REFUSED),
    (Stage.RCPT, "550 5.5.0 mailbox unavailable", Outcome.REFUSED),
    (Stage.RCPT, "550 unknown, says the host at 5.7.1.26", Outcome.REFUSED),
    (Stage.DATA, "550 5.1.1 no such user", Outcome.REFUSED),
    (Stage.RCPT, "501 5.1.3 bad address syntax", Outcome.REFUSED),
    (Stage.RCPT, "501 5.5.4 syntax: RCPT TO:<address>", Outcome.REFUSED),
    (Stage.RCPT, "504 5.5.2 need fully-qualified address", Outcome.REFUSED),
    (Stage.RCPT, "553 5.5.2 bad address", Outcome.REFUSED),
    (Stage.RCPT, "553 5.6.7 needs SMTPUTF8", Outcome.REFUSED),
    # login, sender, account
    (Stage.CONNECT, "554 5.7.1 no service for you", Outcome.ACCOUNT),
    (Stage.CONNECT, "554 go away", Outcome.ACCOUNT),
    (Stage.LOGIN, "535 5.7.8 bad credentials", Outcome.ACCOUNT),
    (Stage.LOGIN, "534 5.7.9 application-specific password required", Outcome.ACCOUNT),
    (Stage.LOGIN, "538 encryption required", Outcome.ACCOUNT),
    (Stage.LOGIN, "504 no such mechanism", Outcome.ACCOUNT),
    (Stage.LOGIN, "334 and what else?", Outcome.ACCOUNT),
    (Stage.LOGIN, "454 4.7.0 temporary authentication failure", Outcome.THROTTLED),
    (Stage.MAIL, "530 5.7.0 authentication required", Outcome.ACCOUNT),
    (Stage.MAIL, "502 5.7.0 please authenticate first", Outcome.ACCOUNT),
    (Stage.MAIL, "525 5.7.1 unauthorized IP", Outcome.ACCOUNT),
    (Stage.MAIL, "550 sender not allowed", Outcome.ACCOUNT),
    (Stage.RCPT, "553 5.7.1 <digest@example.org>: Sender address rejected: not yours", Outcome.ACCOUNT),
    (Stage.RCPT, "554 5.7.1 Relay access denied", Outcome.ACCOUNT),
    (Stage.RCPT, "550 5.1.8 sender's domain does not exist", Outcome.ACCOUNT),
    (Stage.DATA, "554 Message rejected: Email address is not verified.", Outcome.ACCOUNT),
    (Stage.TLS, "454 4.7.0 TLS not available", Outcome.THROTTLED),
    (Stage.TLS, "554 5.7.0 no", Outcome.ACCOUNT),
    # what we say
    (Stage.DATA, "550 5.7.1 looks like spam", Outcome.CONTENT),
    (Stage.DATA, "550 5.7.26 unauthenticated", Outcome.CONTENT),
    (Stage.DATA, "550 5.7.515 sender does not meet the authentication level", Outcome.CONTENT),
    (Stage.DATA, "554 5.6.0 malformed", Outcome.CONTENT),
    (Stage.DATA, "554 transaction failed", Outcome.CONTENT),
    (Stage.DATA, "552 too long", Outcome.CONTENT),
    (Stage.RCPT, "552 5.3.4 message too big", Outcome.CONTENT),
    (Stage.RCPT, "550 5.7.1 blocked by policy", Outcome.CONTENT),
    # our fault
    (Stage.CONNECT, "502 5.5.1 command not implemented", Outcome.PROTOCOL),
    (Stage.MAIL, "503 5.5.1 nested MAIL command", Outcome.PROTOCOL),
    (Stage.MAIL, "501 5.5.4 unsupported option", Outcome.PROTOCOL),
    (Stage.MAIL, "555 5.5.4 unsupported option", Outcome.PROTOCOL),
    (Stage.MAIL, "354 go on", Outcome.PROTOCOL),
    (Stage.RCPT, "503 need MAIL first", Outcome.PROTOCOL),
    (Stage.RCPT, "500 5.5.2 what?", Outcome.PROTOCOL),
    (Stage.DATA, "554 5.5.1 no valid recipients", Outcome.PROTOCOL),
    (Stage.DATA, "500 line too long", Outcome.PROTOCOL),
]

# FakeRelay's answers to RCPT and to the final dot, by the mailbox's name.
TO_RCPT = {"full": "452 4.2.2 mailbox full", "later": "451 4.7.1 greylisted",
           "gone": "550 5.1.1 no such user"}
TO_DATA = {"spam": "554 5.7.1 looks like spam"}


def free_port() -> int:
    """Below those that connections are given, so that none takes it meanwhile."""
    for port in random.sample(range(20_000, 32_000), 100):
        with contextlib.suppress(OSError), socket.create_server((HOST, port)):
            return port
    raise AssertionError("no free port")


def certificate(folder: Path, name: str = f"IP:{HOST}") -> Path:
    """A new key and its self-signed certificate for `name` in one file, which as `ca_file` is trusted."""
    key, pem = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey", "ec",
                    "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=a relay for tests",
                    "-addext", f"subjectAltName={name}",
                    "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
                    "-keyout", key, "-out", pem], check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + key.read_bytes())
    return pem


def settings(relay: "FakeRelay | ScriptedRelay", **changes: str | float) -> Mail:
    """[mail] for `relay`: without encryption unless `changes` say so, and with little patience."""
    usual = {"transport": "smtp", "host": relay.host, "port": relay.port, "security": "none", "timeout": 5,
             "sender": "digest@example.org"}
    return Mail(**usual | changes)


class FakeRelay:
    """A real SMTP server that takes what it is given; change `to_rcpt` and `to_data` while it runs.

    `certificate`: TLS from the first byte, or after STARTTLS; `user`: mails only after a login; `delay`:
    seconds between the final dot and the reply.
    """
    host = HOST

    def __init__(self, *, certificate: Path | None = None, starttls: bool = False, user: str = "",
                 password: str = "", delay: float = 0) -> None:
        self.port = free_port()
        self.messages: list[tuple[str, str, bytes]] = []
        self.to_rcpt, self.to_data = dict(TO_RCPT), dict(TO_DATA)
        self._user, self._password, self._delay = user, password, delay
        context = _server_context(certificate) if certificate else None
        self._controller = Controller(
            self, hostname=HOST, port=self.port, server_hostname="relay.example.org",
            ssl_context=None if starttls else context, tls_context=context if starttls else None,
            require_starttls=starttls, auth_require_tls=starttls or not user,
            authenticator=self._authenticate)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope,    # noqa: N802
                          address: str, options: list[str]) -> str:
        if self._user and not session.authenticated:
            return "530 5.7.0 authentication required"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope,    # noqa: N802
                          address: str, options: list[str]) -> str:
        if (refusal := self.to_rcpt.get(address.partition("@")[0])) is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:     # noqa: N802
        await asyncio.sleep(self._delay)
        [recipient] = envelope.rcpt_tos
        if (refusal := self.to_data.get(recipient.partition("@")[0])) is not None:
            return refusal
        self.messages.append((envelope.mail_from, recipient, envelope.original_content))
        return f"250 2.0.0 queued as {len(self.messages)}"

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str,
                      given: LoginPassword) -> AuthResult:
        wanted = LoginPassword(self._user.encode(), self._password.encode())
        return AuthResult(success=given == wanted, handled=False)


# Instead of a reply: the line is cut; nothing more is said.
DROP, STALL = "drop", "stall"
PIPELINED = "250-relay.example.org\n250-PIPELINING\n250 8BITMIME"
CHUNKED = "250-relay.example.org\n250-PIPELINING\n250-CHUNKING\n250 8BITMIME"
_USUAL = {"greeting": "220 relay.example.org", "EHLO": "250-relay.example.org\n250 8BITMIME",
          "STARTTLS": "220 go ahead", "AUTH": "235 2.7.0 welcome", "MAIL": "250 OK", "RCPT": "250 OK",
          "DATA": "354 go ahead", ".": "250 queued", "BDAT": "250 queued", "RSET": "250 OK",
          "QUIT": "221 bye"}


class ScriptedRelay(socketserver.ThreadingTCPServer):
    """Says what `script` says, whatever it is told: by command a reply, or several, the last for ever.

    Beside commands the script knows "greeting", "message" (DROP or STALL while it comes) and "." (after it).
    `turns` counts how often it had said all it had to say and waited for more; `delay`: seconds, each time.
    """
    host = HOST
    daemon_threads = True

    def __init__(self, script: dict[str, str | list[str]], certificate: Path | None = None,
                 delay: float = 0) -> None:
        super().__init__((HOST, 0), None)
        self.port = self.server_address[1]
        self.commands: list[str] = []
        self.messages: list[bytes] = []         # as they came, dots doubled where by DATA
        self.connections = self.turns = 0
        self.delay = delay
        self._script = {command: [replies] if isinstance(replies, str) else list(replies)
                        for command, replies in (_USUAL | script).items()}
        self._context = _server_context(certificate) if certificate else None
        self._over = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.shutdown()
        self.server_close()

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        self.connections += 1
        # else its second reply to a group waits until the first is acknowledged
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):      # the other end may leave whenever it likes
            self._talk(_Ear(request))

    def _talk(self, ear: "_Ear") -> None:
        said = self._say(ear, "greeting")
        while said and (command := self._next_command(ear)):
            self.commands.append(command)
            verb = "AUTH" if said.startswith("334") else command.split()[0].upper()
            if verb == "BDAT":
                self.messages.append(ear.read(int(command.split()[1])))
            said = self._say(ear, verb)
            if verb == "STARTTLS" and self._context:
                ear = _Ear(self._context.wrap_socket(ear.line, server_side=True))
            elif verb == "DATA" and said.startswith("354"):
                said = self._take_message(ear)
        ear.line.close()

    def _next_command(self, ear: "_Ear") -> str:
        self._await(ear)
        return ear.until(b"\r\n").decode().strip()

    def _await(self, ear: "_Ear") -> None:
        if not ear.heard:
            self.turns += 1
            ear.listen()
            self._over.wait(self.delay)

    def _say(self, ear: "_Ear", command: str) -> str:
        replies = self._script[command]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if reply == STALL:
            self._over.wait()
        if reply in (STALL, DROP):
            return ""
        ear.line.sendall(reply.replace("\n", "\r\n").encode() + b"\r\n")
        return "" if reply.startswith(("421", "221")) else reply

    def _take_message(self, ear: "_Ear") -> str:
        self._await(ear)
        if "message" in self._script:
            return self._say(ear, "message")
        if ear.heard.startswith(b".\r\n"):
            ear.read(3)
            self.messages.append(b"")
        else:
            self.messages.append(ear.until(b"\r\n.\r\n").removesuffix(b".\r\n"))
        return self._say(ear, ".")


class _Ear:
    """What was heard on a line and not yet asked for."""

    def __init__(self, line: socket.socket) -> None:
        self.line, self.heard = line, bytearray()

    def listen(self) -> None:
        heard = self.line.recv(1 << 16)
        if not heard:
            raise ConnectionAbortedError
        self.heard += heard

    def read(self, size: int) -> bytes:
        while len(self.heard) < size:
            self.listen()
        taken = bytes(self.heard[:size])
        del self.heard[:size]
        return taken

    def until(self, end: bytes) -> bytes:
        searched = 0
        while (found := self.heard.find(end, searched)) < 0:
            searched = max(0, len(self.heard) - len(end))
            self.listen()
        return self.read(found + len(end))


def _server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
