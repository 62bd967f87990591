"""The work in a unit of its own, and this terminal following it: a lost SSH line ends only the following."""
import subprocess
import sys
import time
from pathlib import Path

from installer.children import ask
from installer.tell import Refused

UNIT = "devdigest-setup"
LOG = Path("/run/devdigest-setup.log")
_TICK = 0.2         # seconds


def follow(source: Path, words: list[str]) -> int:
    """The exit status of the work. Raises Refused where another one is at it."""
    _alone()
    LOG.unlink(missing_ok=True)
    LOG.touch(mode=0o600)
    unit = subprocess.Popen(_command(source, words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            start_new_session=True)         # so that no signal of the terminal reaches it
    try:
        return _until_done(unit)
    except KeyboardInterrupt:
        print(f"\nthe work goes on without this terminal; to see it: sudo tail -f {LOG}\n"
              f"to stop it: sudo systemctl stop {UNIT}, then sudo ./setup.sh", file=sys.stderr)
        return 1


def _alone() -> None:
    if ask("systemctl", "is-active", UNIT)[1].strip() in ("active", "activating", "deactivating"):
        raise Refused("another setup.sh is at work", f"wait for it; to see it: sudo tail -f {LOG}")


def _command(source: Path, words: list[str]) -> list[str]:
    # --wait gives the unit's exit status, --collect forgets a failed unit, so that its name is free again
    return ["systemd-run", f"--unit={UNIT}", "--wait", "--collect", "--quiet",
            f"--property=StandardOutput=append:{LOG}", f"--property=StandardError=append:{LOG}",
            f"--setenv=PYTHONPATH={source / 'deploy'}:{source}", "--setenv=PYTHONDONTWRITEBYTECODE=1",
            "--setenv=LANG=C.UTF-8", "--working-directory=/",
            sys.executable, "-P", "-m", "installer", "--work", *words]


def _until_done(unit: "subprocess.Popen[bytes]") -> int:
    with LOG.open(encoding="utf-8", errors="replace") as log:
        ended = None
        while ended is None:
            ended = unit.poll()         # before the last look, so that nothing is missed
            sys.stdout.write(log.read())
            sys.stdout.flush()
            if ended is None:
                time.sleep(_TICK)
    return ended
