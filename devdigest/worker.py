"""The loop: asks every twenty seconds what is due, and starts it in a thread of its own. Never blocks."""
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import schedule

from devdigest import agenda, credentials
from devdigest.bounces import bounces
from devdigest.care import care
from devdigest.collect import collect
from devdigest.config import Config
from devdigest.database import connected
from devdigest.deliver import deliver
from devdigest.doubt import clock_doubt
from devdigest.locks import Busy
from devdigest.memory import Held
from devdigest.publish import publish, publish_weekly

log = logging.getLogger(__name__)

_TICK = 20                                  # seconds
_BACK_OFF = (60, 300, 900)                  # seconds after a failure, the last repeats
_LOCKED_OUT = 6 * 3600                      # seconds after a refused login: who tries on is locked out
_FAREWELL = 3.5                             # seconds for jobs to end; systemd and people wait five

Job = Callable[[datetime], bool]            # whether it ended well


class Worker:
    """Runs until `stop` is set. `password` is the relay's."""

    def __init__(self, config: Config, password: str, stop: threading.Event) -> None:
        self._config, self._password, self._stop = config, password, stop
        self._up_since = datetime.now(UTC)
        self._threads: dict[str, threading.Thread] = {}
        self._failures: dict[str, tuple[int, float]] = {}       # how many in a row, and until when to wait
        self._doubt, self._asking = "", threading.Lock()
        # where a login was refused; a restart, as after a change of the password, tries at once
        self._locked_out_until = 0.0
        self._mailbox_shut_until = 0.0

    def run(self) -> None:
        jobs: dict[str, Job] = {"collect": self._collect, "publish": self._publish, "deliver": self._deliver,
                                "bounces": self._bounces, "care": self._care}
        scheduler = schedule.Scheduler()
        for name, job in jobs.items():
            scheduler.every(_TICK).seconds.do(self._start, name, job)
        log.info("worker started; issue at %s, %s", self._config.digest.time, self._config.site.zone)
        # schedule reckons in local wall time: a clock set back by a day would silence it for that day
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            scheduler.run_all()
            due = time.monotonic() + _TICK
        self._farewell()

    def _start(self, name: str, job: Job) -> None:
        """A thread for the job, unless one is at it, or it failed a moment ago."""
        thread = self._threads.get(name)
        _, until = self._failures.get(name, (0, 0.0))
        if (thread and thread.is_alive()) or time.monotonic() < until:
            return
        # daemon: what does not end within the farewell is cut off, as by a power cut
        self._threads[name] = threading.Thread(target=self._guarded, args=(name, job), name=name, daemon=True)
        self._threads[name].start()

    def _guarded(self, name: str, job: Job) -> None:
        try:
            with connected():
                well = not self._clock_is_trusted() or job(datetime.now(UTC))
        except (Busy, Held) as reason:
            log.info("%s: %s", name, reason)
            well = False
        except Exception:
            log.exception("%s failed; it is tried again", name)
            well = False
        if well:
            self._failures.pop(name, None)
        else:
            count = self._failures.get(name, (0, 0.0))[0] + 1
            self._failures[name] = count, time.monotonic() + _BACK_OFF[min(count, len(_BACK_OFF)) - 1]

    def _clock_is_trusted(self) -> bool:
        with self._asking:          # all jobs ask at once; it is said once
            doubt = clock_doubt(self._config, datetime.now(UTC))
            if bool(doubt) != bool(self._doubt):
                log.warning("waiting: %s", doubt) if doubt else log.info("the clock is right again")
            self._doubt = doubt
        return not doubt

    def _collect(self, now: datetime) -> bool:
        collect_if_due(self._config, now, self._stop)
        return True

    def _publish(self, now: datetime) -> bool:
        if agenda.publish(self._config, now, self._up_since):
            publish(self._config, now)
        if agenda.publish_weekly(self._config, now):
            publish_weekly(self._config, now)
        return True

    def _deliver(self, now: datetime) -> bool:
        kind = agenda.deliver(self._config, now)
        if not kind or time.monotonic() < self._locked_out_until:
            return True
        summary = deliver(self._config, now, self._password, self._stop, issues=kind == "issues",
                          until=agenda.closes(self._config, now))
        if summary.locked_out:
            self._locked_out_until = time.monotonic() + _LOCKED_OUT
        return not summary.fault or summary.goes_on is not None     # then the agenda knows when

    def _bounces(self, now: datetime) -> bool:
        settings = self._config.bounces
        kind = agenda.bounces(self._config, now, mailbox=time.monotonic() >= self._mailbox_shut_until)
        if not kind:
            return True
        summary = bounces(self._config, now, credentials.imap_password(settings),
                          credentials.webhook_key(settings), self._stop, mailbox=kind == "mailbox")
        if summary.locked_out:
            self._mailbox_shut_until = time.monotonic() + _LOCKED_OUT
        return not summary.faults

    def _care(self, now: datetime) -> bool:
        if agenda.care(self._config, now):
            care(self._config, now)
        return True

    def _farewell(self) -> None:
        until = time.monotonic() + _FAREWELL
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))
        log.info("worker stopped")


def collect_if_due(config: Config, now: datetime, stop: threading.Event) -> None:
    """A collect or a retry, where one is due, that leaves the issue its time."""
    if (kind := agenda.collect(config, now)):
        collect(config, now, stop, retry=kind == "retry", until=agenda.collect_ends(config, now))
