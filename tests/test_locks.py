"""One process a step: the lock says who has it, and dies with its process."""
import subprocess
import sys
from pathlib import Path

import pytest

from devdigest.locks import Busy, locked

HOLDER = """
import sys
from pathlib import Path
from devdigest.locks import locked
with locked(Path(sys.argv[1]), "collect"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Another process that has the lock until its input ends."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, folder], cwd=Path(__file__).parents[1],
                               text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_who_comes_second_is_told_which_process_is_at_it(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(Busy, match=f"collect is running already, in process {process.pid}$"), \
                locked(tmp_path, "collect"):
            pytest.fail("two at once")
        process.stdin.close()
    with locked(tmp_path, "collect"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        with locked(tmp_path, "collect"):
            pass


def test_a_step_that_fails_frees_its_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path, "collect"):
        raise ZeroDivisionError
    with locked(tmp_path, "collect"):
        pass


def test_each_step_has_a_lock_of_its_own(tmp_path: Path) -> None:
    with locked(tmp_path, "collect"), locked(tmp_path, "publish"):
        assert {path.name for path in tmp_path.iterdir()} == {"collect.lock", "publish.lock"}


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    (victim := tmp_path / "victim").write_text("as it was")
    (tmp_path / "backup.lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"), locked(tmp_path, "backup"):
        pass
    assert victim.read_text() == "as it was"
