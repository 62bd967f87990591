"""A throw-away Debian with systemd as PID 1, to install into; not part of this project, so not everywhere."""
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = Path(os.environ.get("DEVDIGEST_BOX", ROOT.parent / "shared/box/box"))
SUITE = os.environ.get("DEVDIGEST_BOX_SUITE", "bookworm")
_ITS_OWN_FAULT = 125            # exit status of the box where it could not do what it should


class NoBox(Exception):
    """There is none here, or it cannot be started; says why."""


class Box:
    """One machine, by its name. Commands run as root in it."""

    def __init__(self, name: str, suite: str = SUITE, arch: str = "amd64") -> None:
        if not PROGRAM.exists() or os.geteuid() != 0 or shutil.which("unshare") is None:
            raise NoBox(f"no machine to install into: {PROGRAM.name} is absent, or this is not root")
        self._arch, self._environment = arch, {**os.environ, "BOX_NAME": name, "BOX_SUITE": suite}

    def up(self, *options: str, timeout: float = 600) -> None:
        try:
            done = self._call("up", "--arch", self._arch, *options, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise NoBox(f"the machine did not boot in {timeout:.0f} s") from error
        if done.returncode:
            raise NoBox(f"the machine cannot be started: {(done.stdout + done.stderr)[-500:]}")

    def down(self) -> None:
        self._call("down")

    def push(self, source: Path, target: str) -> None:
        """A git work tree: what git tracks or would add."""
        self._done("push", str(source), target)

    def cut(self, *options: str) -> None:
        """The power goes, and comes back: what was not synced is lost."""
        self._done("cut", *options)

    def net(self, on: bool) -> None:
        self._done("net", "on" if on else "off")

    def try_to(self, command: str, timeout: float = 600) -> "subprocess.CompletedProcess[str]":
        """Whatever comes of it."""
        done = self._call("run", command, timeout=timeout)
        if done.returncode == _ITS_OWN_FAULT:
            raise AssertionError(f"the box failed: {done.stderr[-500:]}")
        return done

    def run(self, command: str, timeout: float = 600) -> str:
        """What it printed; AssertionError with all of its words where it failed."""
        done = self.try_to(command, timeout)
        said = f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == 0, f"{command}: {done.returncode}\n{said}"
        return done.stdout

    def journal(self, unit: str) -> str:
        return self._done("journal", unit).stdout

    def _done(self, *words: str) -> "subprocess.CompletedProcess[str]":
        done = self._call(*words)
        assert done.returncode == 0, f"box {words[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done

    def _call(self, *words: str, timeout: float = 600) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([str(PROGRAM), *words], env=self._environment, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=timeout, check=False)


@contextmanager
def booted(name: str, *options: str, suite: str = SUITE) -> Iterator[Box]:
    """A machine of this name, for `with`; where there can be none the test is skipped."""
    try:
        box = Box(name, suite)
        box.up(*options)
    except NoBox as reason:
        pytest.skip(str(reason))
    try:
        yield box
    finally:
        box.down()
