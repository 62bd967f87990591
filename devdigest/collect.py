"""Feeds due → fetch → outcomes: who is asked, in which order and how long, and what a run came to."""
import logging
import math
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from random import Random
from zoneinfo import ZoneInfo

from devdigest import database, moves, validators, wear
from devdigest.clock import Running
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.fetching import Fetching
from devdigest.intake import let_go
from devdigest.lanes import Answer, Ask, Round
from devdigest.locks import locked
from devdigest.memory import Operator, Run
from devdigest.models import Blog
from devdigest.outcomes import Batch, Outcome, read
from devdigest.pace import Pace
from devdigest.parsing import Parser
from devdigest.table import db

log = logging.getLogger(__name__)

_NAMED = 3          # blogs that fail, in the log; the rest is counted
_MANY = 20          # blogs that are back at once: then it was the network
_NEVER = datetime.min.replace(tzinfo=UTC)

# done, of how many, failed so far, and what to say of the rest
Report = Callable[[int, int, int, Callable[[], str]], None]


def collect(config: Config, now: datetime, stop: threading.Event, *, retry: bool = False,
            past: bool = False, until: datetime | None = None, report: Report = lambda *_: None) -> Run:
    """Reads every blog that is due, with `retry` only those whose failure may have passed and those that the
    last collect did not come to; may be repeated. What is left at `until` comes first next time.

    `past`: `now` is not the time it is but a day's own clock, so entries dated after it are left alone.
    One blog's failure is a line in the log and on its record. Raises Busy.
    """
    with (locked(config.folder, "collect"), database.refetchable(),
          Parser(config.site.timezone) as parser):
        running, wal = Running(now), wear.Log(db.database)
        let_go(now)
        expected = Fetching.expected(now)
        tour = Round(_asks(config, now, retry), config, now, _pace(config, now, until))
        run = Run.create(job="retry" if retry else "collect", started=now, blogs=tour.asks,
                         not_reached=tour.asks, lanes=len(tour.lanes))
        level = logging.DEBUG if retry else logging.INFO
        log.log(level, "%s: %d blogs, %s", run.job, run.blogs, tour.outlook())
        batch, new_faults = Batch(config, now, past, wal), list[str]()
        for done, answer in enumerate(tour.answers(stop), start=1):
            _count(run, outcome := read(answer, parser, running.now()))
            if outcome.error and not answer.ask.failing:
                new_faults.append(f"{answer.ask.url} ({outcome.error.reason})")
            run.posts += batch.add(outcome)
            if answer.pause:
                _leave_alone(answer, tour.pace, running.now())
            report(done, run.blogs, run.failed, tour.outlook)
        run.posts += batch.end()
        # also what a power cut could still take: see database.refetchable
        db.execute_sql("PRAGMA wal_checkpoint(PASSIVE)")
        if run.not_reached:
            asked = run.blogs - run.not_reached
            report(asked, asked, run.failed, tour.outlook)
        Operator.note(tour.pace.well_known())
        # A proxy that answers for every blog, or no network at all, is no reason for an issue without posts.
        run.lacks = 2 * run.reached < max(expected, min(run.blogs, 1))
        run.written = wal.written
        _end(run, running, stop.is_set())
        _tell(run, new_faults, stop.is_set())
        return run


def _end(run: Run, running: Running, stopped: bool) -> None:
    if not stopped:
        run.finished = running.now()
    run.said = _said(run, running.seconds())
    run.save()


def _tell(run: Run, new_faults: list[str], stopped: bool) -> None:
    """Two lines at most: of 2,000 blogs a hundred fail on any day, and those are asked again all morning."""
    if new_faults:
        more = len(new_faults) - _NAMED
        log.info("%s: fail since now: %s%s", run.job, ", ".join(new_faults[:_NAMED]),
                 f" and {more} more; `devdigest blogs list --failing`" if more > 0 else "")
    level = logging.DEBUG if run.job == "retry" and run.reached < _MANY else logging.INFO
    log.log(level, "%s: %s%s", run.job, run.said, ", stopped early" if stopped else "")


def _said(run: Run, seconds: float) -> str:
    left = f"{run.not_reached:,} not reached, " if run.not_reached else ""
    return (f"{run.blogs:,} blogs, {run.reached:,} read, {run.failed:,} failed, {left}"
            f"{run.posts:,} new posts, {seconds:.0f} s, {wear.in_words(run.written)} written")


def _asks(config: Config, now: datetime, retry: bool) -> list[Ask]:
    """Whoever was asked longest ago comes first, so what the last run did not come to; of those asked in one
    run another one is last each day.
    """
    zone = config.site.timezone
    today = local_day(now, zone)
    blogs = Fetching.to_retry(now, Run.left_by(now)) if retry else Fetching.due(now)
    # one record at a time, and not sorted in memory by SQLite: that would leave holes for all of the run
    asks = [(blog.fetching.fetched or _NEVER, _ask(blog, today, zone))
            for blog in blogs.order_by(Blog.id).iterator()]
    Random(today.toordinal()).shuffle(asks)
    asks.sort(key=itemgetter(0))
    return [ask for _, ask in asks]


def _ask(blog: Blog, today: date, zone: ZoneInfo) -> Ask:
    last, url = blog.fetching, moves.address(blog)
    # a word that all have, and each from the database has one of its own
    known = (last.etag, last.modified, last.essence, sys.intern(last.validators)) if url == blog.feed else ()
    # only at the first read of a day: the last one before the issue has no time to spare
    doubted = (last.read is not None and local_day(last.read, zone) < today
               and validators.is_doubted(blog.id, today))
    return Ask(blog.id, url, *known, failing=last.fault != "", doubted=doubted)


def _pace(config: Config, now: datetime, until: datetime | None) -> Pace:
    waits = {name: (end - now).total_seconds() for name, end in Operator.waiting(now).items()}
    # the last fetch may begin so long before the end as it may take
    most = math.inf if until is None else (until - now).total_seconds() - config.collect.total_seconds
    return Pace(config.collect.gap, Operator.usual(), waits, most)


def _leave_alone(answer: Answer, pace: Pace, heard: datetime) -> None:
    name = answer.operator
    is_silent = answer.error is not None and answer.error.status is None
    log.info("%s %s for %d s", name,
             "does not answer, is left alone" if is_silent else "wants to be left alone", answer.pause)
    Operator.leave_alone(name, pace.usual.get(name, 0.0), heard + timedelta(seconds=answer.pause))


def _count(run: Run, outcome: Outcome) -> None:
    run.not_reached -= 1
    run.reached += outcome.error is None
    run.failed += outcome.error is not None
