"""When a fetch's time is over, what it waits for ends; whoever is in time is left alone."""
import socket
import threading
import time

import pytest

from devdigest.deadline import Deadline


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "deadlines"]


def until_none_watches() -> bool:
    end = time.monotonic() + 5
    while watchers() and time.monotonic() < end:
        time.sleep(0.01)
    return not watchers()


def waited(seconds: float) -> float:
    """How long a read lasts to which nothing ever comes."""
    ours, theirs = socket.socketpair()
    began = time.monotonic()
    with ours, theirs, Deadline(seconds) as deadline:
        deadline.hold(ours)
        assert ours.recv(1) == b""
        with pytest.raises(TimeoutError):
            deadline.check()
        return time.monotonic() - began


def test_a_read_ends_with_its_deadline() -> None:
    assert 0.2 <= waited(0.2) < 1.5


def test_a_shorter_deadline_that_begins_later_passes_first() -> None:
    with Deadline(30) as long:
        assert waited(0.2) < 1.5
        assert waited(0.1) < 1.5
        assert long.left() > 20


def test_many_deadlines_have_one_thread_that_ends_with_the_last() -> None:
    assert until_none_watches()
    with Deadline(30), Deadline(20), Deadline(10):
        assert len(watchers()) == 1
    assert until_none_watches()


def test_a_connection_held_after_the_deadline_is_cut_off_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.01) as deadline:
        time.sleep(0.1)
        deadline.hold(ours)
        assert ours.recv(1) == b""


def test_deadlines_that_come_and_go_side_by_side_all_hold() -> None:
    lasted: list[float] = []

    def work() -> None:
        for _ in range(200):
            with Deadline(20):
                pass
        lasted.append(waited(0.3))
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lasted) == 8
    assert max(lasted) < 3
    assert until_none_watches()
