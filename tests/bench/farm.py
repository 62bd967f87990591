"""A farm of feeds on loopback, in a process of its own: serves what crops.py grows and says who asked how.

An operator is an address (127.x.y.z), a sub-domain a port of it, as devdigest.urls.operator sees addresses.
"""
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from bench.crops import plan
from bench.fields import Asked


class Report(NamedTuple):
    asked: list[Asked]
    connections: dict[str, int]     # operator → most that were open at one time
    at_once: dict[str, int]         # operator → most requests under way at one time


class Farm:
    """The farm's process, until the `with` block ends.

        with Farm(400) as farm:
            … farm.urls[0] … farm.report()
            farm.begin(day=2)
    """

    def __init__(self, count: int, seed: int = 1, scale: float = 0.0, drip: float = 6.0,
                 today: date | None = None) -> None:
        """`scale`: of the latencies. `drip`: seconds for which headers drip before the connection ends."""
        self.feeds, self.today = plan(count, seed), today or datetime.now(UTC).date()
        self._arguments = [str(word) for word in (count, seed, scale, drip, self.today)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-m", "bench.fields", *self._arguments], text=True,
                                         cwd=Path(__file__).parents[1], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        self.urls: list[str] = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()     # the end of its stdin ends it

    def begin(self, day: int) -> None:
        """From now on the documents are that day's, and nothing has been recorded."""
        self._say(f"day {day}")

    def report(self) -> Report:
        """What was seen since `begin`."""
        said = self._say("report")
        return Report([Asked(*one) for one in said["asked"]], said["connections"], said["at_once"])

    def _say(self, words: str) -> Any:
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        return json.loads(self._process.stdout.readline())
