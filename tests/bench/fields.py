"""The server behind farm.py: answers at each feed's address and port, and records who asked how.

Run as `python -m bench.fields FEEDS SEED SCALE DRIP TODAY`; ends with its stdin.
"""
import argparse
import asyncio
import gzip
import json
import resource
import socket
import struct
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import NamedTuple

from bench.crops import BUILT, PLATFORMS, Feed, document, plan, version

_DROP, _PAUSE = b"X-Drop: 1\r\n", 0.5       # of headers that drip: every so many seconds
_ESTABLISHED = 1                            # tcpi_state of TCP_INFO
_STATUS = {200: "OK", 304: "Not Modified", 404: "Not Found"}


class Asked(NamedTuple):
    """One request as the farm saw it."""
    number: int             # of the feed
    status: int             # 0 where there was no answer, or not all of it was taken
    seconds: float          # from the request to the last byte of the answer, or until the asker went away


@dataclass
class Ledger:
    """What is recorded, by operator."""
    asked: list[Asked] = field(default_factory=list)
    connections: Counter[str] = field(default_factory=Counter)
    at_once: Counter[str] = field(default_factory=Counter)


class Fields:
    """What is served: each feed at its address and port, each document kept as it is sent."""

    def __init__(self, feeds: list[Feed], scale: float, drip: float, today: date) -> None:
        self.feeds, self.scale, self.drip, self.day, self.ledger = feeds, scale, drip, 1, Ledger()
        self.open: defaultdict[str, set[_Line]] = defaultdict(set)
        self.where: dict[int, tuple[str, int]] = {}
        self._midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
        self._builds, self._bodies = 0, dict[tuple[int, int], bytes]()
        for day in (1, 2):
            self._grow(day)

    def begin(self, day: int) -> None:
        self.day, self.ledger = day, Ledger()
        self._grow(day)

    def _grow(self, day: int) -> None:
        for feed in self.feeds:
            number = version(feed, day)
            if feed.manner == "answers" and (feed.number, number) not in self._bodies:
                self._bodies[feed.number, number] = self._kept(feed, number)

    def _kept(self, feed: Feed, version: int) -> bytes:
        body = document(feed, version, self._midnight.date())
        if feed.fresh == "built":
            return body
        built = format_datetime(self._midnight + timedelta(hours=version))
        return gzip.compress(body.replace(BUILT, built.encode()), mtime=0)

    def body(self, feed: Feed) -> bytes:
        """Compressed; a build date that changes is a second later in each answer of the farm."""
        body = self._bodies[feed.number, version(feed, self.day)]
        if feed.fresh != "built":
            return body
        self._builds += 1
        built = format_datetime(self._midnight + timedelta(seconds=self._builds))
        return gzip.compress(body.replace(BUILT, built.encode(), 1), 1, mtime=0)

    def validators(self, feed: Feed) -> dict[str, str]:
        number = version(feed, self.day)
        etag = f'"{feed.number}-{number}"' if feed.fresh in ("etag", "both") else ""
        when = self._midnight - timedelta(days=2) + timedelta(hours=number)
        modified = format_datetime(when, usegmt=True) if feed.fresh in ("modified", "both") else ""
        return {"etag": etag, "last-modified": modified}

    async def open_gates(self) -> None:
        """Listens for every feed; `where` then says at which address and port."""
        loop, gates = asyncio.get_running_loop(), {}
        for feed in self.feeds:
            if feed.host not in gates:
                gate = socket.create_server((address(feed.operator), 0), backlog=256)
                await loop.create_server(partial(_Line, self), sock=gate)
                gates[feed.host] = gate.getsockname()
            self.where[feed.number] = gates[feed.host]

    def urls(self) -> list[str]:
        return ["http://{}:{}/{}".format(*self.where[feed.number], feed.number) for feed in self.feeds]

    def came(self, line: "_Line") -> None:
        lines, most = self.open[line.operator], self.ledger.connections
        lines.add(line)
        if len(lines) > most[line.operator]:    # what was closed meanwhile may not have been noticed yet
            most[line.operator] = max(most[line.operator], sum(one.is_open() for one in lines))

    def asks(self, line: "_Line") -> None:
        at_once = sum(one.feed is not None for one in self.open[line.operator])
        self.ledger.at_once[line.operator] = max(self.ledger.at_once[line.operator], at_once)


