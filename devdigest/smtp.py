"""SMTP: one message to the relay at a time over a kept connection → what the relay said, as a Reply.

That the relay could not be asked is a RelayError; whether it may have a message is never a guess.
"""
import contextlib
import smtplib
import socket
import ssl
from base64 import b64encode
from typing import Self

from devdigest.config import LOOPBACK, Mail
from devdigest.replies import Dropped, InDoubt, Outcome, RelayError, Reply, Stage, check_envelope

_FAREWELL = 2       # seconds that QUIT may take
_ACCOUNT_CURE = "; check [mail] user, from and the password: Gmail and Naver want an app password"
_PORTS = "port 465 goes with [mail] security = 'tls', port 587 with 'starttls'"


class Relay:
    """A connection to the relay, for one thread. After 421, Dropped or InDoubt it is dead: Dropped again."""

    def __init__(self, mail: Mail, password: str) -> None:
        """Connects, by TLS unless on this machine; logs in where `mail.user` is set. Raises RelayError."""
        self._where = f"{mail.host}:{mail.port}"
        if mail.security == "none" and mail.host not in LOOPBACK:
            raise RelayError(f"{self._where}: without encryption only a relay on this machine is spoken to")
        self._smtp = smtplib.SMTP(local_hostname=mail.domain)   # not to ask name servers for our own name
        try:
            self._connect(mail)
            if mail.user:
                self._login(mail.user, password)
        except RelayError:
            self._smtp.close()
            raise
        except (OSError, UnicodeError) as error:        # UnicodeError: what no name server can be asked for
            self._smtp.close()
            raise RelayError(f"{self._where}: {_cause(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def eight_bit(self) -> bool:
        """Whether the relay takes bytes above 127 in a message (RFC 6152)."""
        return self._smtp.has_extn("8bitmime")

    def send(self, sender: str, recipient: str, message: bytes) -> Reply:
        """The relay's last word on this message; ACCEPTED only for the final dot. Line ends become CRLF.

        Raises Dropped, InDoubt; ValueError, before anything is sent, for an address that is not ASCII on one
        line, or an 8-bit message to a relay that takes none.
        """
        check_envelope(sender, recipient)
        if not message.isascii() and not self.eight_bit:
            raise ValueError("an 8-bit message, and the relay offers no 8BITMIME")
        if self._smtp.sock is None:
            raise Dropped(f"{self._where}: the connection was closed before")
        options = "" if message.isascii() else " BODY=8BITMIME"
        dotted = False
        try:
            reply = self._announce(f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>")
            if reply is None:
                self._smtp.send(_on_the_wire(message))
                self._smtp.putcmd(".")
                dotted = True
                reply = self._answer(Stage.DATA)
                if reply.code < 400 and reply.outcome is not Outcome.ACCEPTED:
                    raise smtplib.SMTPServerDisconnected(f"out of step: {reply}")
        except OSError as error:
            self._smtp.close()
            kind, when = (InDoubt, "after") if dotted else (Dropped, "before")
            raise kind(f"{self._where}: the line broke {when} the final dot: {_cause(error)}") from error
        if reply.outcome is not Outcome.ACCEPTED:
            self._reset()
        return reply

    def close(self) -> None:
        """Says QUIT and waits little for the answer; may be called again."""
        if self._smtp.sock:
            self._smtp.sock.settimeout(_FAREWELL)
            with contextlib.suppress(OSError):
                self._smtp.docmd("QUIT")
        self._smtp.close()

    def _connect(self, mail: Mail) -> None:
        self._smtp.sock = socket.create_connection((mail.host, mail.port), mail.timeout)
        # The final dot is a write of its own, so that we know of it; it must not wait for the body's ACK.
        self._smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if mail.security == "tls":
            self._encrypt(mail)
        self._expect(self._answer(Stage.CONNECT), "turns us away")
        self._greet()
        if mail.security == "starttls":
            if not self._smtp.has_extn("starttls"):
                raise RelayError(f"{self._where}: offers no STARTTLS, nothing goes in the clear; {_PORTS}")
            self._expect(self._ask(Stage.TLS, "STARTTLS"), "refuses STARTTLS")
            self._encrypt(mail)
            self._greet()       # what was offered in the clear counts no more (RFC 3207, 4.2)

    def _encrypt(self, mail: Mail) -> None:
        assert self._smtp.sock is not None
        self._smtp.sock = _context(mail.ca_file).wrap_socket(self._smtp.sock, server_hostname=mail.host)
        self._smtp.file = None      # with it goes what was slipped in before the handshake

    def _greet(self) -> None:
        self._expect(_reply(Stage.CONNECT, *self._smtp.ehlo()), "refuses EHLO")

    def _login(self, user: str, password: str) -> None:
        """No EHLO may follow: Brevo forgets the login then."""
        offered = self._smtp.esmtp_features.get("auth", "").upper().split()
        exchanges = {"PLAIN": ("AUTH PLAIN " + _base64(f"\0{user}\0{password}"),),
                     "LOGIN": ("AUTH LOGIN", _base64(user), _base64(password))}
        known = [mechanism for mechanism in exchanges if mechanism in offered]
        if not known:
            raise RelayError(f"{self._where}: offers login by {' '.join(offered) or 'nothing'}, "
                             f"not PLAIN or LOGIN", outcome=Outcome.ACCOUNT)
        for mechanism in known:
            for line in exchanges[mechanism]:
                reply = self._ask(Stage.LOGIN, line)
                if reply.code != 334:
                    break
            if reply.code != 504:       # this mechanism after all not (RFC 4954, 4)
                break
        self._expect(reply, f"refuses the login of {user}")

    def _announce(self, mail: str, rcpt: str) -> Reply | None:
        """Why not; None where the relay now waits for the message."""
        for stage, command in ((Stage.MAIL, mail), (Stage.RCPT, rcpt)):
            reply = self._ask(stage, command)
            if reply.outcome is not Outcome.ACCEPTED:
                return reply
        reply = self._ask(Stage.DATA, "DATA")
        if reply.outcome is Outcome.ACCEPTED:       # of what it has not seen
            raise smtplib.SMTPServerDisconnected(f"out of step: {reply}")
        return None if reply.code == 354 else reply

    def _reset(self) -> None:
        """Ends a refused transaction, so that the next begins clean; a line that breaks here shows there."""
        with contextlib.suppress(OSError):
            if self._smtp.sock and self._ask(Stage.MAIL, "RSET").outcome is Outcome.ACCEPTED:
                return
        self._smtp.close()

    def _ask(self, stage: Stage, command: str) -> Reply:
        self._smtp.putcmd(command)
        return self._answer(stage)

    def _answer(self, stage: Stage) -> Reply:
        reply = _reply(stage, *self._smtp.getreply())
        if reply.code == 421:       # the relay closes now (RFC 5321, 3.8)
            self._smtp.close()
        return reply

    def _expect(self, reply: Reply, otherwise: str) -> None:
        if reply.outcome is not Outcome.ACCEPTED:
            cure = _ACCOUNT_CURE if reply.outcome is Outcome.ACCOUNT else ""
            raise RelayError(f"{self._where}: {otherwise}: {reply}{cure}", reply)


def _reply(stage: Stage, code: int, text: bytes) -> Reply:
    reply = Reply(stage, code, text.decode("utf-8", "replace"))
    if not 200 <= code < 600:
        raise smtplib.SMTPServerDisconnected(f"no SMTP reply: {reply}")
    return reply


def _on_the_wire(message: bytes) -> bytes:
    """Every line ends in CRLF, leading dots are doubled (RFC 5321, 4.5.2); the final dot is yet to come."""
    lines = b"\n" + message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n") + b"\n"
    return lines.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")[2:]


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise RelayError(f"[mail] ca_file {ca_file}: {error.strerror or error}") from error
    return context


def _cause(error: Exception) -> str:
    """Why, and the cure where one is known. smtplib keeps the socket's own error only as context."""
    match error.__context__ or error:
        case ssl.SSLCertVerificationError() as fault:
            return (f"its certificate is not accepted: {fault.verify_message}; [mail] host must be the name "
                    f"on it, ca_file the authority of a private relay, and the clock right")
        case ssl.SSLError() as fault:
            return f"TLS failed: {fault.reason or fault}; {_PORTS}"
        case TimeoutError():
            return f"no answer in time; {_PORTS}, and 25 is blocked on home lines"
        case socket.gaierror() as fault:
            return f"no address: {fault.strerror}; check [mail] host, and the network"
        case ConnectionRefusedError():
            return f"connection refused; {_PORTS}"
        case fault:
            return getattr(fault, "strerror", None) or str(fault)
