"""The child of `parsing`: documents on its standard input, feeds on its standard output. Ends with its input.

Run as `python -m devdigest.parse_child SECONDS MEMORY ZONE`. Opens, loads and asks nothing once it has begun.
"""
import gc
import importlib
import json
import math
import os
import resource
import signal
import sys
import time
import urllib
from collections.abc import Callable
from importlib.machinery import BuiltinImporter
from types import ModuleType
from typing import BinaryIO
from zoneinfo import ZoneInfo

from devdigest import encoding
from devdigest.feed import Feed, NotAFeed
from devdigest.frames import FAULT, FEED, READY, SIZE, frame, pack

_NICENESS = 5       # behind the site and the mails
# With TLS, cookies and temporary files, a quarter of the child's memory.
_FETCHING = ("urllib.request", "urllib.error", "feedparser.http")
_ALLOCATIONS = 10_000       # between two looks for cycles; a document has few, but many records
_SMALLEST = b"<rss version='2.0'><channel><item/></channel></rss>"

Parse = Callable[..., Feed]


def main() -> None:
    seconds, memory, zone = int(sys.argv[1]), int(sys.argv[2]), ZoneInfo(sys.argv[3])
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    parse = _parser()
    _confine(memory, parse, zone)
    _write(answers, READY)
    while question := _read(questions):
        # the kernel counts from the start of the process, in whole seconds
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + seconds, most))
        _write(answers, _answer(parse, json.loads(question), [_read(questions)], memory, zone))


def _parser() -> Parse:
    """`parse.parse`, loaded without what feedparser would fetch feeds with."""
    sys.modules.update({name: ModuleType(name) for name in _FETCHING})
    urllib.error = sys.modules["urllib.error"]
    urllib.error.URLError = OSError         # which feedparser names as what it lives through
    sys.modules["_hashlib"] = None      # nor OpenSSL for it: hashlib's own functions do
    return importlib.import_module("devdigest.parse").parse


def _confine(memory: int, parse: Parse, zone: ZoneInfo) -> None:
    # Ctrl-C and systemd tell every process at once; this one goes when its parent lets it go.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICENESS)
    encoding.load_codecs()
    parse(_SMALLEST, {}, "", zone)              # what feedparser loads with its first document
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
    sys.meta_path[:] = [BuiltinImporter]        # what is missing now stays so, without a look at the disk
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_NOFILE, 3), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (most, most))


def _answer(parse: Parse, question: dict, bodies: list[bytes], memory: int, zone: ZoneInfo) -> bytes:
    try:
        # taken out, so that it goes from memory as soon as it is decoded
        return FEED + pack(parse(bodies.pop(), question["headers"], question["url"], zone,
                                 bytes.fromhex(question["known"])))
    except NotAFeed as reason:
        return FAULT + str(reason).encode("utf-8", "replace")
    except MemoryError:
        return FAULT + f"reading it needed more than {memory // 1_000_000} MB of memory".encode()


def _read(stream: BinaryIO) -> bytes:
    return stream.read(int.from_bytes(stream.read(SIZE), "big"))


def _write(stream: BinaryIO, answer: bytes) -> None:
    stream.writelines(frame(answer))
    stream.flush()


if __name__ == "__main__":
    main()
