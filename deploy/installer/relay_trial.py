"""Tries a relay as far as its login: name, TCP, TLS with a verified name, AUTH. Sends nothing."""
import smtplib
import socket
import ssl
from datetime import UTC, datetime

from installer import settings
from installer.answers import Answers
from installer.tell import OK, WARN, Refused

_PATIENCE = 15          # seconds


class NotLoggedIn(Refused):
    """The relay knows us not by this name and password."""


def greet(host: str, port: int, trusted: ssl.SSLContext | None = None, security: str = "") -> smtplib.SMTP:
    """A connection over which a password may go, by default secured as its port tells. Raises Refused."""
    trusted, security = trusted or ssl.create_default_context(), security or settings.security(host, port)
    try:
        if security == "tls":
            relay: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_PATIENCE, context=trusted)
        else:
            relay = smtplib.SMTP(host, port, timeout=_PATIENCE)
            if security == "starttls":
                relay.starttls(context=trusted)
        relay.ehlo_or_helo_if_needed()
    except socket.gaierror as error:
        raise Refused(f"{host}: no such name, or no network", "look at its spelling") from error
    except ssl.SSLCertVerificationError as error:
        raise Refused(f"{host}: its certificate is not good: {error.verify_message}",
                      "write its full name, as its provider does") from error
    except (OSError, smtplib.SMTPException) as error:
        other = 587 if port == 465 else 465
        raise Refused(f"{host}:{port}: {_words(error)}",
                      f"try {host}:{other}; many homes let no port 25 out") from error
    return relay


def log_in(answers: Answers, password: str) -> str:
    """What was proved. Raises Refused with the relay's reply as it came."""
    host, port = settings.relay_address(answers)
    relay = greet(host, port)
    try:
        told = certificate(relay)
        if not answers.relay_user:
            return f"{told}; no login"
        relay.login(answers.relay_user, password)
        return f"{told}; logged in as {answers.relay_user}"
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        kind = NotLoggedIn if isinstance(error, smtplib.SMTPAuthenticationError) else Refused
        raise kind(f"{host}: {_words(error)}",
                      "Gmail, Naver and others want an app password, not the account's") from error
    finally:
        relay.close()


def verdict(answers: Answers, password: str) -> tuple[str, str, str, str]:
    """What to tell of a trial where nobody can be asked. Raises NotLoggedIn; any other fault may pass."""
    if answers.relay == settings.MAILDIR:
        return OK, "relay", "none: mails are written into a folder", ""
    try:
        return OK, "relay", log_in(answers, password), ""
    except NotLoggedIn:
        raise
    except Refused as refusal:
        return WARN, "relay", str(refusal), refusal.cure


def certificate(relay: smtplib.SMTP) -> str:
    if not isinstance(relay.sock, ssl.SSLSocket):
        return "without TLS, on this machine"
    until = ssl.cert_time_to_seconds(str((relay.sock.getpeercert() or {})["notAfter"]))
    return f"TLS, certificate good until {_day(until)}"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    if isinstance(error, TimeoutError):
        return f"no answer in {_PATIENCE} s"
    return getattr(error, "strerror", None) or str(error)
