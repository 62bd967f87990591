"""The site's sign of life: given while requests are taken up, and not once every thread hangs."""
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from waitress.task import ThreadedTaskDispatcher

from devdigest.web.pulse import Pulse


class Request:
    """As waitress queues it; takes until `done`."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def service(self) -> None:
        self.done.wait(30)

    def cancel(self) -> None:
        """Where the server ends before its turn."""


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The end at which systemd listens, and expects a sign of life every 0.3 s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        yield line


@pytest.fixture
def dispatcher() -> Iterator[ThreadedTaskDispatcher]:
    """With a single thread."""
    threads = ThreadedTaskDispatcher()
    threads.set_thread_count(1)
    yield threads
    threads.shutdown()


def signs(pulse: Pulse, systemd: socket.socket) -> int:
    """How many are given within half a second."""
    for _ in range(10):
        pulse.beat()
        time.sleep(0.05)
    count = 0
    while True:
        try:
            count += systemd.recv(100) == b"WATCHDOG=1"
        except BlockingIOError:
            return count


def test_it_lives_while_requests_are_taken_up(dispatcher: ThreadedTaskDispatcher,
                                              systemd: socket.socket) -> None:
    pulse, long, waiting = Pulse(dispatcher), Request(), Request()
    assert 2 <= signs(pulse, systemd) <= 5          # not at each turn of the loop
    dispatcher.add_task(long)
    assert signs(pulse, systemd) >= 2               # nobody waits for it
    dispatcher.add_task(waiting)
    assert signs(pulse, systemd) <= 1               # every thread hangs
    long.done.set()
    assert signs(pulse, systemd) >= 2
    waiting.done.set()
