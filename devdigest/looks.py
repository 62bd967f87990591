"""Asks many things at once, each in its time, ground first: what stands on a failed ground is not asked."""
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from devdigest.database import connected
from devdigest.finding import NOT_ASKED, RED, WARN, Finding

log = logging.getLogger(__name__)

EACH, ALL = 5.0, 20.0       # seconds; the owner waits for it

_GROUND = {"database": "the database", "network": "the network", "name": "the name", "address": "our address"}


@dataclass(frozen=True)
class Look:
    """`names`: of the findings that `ask` gives, in order; it may leave some out."""
    names: tuple[str, ...]
    ask: Callable[[], Iterable[Finding]]
    after: tuple[str, ...] = ()     # findings it stands on; they are settled before it is asked
    records: bool = False           # it needs a connection to the database


def findings(looks: Sequence[Look], each: float = EACH, everything: float = ALL) -> Iterator[Finding]:
    """In the order of `looks`; begun all together, and not later than `everything` seconds from now."""
    deadline = time.monotonic() + everything
    asked: dict[str, _Asked] = {}
    for look in looks:
        one = _Asked(look, {name: asked[name] for name in look.after}, each, deadline)
        asked |= dict.fromkeys(look.names, one)
    for one in dict.fromkeys(asked.values()):
        yield from one.findings()


class _Asked:
    """A look in a thread of its own. One that hangs is left behind: no thread can be ended from outside."""

    def __init__(self, look: Look, grounds: "dict[str, _Asked]", each: float, deadline: float) -> None:
        self._look, self._grounds, self._each, self._deadline = look, grounds, each, deadline
        self._until = deadline
        self._begun, self._done, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._found: list[Finding] = []
        threading.Thread(target=self._go, name=f"check {look.names[0]}", daemon=True).start()

    def findings(self) -> list[Finding]:
        """Waits for them; of what takes too long it is said that it is not known."""
        self._begun.wait(max(0.0, self._deadline - time.monotonic()))
        if not self._done.wait(max(0.0, self._until - time.monotonic())):
            with self._lock:
                if not self._done.is_set():
                    self._give_up(f"not known: no answer within {self._each:.0f} s")
        return self._found

    def _go(self) -> None:
        failed = [ground.failed(name) for name, ground in self._grounds.items()]
        self._until = min(self._deadline, time.monotonic() + self._each)
        self._begun.set()
        if name := next(filter(None, failed), ""):
            self._settle([Finding(one, NOT_ASKED, f"waits for {_GROUND.get(name, name)}")
                          for one in self._look.names])
            return
        try:
            with connected() if self._look.records else nullcontext():
                for finding in self._look.ask():
                    self._note(finding)
        except Exception as error:      # one check never stops another; the worker asks them, too
            log.exception("check %s failed", self._look.names[0])
            with self._lock:
                self._give_up(f"the check itself failed: {type(error).__name__}: {error}")
        self._done.set()

    def _note(self, finding: Finding) -> None:
        with self._lock:
            if not self._done.is_set():     # else it comes too late
                self._found = [*self._found, finding]

    def _settle(self, found: list[Finding]) -> None:
        with self._lock:
            if not self._done.is_set():
                self._found = found
                self._done.set()

    def _give_up(self, why: str) -> None:
        known = {finding.name for finding in self._found}
        self._found = [*self._found, *(Finding(name, WARN, why, "devdigest check, a little later")
                                       for name in self._look.names if name not in known)]
        self._done.set()

    def failed(self, name: str) -> str:
        """What bars the way for whatever stands on `name`: it, or its own ground; "" for nothing."""
        if any(finding.name == name and finding.state == RED for finding in self.findings()):
            return name
        return next(filter(None, (ground.failed(below) for below, ground in self._grounds.items())), "")
