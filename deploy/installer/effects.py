"""Everything an upgrade does to the machine, in one place: tests count these and end the run at any."""
import fcntl
import http.client
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from installer import databases, files
from installer.layout import USER, Layout
from installer.tell import Refused

_PATIENCE = 120                         # seconds for systemd: a start waits for READY of both
_OF_DATABASE = 1800                     # seconds to copy or upgrade a large one on an old card
_ASK_AGAIN = "minutely"                # see guard()
_GUARD = "devdigest-recover-again"


class Effects:
    """On this machine; `user` is who owns the database, None for whoever runs this."""

    def __init__(self, layout: Layout, user: str | None = USER) -> None:
        self.layout, self._user = layout, user if os.geteuid() == 0 else None

    def write(self, path: Path, text: str) -> bool:
        return files.replace(path, text)

    def remove(self, path: Path) -> bool:
        return files.remove(path)

    def link(self, path: Path, target: Path) -> None:
        files.link(path, target)

    def remove_folder(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)

    def close_folder(self, path: Path) -> None:
        """Root's alone, as its owner is no more."""
        for one in (path, *path.rglob("*")):
            os.chown(one, os.geteuid(), os.getegid(), follow_symlinks=False)
        path.chmod(0o700)

    def forget_user(self, name: str) -> None:
        """Of the system, where there is one."""
        if self._user:
            self._run(["userdel", name], _PATIENCE, fine=(0, 6))        # 6: no such user

    def command(self, *words: str) -> str:
        return self._run(list(words), _OF_DATABASE)

    def own_folder(self, path: Path) -> None:
        """A folder for the service user alone, in one that is root's."""
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
        if self._user:
            shutil.chown(path, self._user, self._user)

    def systemctl(self, *words: str, fine: tuple[int, ...] = (0,)) -> str:
        """What it printed. Raises Refused where it fails, or does not end."""
        return self._run(["systemctl", *words], _PATIENCE, fine=fine)

    def database(self, verb: str, *paths: Path) -> dict[str, Any]:
        """databases.py, as the service user."""
        text = Path(databases.__file__).read_text(encoding="utf-8")
        return self._as_service(["python3", "-I", "-", verb, *map(str, paths)], text)

    def by_release(self, release: Path, module: str, *words: str) -> dict[str, Any]:
        """A module of that release's code, in its own venv, as the service user."""
        return self._as_service([str(release / "venv/bin/python"), "-P", "-m", module, *words],
                                PYTHONPATH=str(release))

    def health(self, listen: str) -> str:
        """The release that answers there; "" where none does, or it does not tell."""
        connection = http.client.HTTPConnection(listen, timeout=5)
        try:
            connection.request("GET", "/health")
            return str(json.loads(connection.getresponse().read(65_536)).get("release", ""))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def guard(self, release: Path) -> None:
        """From now on systemd looks every minute whether this run has died: then it is ended for it.

        Without, a setup that is killed would leave a database to be put back at the next boot, weeks later.
        """
        self.unguard()
        self._run(["systemd-run", "--quiet", "--collect", f"--unit={_GUARD}",
                   f"--on-calendar={_ASK_AGAIN}", "--timer-property=AccuracySec=1s",
                   f"--setenv=PYTHONPATH={release / 'deploy'}", "/usr/bin/python3", "-P", "-B",
                   "-m", "installer.recover"], _PATIENCE)

    def unguard(self) -> None:
        self.systemctl("stop", f"{_GUARD}.timer", fine=(0, 5))

    def _as_service(self, command: list[str], text: str = "", **environment: str) -> dict[str, Any]:
        identity = {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}
        environment |= {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8",
                        "PYTHONDONTWRITEBYTECODE": "1"}
        said = self._run(command, _OF_DATABASE, text=text, env=environment, cwd="/", umask=0o077, **identity)
        return json.loads(said)

    def _run(self, command: list[str], patience: float, text: str = "", fine: tuple[int, ...] = (0,),
             **how: Any) -> str:
        try:
            done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=patience,
                                  check=False, **how)
        except subprocess.TimeoutExpired as error:
            raise Refused(f"`{' '.join(command[:3])}` did not end in {patience:.0f} s",
                          "sudo journalctl -u 'devdigest*' -n 50") from error
        if done.returncode not in fine:
            words = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
            # systemctl says first what failed, and then where to look; a program's last line is its reason
            said = words[0] if command[0] == "systemctl" else words[-1]
            raise Refused(said, "sudo journalctl -u 'devdigest*' -n 50")
        return done.stdout


def lock(path: Path) -> int | None:
    """A file held until the process ends; None where another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
