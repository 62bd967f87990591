"""Links that lead through us to a post, counted without knowing who opened them.

A reader is a hash of network, and one of network and program, under a salt that is thrown away with the day.
Counting never keeps anybody from the post.
"""
import hmac
import logging
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import peewee
from peewee import EXCLUDED, Case, Expression, fn

from devdigest import database
from devdigest.counts import Click, Opened
from devdigest.days import local_day
from devdigest.memory import Setting
from devdigest.models import Post
from devdigest.table import db
from devdigest.urls import http_url

log = logging.getLogger(__name__)

DECOY = 0               # the number of a link that no reader sees; in Opened and Click, all that machines did
SALT = "click salt"     # a setting: '2026-11-22 ' and what reader hashes of that day are made with

_HASTE, _AT_ONCE = timedelta(seconds=10), 8     # nobody reads more headlines than that in that time
# Behind one address may be a whole office, or one program under many names that brings its blog to the top.
_OF_A_NETWORK = 10      # readers of one post and day
_ROWS = 1_000           # in Opened, of one network and day
_PATIENCE = 250         # milliseconds for another process to end its transaction; a reader is waiting

# Every browser begins so, those within mail and chat programs too; curl, libraries and plain scanners do not.
# Of the machines that do, most say what they are: search engines, previews in chats, filters of mail. A Cubot
# is a telephone.
_BROWSER = re.compile(r"(?:Mozilla|Opera)/")
_MACHINE = re.compile(r"(?<!cu)bot|crawl|spider|slurp|yeti|daumoa|preview|scrap|scan|externalhit|headless"
                      r"|monitor|safelinks|barracuda|mimecast|proofpoint|python|http-?client", re.IGNORECASE)


def open(number: int, now: datetime, zone: ZoneInfo, *, network: str, agent: str,
         head: bool = False) -> str | None:
    """Where the link to a post leads, an http(s) URL; None where it leads nowhere. Counts it, if that can be.

    `network`: IPv4 address or IPv6 /64. `head`: only asked about (RFC 9110, 9.3.2), which no reader does.
    """
    post = Post.get_or_none(Post.id == number)
    url = http_url(post.url) if post else ""
    if url or number == DECOY:
        try:
            with _in_passing():
                _count(number, network, agent, now, zone, head)
        except (peewee.PeeweeException, sqlite3.Error) as error:
            log.warning("a click was not counted: %s", error)
    return url or None


def target(number: int) -> str | None:
    """Where the link to a post leads, as open() has it; counts nothing."""
    post = Post.get_or_none(Post.id == number)
    return (http_url(post.url) if post else "") or None


def is_machine(agent: str) -> bool:
    """Whether a User-Agent is not that of a browser in someone's hands, as far as it says so."""
    return not _BROWSER.match(agent) or _MACHINE.search(agent) is not None


def fold(today: date) -> None:
    """What was opened before `today` becomes Clicks; who it was is forgotten, and cannot be told again.

    May be repeated, also for a day that is over: the readers of the days since are still told apart.
    """
    with db.atomic():
        _fold(Opened.day < today)
        day, _, _ = (Setting.read(SALT) or "").partition(" ")
        if day < today.isoformat():
            Setting.clear(SALT)


def _fold(past: Expression) -> None:
    post = Case(None, ((Opened.machine, DECOY),), Opened.post)      # a crawler that reads all leaves one row
    counted = (Opened.select(post, Opened.day, Opened.hour, fn.SUM(Case(None, ((Opened.machine, 0),), 1)),
                             fn.SUM(Opened.times))
               .where(past).group_by(post, Opened.day, Opened.hour))
    (Click.insert_from(counted, [Click.post, Click.day, Click.hour, Click.readers, Click.times])
     .on_conflict(conflict_target=[Click.day, Click.post, Click.hour],
                  update={Click.readers: Click.readers + EXCLUDED.readers,
                          Click.times: Click.times + EXCLUDED.times}).execute())
    Opened.delete().where(past).execute()


@contextmanager
def _in_passing() -> Iterator[None]:
    """While nothing is waited for, disk or other processes, that a reader should not wait for."""
    patience = db.pragma("busy_timeout")
    with database.refetchable():
        db.pragma("busy_timeout", _PATIENCE)
        try:
            yield
        finally:
            db.pragma("busy_timeout", patience)


def _count(number: int, network: str, agent: str, now: datetime, zone: ZoneInfo, head: bool) -> None:
    today = local_day(now, zone)
    with db.atomic():
        salt = _todays_salt(today)
        home = _hash(salt, network)
        reader = home + _hash(salt, f"{network}\n{agent}")
        if is_machine(agent) or _is_crowd(home, reader, number):
            reader, number = home, DECOY
        elif number == DECOY or _is_caught(reader, number, now):
            Opened.update(machine=True).where(Opened.reader == reader, ~Opened.machine).execute()
            number = DECOY
        (Opened.insert(reader=reader, post=number, day=today, at=now, hour=now.astimezone(zone).hour,
                       machine=head or number == DECOY)
         .on_conflict(conflict_target=[Opened.reader, Opened.post],
                      update={Opened.times: Opened.times + 1,
                              Opened.machine: Opened.machine & EXCLUDED.machine}).execute())


def _hash(salt: bytes, who: str) -> str:
    return hmac.new(salt, who.encode(errors="surrogatepass"), "sha256").hexdigest()[:16]


def _is_crowd(home: str, reader: str, number: int) -> bool:
    """Whether a network has so many other readers that one more is none."""
    others = Opened.select().where(Opened.reader.between(home, home + "g"), Opened.reader != reader)
    return (others.where(Opened.post == number, ~Opened.machine).count() >= _OF_A_NETWORK
            or others.count() >= _ROWS)


def _is_caught(reader: str, number: int, now: datetime) -> bool:
    """Whether it was found to be a machine today, or is now: by how many posts it opens at once."""
    seen = Opened.select().where(Opened.reader == reader)
    if seen.where(Opened.post == DECOY).exists():
        return True
    others = seen.where(Opened.post != number, Opened.at > now - _HASTE, Opened.at <= now)
    return others.count() >= _AT_ONCE


def _todays_salt(today: date) -> bytes:
    salt = _salt(today)
    if salt is None:
        _fold(Opened.day != today)      # where the night's care did not come to it, or the clock went back
        salt = secrets.token_hex(32)
        Setting.write(SALT, f"{today} {salt}")
    return bytes.fromhex(salt)


def _salt(today: date) -> str | None:
    day, _, salt = (Setting.read(SALT) or "").partition(" ")
    return salt if day == today.isoformat() else None
