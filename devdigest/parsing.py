"""Parsing in a child process: what a document does there is a fault of its blog, and costs no other anything.

An edge: knows bodies and feeds, nothing of the blogs they belong to.
"""
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zoneinfo import TZPATH, ZoneInfo

from devdigest.feed import Feed, NotAFeed
from devdigest.frames import FEED, SIZE, frame, unpack

_START = 60.0           # seconds; an old Pi takes three
_PAGE = resource.getpagesize()
# What a large document needed goes back to the system at once: bytes of glibc's mallopt(3).
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}


class NoParser(Exception):
    """There is no child that could read a document: the machine's fault, and no blog's."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    seconds: int = 5                # of CPU for one document; the longest of real ones take 0.3 on a PC
    patience: float = 30.0          # seconds until its answer, as the machine may be busy
    memory: int = 300_000_000       # bytes a child may address; a body of 5 MB needs 100
    resident: int = 64_000_000      # bytes in use between two documents, from which a child is replaced
    documents: int = 1000           # after so many it is replaced in any case


class Parser:
    """Reads one document after the other, for one thread, in a child that is started when it is needed."""

    def __init__(self, zone: ZoneInfo, limits: Limits | None = None) -> None:
        self._zone, self._limits = zone, limits or Limits()
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def child(self) -> int | None:
        """The process that reads; None where there is none at the moment."""
        return self._child.pid if self._child else None

    def close(self) -> int | None:
        """Ends the child; its exit status. May be repeated."""
        child, self._child = self._child, None
        return child.end() if child else None

    def parse(self, body: bytes, headers: Mapping[str, str], url: str, known: bytes = b"") -> Feed:
        """As `parse.parse`, with all that is `known` one after the other. Raises NoParser, and NotAFeed also
        where it takes too much to read.
        """
        question = {"headers": dict(headers), "url": url, "known": known.hex()}
        message = *frame(json.dumps(question).encode()), *frame(body)
        # once more, as a child may have died before of something else, as of another process's hunger
        answer = self._ask(message) or self._ask(message)
        if not answer:
            raise NotAFeed("unreadable: no parser survives it")
        kind, said = answer[:1], answer[1:]
        if kind != FEED:
            raise NotAFeed(said.decode())
        return unpack(said)

    def _ask(self, message: Sequence[bytes]) -> bytes:
        """The answer; b"" where the child died over it, or before."""
        limits, child = self._limits, self._begun()
        try:
            answer = child.ask(message, limits.patience)
        except TimeoutError:
            self.close()
            raise NotAFeed(f"reading it took longer than {limits.patience:g} s") from None
        except OSError:
            if self.close() == -signal.SIGXCPU:
                raise NotAFeed(f"reading it took longer than {limits.seconds} s") from None
            return b""
        child.documents += 1
        if child.documents >= limits.documents or child.resident() > limits.resident:
            self.close()
        return answer

    def _begun(self) -> "_Child":
        if self._child is None:
            try:
                self._child = _Child(self._zone, self._limits)
                self._child.ask((), _START)        # it says that it is ready
            except OSError as error:
                ended = self.close()
                why = f"ended with status {ended}" if isinstance(error, ConnectionError) else error
                raise NoParser(f"no process that reads feeds: {why}") from error
        return self._child


class _Child:
    """The process, and the line to it. Raises OSError where either fails, TimeoutError among them."""

    def __init__(self, zone: ZoneInfo, limits: Limits) -> None:
        self.documents = 0
        self._line, theirs = socket.socketpair()
        # Of our environment, which may hold the relay's password, it has nothing.
        places = [str(Path(__file__).parents[1]), *filter(None, sys.path)]
        # The zones' places it need not ask sysconfig for, which takes half a megabyte to know.
        environment = {"PYTHONPATH": os.pathsep.join(places), "PYTHONTZPATH": os.pathsep.join(TZPATH),
                       **_ALLOCATOR}
        if sys.pycache_prefix:      # nothing compiled is left in a checkout
            environment["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
        arguments = [str(limits.seconds), str(limits.memory), zone.key]
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "devdigest.parse_child", *arguments],
                    stdin=theirs, stdout=theirs, env=environment)
            except OSError:
                self._line.close()
                raise
        self.pid = self._process.pid

    def ask(self, message: Sequence[bytes], seconds: float) -> bytes:
        """The answer to what `message` makes together, or what it says by itself where that is nothing."""
        until = time.monotonic() + seconds
        for part in message:
            self._line.settimeout(max(until - time.monotonic(), 0.001))
            self._line.sendall(part)
        size = int.from_bytes(self._receive(SIZE, until), "big")
        return self._receive(size, until)

    def _receive(self, size: int, until: float) -> bytes:
        received = bytearray()
        while len(received) < size:
            self._line.settimeout(max(until - time.monotonic(), 0.001))
            piece = self._line.recv(size - len(received))
            if not piece:
                raise ConnectionResetError
            received += piece
        return bytes(received)

    def resident(self) -> int:
        """Bytes of memory that it has in use."""
        return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE

    def end(self) -> int:
        self._line.close()
        self._process.kill()
        return self._process.wait()
