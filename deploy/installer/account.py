"""The user of the services, the folders it needs and may not change, and what it is told in secret."""
import grp
import os
import pwd
from pathlib import Path

from installer import files
from installer.children import ask, must
from installer.layout import USER, Layout

_SHARED = 0o640              # root writes, the services read
_CURE = "sudo useradd --system devdigest tells why"


def make_user() -> bool:
    """Whether it was made now."""
    if ask("getent", "passwd", USER)[0] == 0:
        return False
    must(_CURE, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
         "--shell", "/usr/sbin/nologin", "--comment", "DevDigest", USER)
    return True


def make_folders(layout: Layout, user: str = USER) -> bool:
    """With their rights, which are put right where they are others; whether there was anything to do."""
    uid, gid = pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid
    layout.upgrade.mkdir(parents=True, exist_ok=True)
    _fill(layout.data, uid, gid)
    wanted = ((layout.opt, 0, 0, 0o755), (layout.releases, 0, 0, 0o755), (layout.etc, 0, 0, 0o755),
              (layout.credentials, 0, gid, 0o750), (layout.data, uid, gid, 0o750))
    return [_folder(*folder) for folder in wanted].count(True) > 0


def _fill(data: Path, uid: int, gid: int) -> None:
    """What lies in the data folder is given to the user while the folder is root's yet: new, or closed by
    --purge. Later nothing in it is touched: the user could make it a link, and be given what it leads to.
    """
    data.mkdir(parents=True, exist_ok=True)
    if data.stat().st_uid != 0:
        return
    (data / "backups").mkdir(mode=0o700, exist_ok=True)
    for path in data.rglob("*"):
        os.chown(path, uid, gid, follow_symlinks=False)


def _folder(path: Path, uid: int, gid: int, mode: int) -> bool:
    path.mkdir(parents=True, exist_ok=True)
    found = path.stat()
    if (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (uid, gid, mode):
        return False
    os.chown(path, uid, gid)
    path.chmod(mode)
    return True


def share(path: Path, text: str) -> bool:
    """A file of root's that the services may read and nobody else; whether it changed."""
    return files.replace(path, text, mode=_SHARED, uid=0, gid=grp.getgrnam(USER).gr_gid)


def share_credentials(layout: Layout) -> str:
    """Those that only root may read yet, being new: their names."""
    new = [path for path in sorted(layout.credentials.iterdir()) if path.stat().st_mode & 0o777 != _SHARED]
    for path in new:
        os.chown(path, 0, grp.getgrnam(USER).gr_gid)
        path.chmod(_SHARED)
    return ", ".join(path.name for path in new)
