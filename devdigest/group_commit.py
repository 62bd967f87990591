"""Many lines, one transaction: what the relay has just answered on them is settled together.

The first that has something to settle waits a little for the others that are under way, then acts for all.
"""
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

_SHARE = 0.06       # of the usual time for a mail is what waiting for each other may cost
_LONGEST = 1.0      # seconds of one wait, however slow the relay is
_NEWEST = 0.2       # of the usual time is the newest one's

Ask, Answer = TypeVar("Ask"), TypeVar("Answer")


class Failed(Exception):
    """The line that acted for this one raised; it says why."""


@dataclass(eq=False)
class _Seat(Generic[Ask, Answer]):
    number: int
    ask: Ask
    answer: Answer | None = None
    done: bool = False


class Turns(Generic[Ask, Answer]):
    """For the threads of one run. `act` is called by one of them at a time, for all that wait by then.

    `works` says of an answer whether the line is under way with it, so that it is worth waiting for.
    What waiting may cost is saved up to one usual time: lines that are out of step meet at once, and lines
    in step wait for each other's delays alone.
    """

    def __init__(self, act: Callable[[list[Ask]], list[Answer]], works: Callable[[Answer], bool]) -> None:
        self._act, self._works = act, works
        self._change = threading.Condition()
        self._seats: list[_Seat[Ask, Answer]] = []
        self._away: dict[int, float] = {}       # lines under way, and since when
        self._led = False
        self._usual = self._saved = 0.0         # seconds

    def take(self, number: int, ask: Ask, patient: bool) -> Answer:
        """The answer to what line `number` asks; `patient` where others are waited for."""
        seat = _Seat[Ask, Answer](number, ask)
        with self._change:
            self._is_back(number)
            self._seats.append(seat)
            self._change.notify_all()
            while not seat.done:
                if self._led:
                    self._change.wait()
                else:
                    self._lead(patient)
        if seat.answer is None:
            raise Failed("the turn that was shared failed")
        return seat.answer

    def leave(self, number: int) -> None:
        """The line has ended, or pauses: nobody waits for it."""
        with self._change:
            self._away.pop(number, None)
            self._change.notify_all()

    def _is_back(self, number: int) -> None:
        since = self._away.pop(number, None)
        if since is not None:
            took = min(_LONGEST, time.monotonic() - since)
            if not self._usual:
                self._saved = took
            self._usual += (took - self._usual) * (_NEWEST if self._usual else 1.0)

    def _lead(self, patient: bool) -> None:
        self._led = True
        if patient:
            self._gather()
        group, self._seats = self._seats, []
        self._change.release()      # who comes meanwhile sits down for the next turn
        try:
            for seat, answer in zip(group, self._act([seat.ask for seat in group]), strict=True):
                seat.answer = answer
        finally:
            self._change.acquire()
            now = time.monotonic()
            self._away |= {seat.number: now for seat in group if seat.answer and self._works(seat.answer)}
            self._led = False
            for seat in group:
                seat.done = True
            self._change.notify_all()

    def _gather(self) -> None:
        began = time.monotonic()
        self._change.wait_for(lambda: not self._away, min(self._saved, self._usual))
        waited = time.monotonic() - began
        self._saved = max(0.0, min(self._usual, self._saved - waited + _SHARE * self._usual))
