"""Where backups are copied to: a folder on another disk, or one on another machine, by ssh.

Neither is ever mirrored: a fresh card, which has no backups yet, must not empty it.
"""
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from devdigest.copies import sync

ON_PURPOSE = "devdigest-copies"     # a file by whose presence a folder of the same disk is meant
KEY, HOSTS = "copy_key", "copy_hosts"       # beside the database: the service's ssh key, and whom it knows
# no host begins with a dash: to ssh that would be an option
_REMOTE = re.compile(r"([A-Za-z0-9._][A-Za-z0-9._-]*@[A-Za-z0-9._-]+):(.+)")
_SHORT, _LONG = 60, 1800            # seconds: for a word, and for a file


class CopyError(Exception):
    """The copy cannot be made: where to, why, and what to do."""


class Folder:
    """A folder of another disk, or one in which its owner has put the file ON_PURPOSE."""

    def __init__(self, path: Path, beside: Path) -> None:
        self._path = path
        self._ready(beside)

    def names(self) -> list[str]:
        return [path.name for path in self._path.iterdir()]

    def put(self, source: Path, name: str) -> None:
        part = self._path / f".{name}.part"
        try:
            part.unlink(missing_ok=True)        # a link that lay on the stick would be written through
            shutil.copyfile(source, part)
            sync(part)
            part.replace(self._path / name)
            sync(self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise CopyError(f"{self._path}: {error.strerror}") from error

    def remove(self, names: Sequence[str]) -> None:
        for name in names:
            (self._path / name).unlink(missing_ok=True)

    def _ready(self, beside: Path) -> None:
        path = self._path
        try:
            parent = path if path.exists() else path.parent
            if not parent.is_dir():
                raise CopyError(f"{path} is not there: is the stick in, and mounted? `findmnt` tells")
            same = parent.stat().st_dev == beside.stat().st_dev
            if same and not (path / ON_PURPOSE).exists():
                raise CopyError(f"{path} is on the disk of the backups themselves: is the stick mounted? If "
                                f"you mean that folder: touch {path / ON_PURPOSE}")
            path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise CopyError(f"{path}: {error.strerror}; may the service write there?") from error


class Remote:
    """A folder of another machine. Needs nothing there but a login by key, and a shell."""

    def __init__(self, host: str, path: str, folder: Path) -> None:
        self._host, self._path = host, shlex.quote(path)
        self._ssh = ["ssh", "-C", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o",
                     "ServerAliveInterval=15", "-o", "StrictHostKeyChecking=accept-new",
                     "-o", f"UserKnownHostsFile={folder / HOSTS}", "-i", str(folder / KEY), host]
        self._do(f"mkdir -p -m 700 {self._path}")

    def names(self) -> list[str]:
        return self._do(f"ls -1 {self._path}").split("\n")

    def put(self, source: Path, name: str) -> None:
        whole, part = (f"{self._path}/{shlex.quote(one)}" for one in (name, f".{name}.part"))
        self._do(f"umask 077 && cat > {part} && mv {part} {whole} && sync", source)

    def remove(self, names: Sequence[str]) -> None:
        if names:
            self._do(f"cd {self._path} && rm -f -- {shlex.join(names)}")

    def _do(self, command: str, source: Path | None = None) -> str:
        patience = _LONG if source else _SHORT
        try:
            with (source or Path(os.devnull)).open("rb") as given:
                done = subprocess.run([*self._ssh, command], stdin=given, capture_output=True, text=True,
                                      errors="replace", timeout=patience, check=False)
        except subprocess.TimeoutExpired as error:
            raise CopyError(f"{self._host} took more than {patience} s") from error
        except OSError as error:
            raise CopyError(f"ssh: {error.strerror}; `sudo apt install openssh-client`") from error
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise CopyError(f"{self._host}: {said[-1] if said else f'ssh ended with {done.returncode}'}")
        return done.stdout


def reach(copy_to: str, beside: Path, folder: Path) -> Folder | Remote:
    """The place that `copy_to` names. `beside`: the backups' folder; `folder`: the database's.

    Raises CopyError, as all that is done there does.
    """
    if (remote := _REMOTE.fullmatch(copy_to)) is not None:
        return Remote(remote[1], remote[2], folder)
    return Folder(Path(copy_to), beside)