class _Line(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, fields: Fields) -> None:
        self._fields, self._text = fields, b""
        self.feed: Feed | None = None           # being asked for
        self._began, self._status = 0.0, 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._socket = transport.get_extra_info("socket")
        transport.set_write_buffer_limits(high=0)       # to be told when all of an answer was taken
        self.place = self._socket.getsockname()
        self.operator = self.place[0]
        self._fields.came(self)

    def is_open(self) -> bool:
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED

    def connection_lost(self, error: Exception | None) -> None:
        self._fields.open[self.operator].discard(self)
        self._status = 0
        self._done()

    def data_received(self, data: bytes) -> None:
        self._text += data
        if not self._text.endswith(b"\r\n\r\n"):
            return
        lines, self._text = self._text.decode("latin-1").split("\r\n"), b""
        number = int(lines[0].split()[1].strip("/") or -1)
        if self._fields.where.get(number) != self.place:
            self._write(404, {}, b"not here")
            return
        self.feed, self._began = self._fields.feeds[number], time.monotonic()
        self._fields.asks(self)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        wait = self.feed.latency * self._fields.scale
        asyncio.get_running_loop().call_later(wait, self._answer, self.feed, headers)

    def _answer(self, feed: Feed, headers: dict[str, str]) -> None:
        if self._transport.is_closing():
            return
        match feed.manner:
            case "resets":
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._transport.abort()
            case "drips":
                self._transport.write(b"HTTP/1.1 200 OK\r\n")
                self._drip()
            case "gone":
                self._write(404, {"content-type": "text/html"}, b"<html><body>404</body></html>")
            case "answers":
                self._serve(feed, headers)

    def _drip(self) -> None:
        if time.monotonic() - self._began > self._fields.drip:
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write(_DROP)
            asyncio.get_running_loop().call_later(_PAUSE, self._drip)

    def _serve(self, feed: Feed, headers: dict[str, str]) -> None:
        given = self._fields.validators(feed)
        # If-Modified-Since counts only without the other (RFC 9110, 13.1.3)
        asked = (("etag", headers.get("if-none-match", "")),
                 ("last-modified", headers.get("if-modified-since", "")))
        name, value = next(((name, value) for name, value in asked if value), ("", ""))
        if value and value == given[name]:
            self._write(304, given, b"")
            return
        kind = "application/atom+xml" if feed.style == "atom" else "application/rss+xml"
        self._write(200, given | {"content-type": f"{kind}; charset=utf-8", "content-encoding": "gzip"},
                    self._fields.body(feed))

    def _write(self, status: int, headers: dict[str, str], body: bytes) -> None:
        length = {} if status == 304 else {"content-length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **length}.items() if value)
        self._status = status
        self._transport.write(f"HTTP/1.1 {status} {_STATUS[status]}\r\n{head}\r\n".encode() + body)
        if not self._transport.get_write_buffer_size():
            self._done()

    def resume_writing(self) -> None:
        if self._status:
            self._done()

    def _done(self) -> None:
        if self.feed is not None:
            took = time.monotonic() - self._began
            self._fields.ledger.asked.append(Asked(self.feed.number, self._status, round(took, 3)))
            self.feed = None


def address(operator: str) -> str:
    """127.1.0.x for a platform, 127.2.x.y upwards for a host of somebody's own."""
    names = [platform.name for platform in PLATFORMS]
    if operator in names:
        return f"127.1.0.{names.index(operator) + 1}"
    number = int(operator.removeprefix("own-"))
    return f"127.{2 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


def _obey(fields: Fields, ended: asyncio.Event) -> None:
    match sys.stdin.readline().split():
        case ["day", day]:
            fields.begin(int(day))
            _tell(fields.day)
        case ["report"]:
            _tell(vars(fields.ledger))
        case _:
            ended.set()


def _tell(document: object) -> None:
    print(json.dumps(document), flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, kind in {"feeds": int, "seed": int, "scale": float, "drip": float,
                       "today": date.fromisoformat}.items():
        parser.add_argument(name, type=kind)
    chosen = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    fields = Fields(plan(chosen.feeds, chosen.seed), chosen.scale, chosen.drip, chosen.today)
    await fields.open_gates()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, _obey, fields, ended)
    _tell(fields.urls())
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
