"""The loop: asks every twenty seconds what is due, and starts it in a thread of its own. Never blocks."""
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import schedule

from devdigest import agenda, credentials, departures, installation_check, notify, owner_jobs, room
from devdigest.backup import backup, copy_log
from devdigest.bounces import bounces
from devdigest.care import care
from devdigest.collect import Report, collect
from devdigest.config import Config
from devdigest.database import connected, is_lost
from devdigest.deliver import deliver
from devdigest.doubt import clock_doubt
from devdigest.locks import Busy
from devdigest.memory import Held, Setting
from devdigest.publish import publish, publish_weekly
from devdigest.room import NoRoom
from devdigest.troubles import Failure
from devdigest.watched import Watched

log = logging.getLogger(__name__)

_TICK = 20                                  # seconds
_BACK_OFF = (60, 300, 900)                  # seconds after a failure, the last repeats
_TOLD_EVERY = 20                            # items, between two words to `systemctl status`
_LOCKED_OUT = 6 * 3600                      # seconds after a refused login: who tries on is locked out
_FAREWELL = 3.5                             # seconds for jobs to end; systemd and people wait five

# While setup watches a new release: what is begun now, a way back to the old database would forget.
_PROBATION = Path("/", installation_check.UNDER_WAY)


@dataclass(frozen=True)
class Job:
    """`run` is given the time and a `stop` to look at between items; returns whether it ended well."""
    run: Callable[[datetime, Watched], bool]
    silence: int        # minutes between two looks at `stop` when all is well; the watchdog bites after them


