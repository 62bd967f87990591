"""Files that are the old one or the new one after a power cut, never half of either."""
import os
from pathlib import Path


def replace(path: Path, text: str, *, mode: int = 0o644, uid: int = -1, gid: int = -1) -> bool:
    """Writes `text` durably, with these rights from the first byte on; whether anything changed.

    A new file is synced under another name, takes the old one's place, and the folder is synced.
    """
    if path.is_file() and not path.is_symlink() and path.read_text(encoding="utf-8") == text:
        path.chmod(mode)
        os.chown(path, uid, gid)
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        os.fchown(file.fileno(), uid, gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)
    return True


def link(path: Path, target: Path) -> None:
    """Makes `path` a link to `target`, in one step for whoever looks."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> bool:
    """Durably; whether it was there."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
