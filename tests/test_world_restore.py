"""Weeks of an appliance whose card dies: days go by, readers come and leave, a backup is restored."""
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from threading import Event

import pytest
from conftest import a_blog
from desk import SEOUL, entry

from devdigest import backups, database, departures, intake, presence, subscribers, suppressions
from devdigest.backup import backup
from devdigest.config import Config
from devdigest.deliver import deliver
from devdigest.feed import Feed
from devdigest.feedback import Feedback, Kind
from devdigest.fetching import Fetching
from devdigest.memory import HOLD, HOLD_REASON, Setting
from devdigest.models import Blog, Issue, IssuePost
from devdigest.publish import publish
from devdigest.readers import OPEN_STATES, Delivery, Subscriber
from devdigest.restore import restore
from devdigest.table import db

START, DAYS, BLOGS = date(2026, 10, 20), 13, 3
DAY = timedelta(days=1)


class World:
    """Wholly decided by its seed, but for the secret of the database."""

    def __init__(self, seed: int, config: Config) -> None:
        self.random, self.config = Random(seed), config
        self.articles: list[tuple[int, str, datetime]] = []     # blog, title, when
        self.read: dict[int, int] = {}
        self.gone: set[str] = set()
        self.mailed: dict[tuple[str, str], date] = {}           # reader, title
        self.closed: date | None = None
        self.departed = self.restores = 0

    def live(self) -> None:
        departures.keep_in(self.config.backups)
        database.open(self.config.database.path)
        for number in range(BLOGS):
            a_blog(f"blog{number}", read=_at(START - DAY, 9))
        for number in range(8):
            self._join(f"reader{number}@example.org", _at(START - DAY, 12))
        deaths = set(self.random.sample(range(4, DAYS - 3), 2))
        for number in range(DAYS):
            self._day(START + number * DAY, dies=number in deaths)

    def _day(self, day: date, dies: bool) -> None:
        hour = self.random.choice((8, 12, 15)) if dies else None
        for at, step in ((1, self._backup), (3, self._collect), (8, None), (9, self._collect),
                         (10, self._issue), (12, None), (13, self._readers), (15, None)):
            if step is not None:
                step(_at(day, at))
            if at == hour:
                self._card_dies(_at(day, at))
        self._write(day)

    def _write(self, day: date) -> None:
        """Of the day that ends; each stands in its feed from the next morning on."""
        for blog in range(BLOGS):
            for _ in range(self.random.choice((0, 1, 1, 2))):
                title = f"article {len(self.articles)}"
                self.articles.append((blog, title, _at(day, self.random.choice((16, 20, 23)))))

    def _backup(self, now: datetime) -> None:
        backup(self.config, now, Event())

    def _collect(self, now: datetime) -> None:
        for place, row in enumerate(list(Fetching.blogs().order_by(Blog.id))):
            shown = [entry(title, at, title) for blog, title, at in self.articles if blog == place][-12:]
            with db.atomic():
                intake.receive(row, Feed("", "", shown), self.config, now)
                row.fetching.read = now
                row.save()
                row.fetching.save()

    def _issue(self, now: datetime) -> None:
        Setting.clear(HOLD)             # the owner's `resume`
        Setting.clear(HOLD_REASON)
        publish(self.config, now)
        if self.random.random() < 0.2:
            return                      # the relay is down: the mails go with the next ones
        deliver(self.config, now, "", Event())
        sent = (Delivery.select(Delivery, Subscriber, Issue).join(Subscriber).switch(Delivery).join(Issue)
                .where(Delivery.state == "sent", Delivery.changed >= now))
        for mail in sent:
            self._arrived(mail)

    def _arrived(self, mail: Delivery) -> None:
        email = mail.subscriber.email
        assert email not in self.gone, f"{email} has left and was mailed the issue of {mail.issue.day}"
        for post in IssuePost.of(mail.issue):
            before = self.mailed.setdefault((email, post.title), mail.issue.day)
            assert before == mail.issue.day, f"{email} has {post.title} of {before} and {mail.issue.day}"

    def _readers(self, now: datetime) -> None:
        for reader in list(Subscriber.select().where(Subscriber.state == "active")):
            if self.random.random() < 0.12:
                self._leave(reader, now)
        if self.gone and self.random.random() < 0.2:
            self._join(self.random.choice(sorted(self.gone)), now)
        self._join(f"new{now:%d}@example.org", now)

    def _leave(self, reader: Subscriber, now: datetime) -> None:
        self.gone.add(reader.email)
        self.departed += 1
        how = self.random.choice(("cancels", "is erased", "complains"))
        if how == "cancels":
            subscribers.cancel(reader, now, SEOUL)
        elif how == "is erased":
            subscribers.forget(reader, now, SEOUL)
        else:
            suppressions.bounced(Feedback(kind=Kind.COMPLAINT, reason="complaint"), reader, None, now, SEOUL)

    def _join(self, email: str, now: datetime) -> None:
        if suppressions.silenced(email):
            return
        reader = Subscriber.of(email) or Subscriber.create(email=email, created=now)
        subscribers.request(reader, now, SEOUL, source="form")
        with db.atomic():
            token = subscribers.new_confirmation(reader, now)
        if subscribers.confirm(token, now, SEOUL):
            self.gone.discard(email)

    def _card_dies(self, now: datetime) -> None:
        """What is left is the second place: backups, and the log."""
        db.close()
        presence.leave()
        for path in Path(self.config.database.path).parent.glob("devdigest.db*"):
            with suppress(FileNotFoundError):
                path.unlink()
        file = self.random.choice(backups.found(self.config.backups)[:4])
        done = restore(self.config, file, now)
        database.open(self.config.database.path)
        self.closed = max(done.closed.days, default=self.closed)
        self.restores += 1


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour, 30 if hour == 1 else 0), SEOUL).astimezone(UTC)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_whatever_dies_nobody_gets_a_post_twice_nor_a_mail_after_leaving(config: Config, seed: int) -> None:
    config = replace(config, backup=replace(config.backup, keep=10))
    world = World(seed, config)
    try:
        world.live()
        last = START + (DAYS - 1) * DAY
        titles = {title for _, title in world.mailed}
        for _, title, at in world.articles:
            written = at.astimezone(SEOUL).date()
            # promise 1: what was written since the last day that was closed is in an issue
            if (world.closed or START) <= written < last - DAY:
                assert title in titles or _waits(title), (title, at, world.closed)
        assert db.execute_sql("PRAGMA integrity_check").fetchone() == ("ok",)
        left = Delivery.select().where(Delivery.state.in_(OPEN_STATES),
                                       Delivery.created < _at(last - 3 * DAY, 0))
        assert not [mail for mail in left if mail.issue is not None]
    finally:
        db.close()
        departures.keep_in(None)
    assert (world.restores, len(titles) > 10, world.departed > 5) == (2, True, True)


def _waits(title: str) -> bool:
    """In an issue whose mails the relay was down for."""
    return IssuePost.select().where(IssuePost.title == title).exists()