class Worker:
    """Runs until `stop` is set. `password` is the relay's, `path` the file with the settings."""

    def __init__(self, config: Config, password: str, stop: threading.Event,
                 path: Path | None = None, probation: Path = _PROBATION) -> None:
        self._config, self._password, self._stop = config, password, stop
        self._path, self._probation = path, probation
        self._up_since = datetime.now(UTC)
        self._threads: dict[str, tuple[threading.Thread, Watched]] = {}
        self._failures: dict[str, tuple[int, float]] = {}       # how many in a row, and until when to wait
        self._doubt, self._asking = "", threading.Lock()
        self._doing: dict[str, str] = {}                        # for `systemctl status`, by job
        self._outlook, self._told, self._stuck = "", "", ""
        # where a login was refused; a restart, as after a change of the password, tries at once
        self._locked_out_until = 0.0
        self._mailbox_shut_until = 0.0
        self._departed = 0          # bytes of the log of who left, as it is at the second place
        self._crowded = False       # the disk is nearly full
        self.jobs = {
            "collect": Job(self._collect, 10),      # a fetch, and what fifty feeds brought in one transaction
            "publish": Job(self._publish, 15),      # looks not once: an issue and all of its rows at a time
            "deliver": Job(self._deliver, 25),      # the relay's last word on a mail takes up to ten, and a
                                                    # reconnect before it
            "bounces": Job(self._bounces, 10),      # half a minute for each answer of the mailbox
            "care": Job(self._care, 60),            # one statement may go through years of rows
            "backup": Job(self._backup, 45),        # half an hour for a file that goes to another machine
            "watch": Job(self._watch, 15),          # a check of everything ends by itself before
            "owner": Job(self._owner, 25),          # a mail each, as of deliver
            "heartbeat": Job(self._heartbeat, 5),
        }

    def run(self) -> None:
        scheduler = schedule.Scheduler()
        for name in self.jobs:
            scheduler.every(_TICK).seconds.do(self._start, name)
        log.info("worker started; issue at %s, %s", self._config.digest.time, self._config.site.zone)
        notify.ready("started")
        tick = min(_TICK, (notify.patience() or math.inf) / 3)
        # schedule reckons in local wall time: a clock set back by a day would silence it for that day
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            if not self._probation.exists():
                scheduler.run_all()
            self._feed_watchdog()
            due = time.monotonic() + tick
        notify.stopping()
        self._farewell()

    def _start(self, name: str) -> None:
        """A thread for the job, unless one is at it, or it failed a moment ago."""
        _, until = self._failures.get(name, (0, 0.0))
        if self._is_at_work(name) or time.monotonic() < until:
            return
        stop = Watched(self._stop)
        # daemon: what does not end within the farewell is cut off, as by a power cut
        thread = threading.Thread(target=self._guarded, args=(name, stop), name=name, daemon=True)
        self._threads[name] = thread, stop
        thread.start()

    def _is_at_work(self, name: str) -> bool:
        return name in self._threads and self._threads[name][0].is_alive()

    def _feed_watchdog(self) -> None:
        """Only while every job moves: one that hangs is ended with this process, which systemd restarts."""
        stuck = ", ".join(name for name, (_, stop) in self._threads.items()
                          if self._is_at_work(name) and stop.silent() > 60 * self.jobs[name].silence)
        if not stuck:
            notify.alive()
        elif stuck != self._stuck:
            log.error("%s: no progress for %d min; where systemd watches, it ends this process now and "
                      "begins it again", stuck, self.jobs[stuck.split(", ")[0]].silence)
        self._stuck = stuck

    def _guarded(self, name: str, stop: Watched) -> None:
        try:
            with connected():
                well = not self._clock_is_trusted() or self.jobs[name].run(datetime.now(UTC), stop)
                if well:
                    Failure.end(name)
        except (Busy, Held) as reason:
            log.info("%s: %s", name, reason)
            well = False
        except Exception as error:
            well = False
            if is_lost(error):
                self._leave(error)
            else:
                log.exception("%s failed; it is tried again", name)
                owner_jobs.note_failure(name, error, datetime.now(UTC))
        finally:
            self._tells(name, "")
        if well:
            self._failures.pop(name, None)
        else:
            count = self._failures.get(name, (0, 0.0))[0] + 1
            self._failures[name] = count, time.monotonic() + _BACK_OFF[min(count, len(_BACK_OFF)) - 1]

    def _leave(self, error: Exception) -> None:
        """Nothing is mailed by a damaged database; the next start says what to type, and tells the owner."""
        with self._asking:          # all jobs meet it at once; it is said once
            if not self._stop.is_set():
                log.critical("the database is damaged or gone: %s; this service ends, and begins again once "
                             "it is restored", error)
            self._stop.set()

    def _tells(self, name: str, doing: str) -> None:
        """What `systemctl status` shows from now on, where that is anything new."""
        self._doing[name] = doing
        status = ", ".join(filter(None, self._doing.copy().values())) or self._outlook
        if status != self._told:
            self._told = status
            notify.status(status)

    def _clock_is_trusted(self) -> bool:
        with self._asking:          # all jobs ask at once; it is said once
            doubt = clock_doubt(self._config, datetime.now(UTC))
            if bool(doubt) != bool(self._doubt):
                log.warning("waiting: %s", doubt) if doubt else log.info("the clock is right again")
            self._doubt = doubt
            if doubt:
                self._outlook = f"waiting: {doubt}"
        return not doubt

    def _collect(self, now: datetime, stop: Watched) -> bool:
        def report(done: int, of: int, *_: object) -> None:
            stop.look()
            if done % _TOLD_EVERY == 0:
                self._tells("collect", f"collecting: {done:,} of {of:,} blogs")
        if self._has_room():
            # not `stop` itself: collect asks it several times a second while it waits, and only answers count
            collect_if_due(self._config, now, self._stop, report)
        return True

    def _has_room(self) -> bool:
        """Whether the disk has; said once where not."""
        try:
            room.require("collect", self._config.folder, again=self._crowded)
        except NoRoom as reason:
            if not self._crowded:
                log.error("%s", reason)
            self._crowded = True
        else:
            self._crowded = False
        return not self._crowded

    def _publish(self, now: datetime, stop: Watched) -> bool:
        if agenda.publish(self._config, now, self._up_since):
            publish(self._config, now)
        if agenda.publish_weekly(self._config, now):
            publish_weekly(self._config, now)
        self._outlook = _outlook(self._config, now)
        return True

    def _deliver(self, now: datetime, stop: Watched) -> bool:
        def report(done: int, of: int) -> None:
            if done % _TOLD_EVERY == 0:
                self._tells("deliver", f"delivering: {done:,} of {of:,} mails")
        kind = agenda.deliver(self._config, now)
        if not kind or time.monotonic() < self._locked_out_until:
            return True
        summary = deliver(self._config, now, self._password, stop, issues=kind == "issues",
                          until=agenda.closes(self._config, now), report=report)
        if summary.locked_out:
            self._locked_out_until = time.monotonic() + _LOCKED_OUT
        return not summary.fault or summary.goes_on is not None     # then the agenda knows when

    def _bounces(self, now: datetime, stop: Watched) -> bool:
        settings = self._config.bounces
        kind = agenda.bounces(self._config, now, mailbox=time.monotonic() >= self._mailbox_shut_until)
        if not kind:
            return True
        summary = bounces(self._config, now, credentials.imap_password(settings),
                          credentials.webhook_key(settings), stop, mailbox=kind == "mailbox")
        if summary.locked_out:
            self._mailbox_shut_until = time.monotonic() + _LOCKED_OUT
        return not summary.faults

    def _care(self, now: datetime, stop: Watched) -> bool:
        if agenda.care(self._config, now):
            care(self._config, now, stop)
        return True

    def _backup(self, now: datetime, stop: Watched) -> bool:
        if agenda.backup(self._config, now):
            backup(self._config, now, stop, report=lambda doing: self._tells("backup", f"backup: {doing}"))
        elif (size := departures.size()) != self._departed:
            if not copy_log(self._config):
                return False
            self._departed = size
        return True

    def _watch(self, now: datetime, stop: Watched) -> bool:
        owner_jobs.look_if_due(self._config, self._path, now, self._password, self._up_since)
        return True

    def _owner(self, now: datetime, stop: Watched) -> bool:
        return owner_jobs.mail_if_due(self._config, self._path, now, self._password)

    def _heartbeat(self, now: datetime, stop: Watched) -> bool:
        return owner_jobs.heartbeat_if_due(self._config, now)

    def _farewell(self) -> None:
        until = time.monotonic() + _FAREWELL
        for thread, _ in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))
        log.info("worker stopped")


def collect_if_due(config: Config, now: datetime, stop: threading.Event,
                   report: Report = lambda *_: None) -> None:
    """A collect or a retry, where one is due, that leaves the issue its time."""
    if (kind := agenda.collect(config, now)):
        collect(config, now, stop, retry=kind == "retry", until=agenda.collect_ends(config, now),
                report=report)


def _outlook(config: Config, now: datetime) -> str:
    """'waiting; next issue 2026-11-24 10:00'."""
    if (since := Setting.held_since()) is not None:
        return str(Held(since))
    return f"waiting; next issue {agenda.next_issue(config, now)} {config.digest.time}"
