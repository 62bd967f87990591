"""One mail to the owner, at once and past the outbox: readers' mails neither wait for it nor pay for it."""
import contextlib
import logging

from devdigest.config import Config
from devdigest.letter import Letter, seven_bit
from devdigest.maildir import Maildir
from devdigest.replies import Outcome, RelayError, nameless
from devdigest.smtp import Relay

log = logging.getLogger(__name__)

_TOKEN = "preview"          # where a reader's links carry their token: it is nobody's


def send(config: Config, password: str, letter: Letter, number: int = 1) -> None:
    """`number`: of how many of its kind that day; it ends the Message-ID, so that a mail repeated after a
    power cut is recognised. Raises RelayError, also where the relay does not take it for now.

    A mailbox that is refused for good is only told to the journal: to try on would cost our name there.
    """
    mail, to = config.mail, config.site.owner
    message = letter.fill(to=to, delivery=str(number), token=_TOKEN, since=None)
    line = Relay(mail, password) if mail.transport == "smtp" else Maildir(mail.maildir)
    with contextlib.closing(line):
        reply = line.send(mail.sender, to, message if line.eight_bit else seven_bit(message))
    if reply.outcome is Outcome.REFUSED:
        log.error("the mail to [site] owner is refused for good: %s", nameless(str(reply)))
    elif reply.outcome is not Outcome.ACCEPTED:
        raise RelayError(f"the mail to [site] owner is not taken: {reply}", reply)
