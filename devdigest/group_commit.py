"""Many lines, one transaction: what the relay has just answered on them is settled together.

One thread keeps the books for all: it waits a little for who is under way, then acts for who is there.
"""
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

_SHARE = 0.06       # of the usual time for a mail is what waiting for each other may cost
_LONGEST = 1.0      # seconds of one wait, however slow the relay is
_NEWEST = 0.2       # of the usual time is the newest one's

Ask, Answer = TypeVar("Ask"), TypeVar("Answer")


class Failed(Exception):
    """The books cannot be kept any more; who keeps them says why."""


@dataclass(eq=False)
class _Seat(Generic[Ask, Answer]):
    number: int
    ask: Ask
    patient: bool
    answer: SimpleQueue[Answer | None] = field(default_factory=SimpleQueue)     # one; None: there is none


class Turns(Generic[Ask, Answer]):
    """For the lines of one run. `act` is called by the thread that serves, for all that wait by then: so one
    connection to the database does, whose cache nobody else's commits make stale.

    `works` says of an answer whether the line is under way with it, so that it is worth waiting for.
    What waiting may cost is saved up to one usual time: lines that are out of step meet at once, and lines
    in step wait for each other's delays alone.
    """

    def __init__(self, act: Callable[[list[Ask]], list[Answer]], works: Callable[[Answer], bool]) -> None:
        self._act, self._works = act, works
        self._change = threading.Condition()
        self._seats: list[_Seat[Ask, Answer]] = []
        self._lines: set[int] = set()
        self._away: dict[int, float] = {}       # lines under way, and since when
        self._failed = False
        self._usual = self._saved = 0.0         # seconds

    def enter(self, number: int) -> None:
        """A line that takes turns until it leaves; before serve()."""
        self._lines.add(number)

    def serve(self) -> None:
        """Acts until all lines have left. Raises what `act` raises; then each line is told Failed."""
        with self._change:
            try:
                while self._change.wait_for(lambda: self._seats or not self._lines) and self._seats:
                    self._serve()
            finally:
                self._failed = True
                self._dismiss(self._seats)

    def take(self, number: int, ask: Ask, patient: bool) -> Answer:
        """The answer to what line `number` asks; `patient` where others are waited for. Raises Failed."""
        seat = _Seat[Ask, Answer](number, ask, patient)
        with self._change:
            if self._failed:
                self._dismiss([seat])
            self._is_back(number)
            self._seats.append(seat)
            if not self._away or len(self._seats) == 1:     # else there is nothing to wake up for
                self._change.notify()
        answer = seat.answer.get()
        if answer is None:
            raise Failed("nobody keeps the books")
        return answer

    def leave(self, number: int) -> None:
        """The line has ended: nobody waits for it."""
        with self._change:
            self._away.pop(number, None)
            self._lines.discard(number)
            self._change.notify()

    def _is_back(self, number: int) -> None:
        since = self._away.pop(number, None)
        if since is not None:
            took = min(_LONGEST, time.monotonic() - since)
            if not self._usual:
                self._saved = took
            self._usual += (took - self._usual) * (_NEWEST if self._usual else 1.0)

    def _serve(self) -> None:
        if self._seats[0].patient:
            self._gather()
        group, self._seats = self._seats, []
        self._change.release()      # who comes meanwhile sits down for the next turn
        try:
            answers = self._act([seat.ask for seat in group])
        except BaseException:
            self._dismiss(group)
            raise
        finally:
            self._change.acquire()
        now = time.monotonic()
        self._away |= {seat.number: now for seat, answer in zip(group, answers, strict=True)
                       if self._works(answer)}
        for seat, answer in zip(group, answers, strict=True):
            seat.answer.put(answer)

    @staticmethod
    def _dismiss(seats: list[_Seat[Ask, Answer]]) -> None:
        for seat in seats:
            seat.answer.put(None)

    def _gather(self) -> None:
        began = time.monotonic()
        self._change.wait_for(lambda: not self._away, min(self._saved, self._usual))
        waited = time.monotonic() - began
        self._saved = max(0.0, min(self._usual, self._saved - waited + _SHARE * self._usual))
