"""What is counted as written is what goes to the disk."""
import os
import threading
from pathlib import Path

import pytest

from devdigest.wear import in_words, written

MB = 1_000_000

pytestmark = pytest.mark.skipif(written() is None, reason="this kernel does not count")


def write(path: Path, count: int) -> int:
    """What was counted meanwhile."""
    before = written()
    with path.open("wb") as file:
        file.write(os.urandom(count))
        file.flush()
        os.fsync(file.fileno())
    return written() - before


def test_what_a_thread_writes_is_counted_and_not_what_another_one_does(tmp_path: Path) -> None:
    if not (own := write(tmp_path / "own", 2 * MB)):
        pytest.skip(f"{tmp_path} is not on a disk")
    assert 2 * MB <= own < 3 * MB
    before = written()
    other = threading.Thread(target=write, args=(tmp_path / "other", 2 * MB))
    other.start()
    other.join()
    assert written() - before < MB


def test_it_is_told_in_megabytes() -> None:
    assert in_words(2_948_123) == "2.9 MB"
