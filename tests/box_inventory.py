"""What a machine holds, a line each: run in the box before and after, to see what is left behind."""
import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

# what changes by itself, what dpkg and apt remember of themselves, and the folder of the checkout
_NOT_OURS = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/var/lib/apt",
             "/var/lib/dpkg", "/var/lib/systemd/timesync", "/home/pi")
_TOLD_APART = ("passwd", "group", "shadow", "gshadow")  # by the users and groups in them
_READ = ("/etc", "/root", "/opt", "/usr/local")         # here also what a file says counts
_ASKED = {"user": "getent passwd", "group": "getent group",
          "package": "dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n'",
          "installed unit": "systemctl list-unit-files --no-legend | grep -v ' transient '",
          "loaded unit": "systemctl list-units --all --no-legend --plain 'devdigest*' 'caddy*'",
          "port": "ss -ltunH | awk '{ print $1, $5 }'"}


def main() -> None:
    for kind, command in _ASKED.items():
        said = subprocess.run(command, shell=True, text=True, capture_output=True, check=True).stdout
        print(*(f"{kind}: {line}" for line in sorted(said.splitlines())), sep="\n")
    print(*files(), sep="\n")


def files() -> Iterator[str]:
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if not str(Path(folder, name)).startswith(_NOT_OURS)]
        yield from (described(Path(folder, name)) for name in (".", *names))


def described(path: Path) -> str:
    found = path.lstat()
    said = ""
    if (stat.S_ISREG(found.st_mode) and str(path).startswith(_READ)
            and path.name.rstrip("-") not in _TOLD_APART):
        said = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{stat.filemode(found.st_mode)} {found.st_uid}:{found.st_gid} {path} {said}"


if __name__ == "__main__":
    main()
