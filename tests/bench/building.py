"""What one mail costs to make: filled by us, and built as an EmailMessage."""
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import outbox
from bench.senders import READER, Said

from devdigest import compose, config, tokens
from devdigest.edition import edition
from devdigest.letters import Letters
from devdigest.models import Issue, IssuePost
from devdigest.readers import Delivery, Subscriber


class Made(NamedTuple):
    filled: float       # seconds of CPU for one, its tokens given
    signed: float       # the same with all that deliver does for one: its tokens signed
    built: float        # as an EmailMessage in its default encoding, from ready texts
    octets: int         # on the wire, of ours where 8BITMIME is offered
    default: int        # of the EmailMessage


def a_mail(path: Path, settings: config.Config) -> bytes:
    """The first mail of the outbox as `deliver` makes it, but to READER."""
    with outbox.opened(path):
        mail = Letters(settings).mail(Delivery.get_by_id(1), Subscriber.get_by_id(1), outbox.NOW)()
    return bytes(mail).replace(b"reader1@example.org", READER.encode())


def made(path: Path, settings: config.Config) -> Made:
    said, token = Said(mail := a_mail(path, settings)), tokens.sign(tokens.new_key(), "link", 1)
    with outbox.opened(path):
        row, subscriber, letters = Delivery.get_by_id(1), Subscriber.get_by_id(1), Letters(settings)
        issue = Issue.get()
        letter = compose.issue(edition(issue, IssuePost.of(issue)), settings, "ko", outbox.NOW)
        letters.mail(row, subscriber, outbox.NOW)       # composed once
        return Made(seconds(lambda: letter.ready(to=READER, delivery=token, token=token,
                                                 since=outbox.NOW.date()), 1_000),
                    seconds(lambda: letters.mail(row, subscriber, outbox.NOW)(), 1_000),
                    seconds(lambda: said.built(READER), 10), len(mail), len(said.built(READER)))


def seconds(work: Callable[[], object], times: int) -> float:
    """CPU of this thread for one, the median of five goes."""
    goes = []
    for _ in range(5):
        began = time.thread_time()
        for _ in range(times):
            work()
        goes.append((time.thread_time() - began) / times)
    return statistics.median(goes)
