"""Programs that the installer runs: never at the terminal, never asking, their last words kept."""
import os
import subprocess
from collections.abc import Sequence

from installer.tell import Refused

# APT_LISTCHANGES_FRONTEND: apt-listchanges is on Raspberry Pi's Lite image, and pages
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "APT_LISTCHANGES_FRONTEND": "none", "LC_ALL": "C.UTF-8",
          "NEEDRESTART_MODE": "a", "PYTHONDONTWRITEBYTECODE": "1"}


def ask(*words: str, seconds: float = 60, **environment: str) -> tuple[int, str]:
    """(exit status, what it printed); 127 where there is no such program, 124 where it took too long."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", env={**os.environ, **_QUIET, **environment},
                              timeout=seconds, check=False)
    except FileNotFoundError:
        return 127, f"{words[0]}: no such program"
    except subprocess.TimeoutExpired:
        return 124, f"{words[0]}: no answer in {seconds:.0f} s"
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def must(cure: str, *words: str, seconds: float = 600) -> str:
    """What it printed. Raises Refused with its last words."""
    status, said = ask(*words, seconds=seconds)
    if status:
        raise Refused(f"{' '.join(_short(words))}: {reason(status, said)}", cure)
    return said


def _short(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word.startswith("-")][:2]


def reason(status: int, said: str) -> str:
    """The line that tells why: an error's, else the last one."""
    rows = [row.strip() for row in said.splitlines() if row.strip()]
    faults = [row for row in rows if row.startswith(("E:", "Error", "ERROR"))]
    return (faults or rows or [f"exit status {status}"])[-1]
