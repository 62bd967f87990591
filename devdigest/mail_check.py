"""Whether mail leaves: what the relay offers, and one real mail to try it."""
import contextlib
import os
import time
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path

from devdigest import suppressions
from devdigest.config import Config, Mail
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.maildir import Maildir
from devdigest.replies import Outcome, RelayError
from devdigest.smtp import Relay

_TELLING = ("PIPELINING", "CHUNKING", "8BITMIME")       # what makes mails quicker, or smaller
_TEXT = """\
This mail was sent by `devdigest check --mail` at {url}.

It left here; where it arrived is for you to see. In its source (Gmail: "Show original") SPF, DKIM and DMARC
should each say PASS, and it should lie in the inbox.
"""


def relay(mail: Mail, password: str) -> Finding:
    if mail.transport == "maildir":
        return _folder(Path(mail.maildir))
    try:
        with Relay(mail, password) as line:
            return Finding("relay", OK, f"{mail.host}:{mail.port} {', '.join(_offers(line, mail))}")
    except RelayError as error:
        return Finding("relay", RED, str(error), "mend [mail]; the outbox waits meanwhile")


def _offers(line: Relay, mail: Mail) -> list[str]:
    told = [line.tls or "in the clear", *(name for name in _TELLING if name in line.extensions)]
    if line.size:
        told.append(f"SIZE {line.size // 1_000_000} MB")
    return [*told, f"logged in as {mail.user}" if mail.user else "no login"]


def _folder(folder: Path) -> Finding:
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Finding("relay", OK, f"the folder {folder}")
    return Finding("relay", RED, f"{folder} cannot be written", "check [mail] maildir")


def trial(config: Config, password: str, to: str, now: datetime) -> Finding:
    """Sends one mail to this address at once; what was said of it."""
    mail = config.mail
    if suppression := suppressions.of(to):
        return Finding("mail", WARN, f"none was sent to {to}: suppressed, {suppression.reason}",
                       "name another address: `devdigest check --mail ADDRESS`")
    begun = time.monotonic()
    try:
        line = Relay(mail, password) if mail.transport == "smtp" else Maildir(mail.maildir)
        with contextlib.closing(line):
            reply = line.send(mail.sender, to, _message(config, to, now))
    except RelayError as error:
        return Finding("mail", RED, f"to {to}: {error}", "mend [mail]")
    said = f"to {to}: {reply}, after {time.monotonic() - begun:.1f} s"
    if reply.outcome is not Outcome.ACCEPTED:
        return Finding("mail", RED, said, "what the relay says is the reason; then try again")
    return Finding("mail", OK, said)


def _message(config: Config, to: str, now: datetime) -> bytes:
    site, mail = config.site, config.mail
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(site.name, addr_spec=mail.sender)
    message["To"] = Address(addr_spec=to)
    message["Subject"] = "A test mail from devdigest check"
    message["Date"] = format_datetime(now.astimezone(site.timezone))
    message["Message-ID"] = make_msgid("check", mail.domain)
    message["Auto-Submitted"] = "auto-generated"        # RFC 3834
    message.set_content(_TEXT.format(url=site.url))
    return message.as_bytes()
