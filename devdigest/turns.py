"""Whose turn it is at an operator: one request at a time on each connection that it allows, also for whom a
redirect leads there from another operator's lane.

An edge: knows operators by name, nothing of the records of them.
"""
import threading
import time
from collections import defaultdict

from devdigest.fetch import Fetcher, FetchError
from devdigest.pace import Pace
from devdigest.urls import operator


class Seat:
    """One of the connections that an operator allows."""

    __slots__ = ("free_from", "keeper", "lock")     # there are thousands

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.free_from = 0.0                    # monotonic: when the gap after the last request is over
        self.keeper: Fetcher | None = None      # whose lane it is, and who keeps it open in between


class Seats:
    """Of all operators in one round, `per_operator` each. `ended`: nobody waits for a turn any more."""

    def __init__(self, per_operator: int, pace: Pace, ended: threading.Event) -> None:
        self.pace, self.ended = pace, ended
        self._seats: defaultdict[str, list[Seat]] = defaultdict(lambda: [Seat() for _ in range(per_operator)])
        self._lock = threading.Lock()

    def of(self, name: str) -> list[Seat]:
        with self._lock:
            return self._seats[name]


class Turn:
    """The turns of the fetches of one lane, whose own is the seat with this number at its operator.

    It has one seat at a time and leaves it before it waits for another: lanes that are led to each other do
    not wait for ever.
    """

    def __init__(self, seats: Seats, name: str, number: int, session: Fetcher) -> None:
        self._seats, self._session = seats, session
        self._own_operator, self._own = name, seats.of(name)[number]
        self._name = ""                     # where it is now
        self._seat: Seat | None = None

    def begin(self) -> bool:
        """Takes the lane's own seat, however long a guest sits there; False where the round has ended."""
        own, ended = self._own, self._seats.ended
        while not ended.wait(max(0.0, own.free_from - time.monotonic())):
            if own.lock.acquire(timeout=0.2):
                self._name, self._seat = self._own_operator, own
                if own.free_from <= time.monotonic():
                    return True
                self._leave(own.free_from)      # a guest was here meanwhile
        return False

    def move(self, url: str, seconds: float) -> None:
        """To a seat of the operator of `url`, where a redirect led. Raises FetchError if there is none."""
        name = operator(url)
        if name == self._name:
            return
        if self._seats.pace.is_left_alone(name):
            raise FetchError(url, f"leads to {name}, which wants to be left alone", "busy")
        self._session.close()
        self._own.keeper = None
        self._leave(time.monotonic() + self._seats.pace.gap)
        self._be_guest(name, url, seconds)

    def _be_guest(self, name: str, url: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        seats = self._seats.of(name)
        seat = next((one for one in seats if one.lock.acquire(blocking=False)), None)
        late = FetchError(url, f"leads to {name}, where its turn did not come in time", "ours")
        if seat is None:
            seat = min(seats, key=lambda one: one.free_from)        # waits there since longest
            if not seat.lock.acquire(timeout=seconds):
                raise late
        self._name, self._seat = name, seat
        if seat.free_from >= until:     # or it would seem that the operator does not answer
            self._leave(seat.free_from)
            raise late
        if seat.keeper is not None:     # between two of its turns: without this seat it asks nothing
            seat.keeper.close()
            seat.keeper = None
        self._seats.ended.wait(max(0.0, seat.free_from - time.monotonic()))

    def end(self) -> None:
        """The fetch is over; the lane's own connection is kept open until `close`, another's is not."""
        if self._seat is self._own:
            self._own.keeper = self._session
        else:
            self._session.close()
        self._leave(time.monotonic() + self._seats.pace.gap)

    def close(self) -> None:
        """The lane is at its end: what is kept open would count at the operator."""
        with self._own.lock:
            self._session.close()
            self._own.keeper = None

    def _leave(self, free_from: float) -> None:
        seat, self._name, self._seat = self._seat, "", None
        if seat is not None:
            seat.free_from = free_from
            seat.lock.release()
