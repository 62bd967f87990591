"""What a service tells systemd: over the socket it names, and nothing where it names none."""
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from devdigest import notify
from devdigest.watched import Watched


@pytest.fixture(params=["in a folder", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path,
            monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The end at which systemd listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        path = str(tmp_path / "notify") if request.param == "in a folder" else f"\0notify-{os.getpid()}"
        line.bind(path)
        line.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", path.replace("\0", "@"))
        yield line


def test_it_says_what_it_is_and_does(systemd: socket.socket) -> None:
    notify.ready("waiting;\nnext issue at 10:00")
    notify.alive()
    notify.status("delivering: 300 of 1,000 mails")
    notify.stopping()
    assert [systemd.recv(1000).decode() for _ in range(4)] == [
        "READY=1\nSTATUS=waiting; next issue at 10:00", "WATCHDOG=1",
        "STATUS=delivering: 300 of 1,000 mails", "STOPPING=1\nSTATUS=stopping"]


def test_where_nobody_listens_it_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for address in ("", "vsock:2:1234", str(tmp_path / "nobody"), "@nobody-is-here"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify.alive()


def test_who_never_reads_holds_it_up_for_a_moment_only(systemd: socket.socket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, suppress(BlockingIOError):
        other.setblocking(False)
        while True:
            other.sendto(b"full", systemd.getsockname())
    began = time.monotonic()
    notify.alive()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("environ", "seconds"), [
    ({}, None),
    ({"WATCHDOG_USEC": "120000000"}, 120.0),
    ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, None),            # of another process
    ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}, 120.0),
    ({"WATCHDOG_USEC": "soon"}, None)])
def test_the_patience_of_the_watchdog(environ: dict[str, str], seconds: float | None) -> None:
    assert notify.patience(environ) == seconds


def test_only_who_looks_at_stop_moves() -> None:
    stop = threading.Event()
    watched = Watched(stop)
    time.sleep(0.5)
    assert watched.silent() >= 0.5
    assert not watched.is_set()
    assert watched.silent() < 0.5
    stop.set()
    assert watched.is_set()
    assert watched.wait()


def test_who_waits_is_told_of_the_end_at_once() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    assert Watched(stop).wait(5)
    assert time.monotonic() - began < 3


def test_a_wait_ends_in_time() -> None:
    began = time.monotonic()
    assert not Watched(threading.Event()).wait(0.1)
    assert 0.1 <= time.monotonic() - began < 3
