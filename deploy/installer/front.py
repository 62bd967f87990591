"""Debian's caddy in front of the site: our part of its settings, taken into use only if caddy believes it.

Certificates and the account at the CA lie in /var/lib/caddy, which nothing here touches.
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from string import Template

from installer import files
from installer.answers import Answers
from installer.layout import Layout
from installer.tell import Refused

PACKAGES = ("caddy",)               # Debian's that are needed
SERVICE = "caddy.service"
_USER = "caddy"                     # whom Debian's unit runs it as
LISTEN, PROXY = "127.0.0.1:8080", "127.0.0.1"       # [web] listen and proxy of config.toml
_SOURCE = Path(__file__).parents[1] / "caddy"
_KEPT = ".before-devdigest"         # beside Debian's Caddyfile: what it was before us
_WELCOME = [":80 {", "root * /usr/share/caddy", "file_server", "}"]     # Debian's own, without its comments
_SECONDS = 60                       # for caddy's opinion, on a slow card


def write(layout: Layout, answers: Answers, caddy: str | None = None) -> list[str]:
    """The units to reload, or restart where they do not run; none where nothing changed.

    `caddy`: the program that is asked for its opinion, by default the installed one, if there is one. Raises
    Refused where it does not like what would stand there; then everything is as it was.
    """
    site, whole = text(answers, alone=not is_foreign(layout)), _with_import(layout)
    _prove(layout, site, whole, caddy or shutil.which("caddy"))
    _keep(layout)
    changed = [files.replace(layout.caddy_site, site), files.replace(layout.caddyfile, whole),
               files.replace(_drop_in(layout), (_SOURCE / "caddy.service.conf").read_text(encoding="utf-8"))]
    return [SERVICE] if any(changed) else []


def remove(layout: Layout) -> list[str]:
    """Debian's Caddyfile as it was before us; the units to reload. Certificates stay where they are."""
    kept, there = _kept(layout), _read(layout.caddyfile)
    line = _import(layout)
    if line in there.splitlines():
        if _statements(there) == [line] and kept.is_file():
            files.replace(layout.caddyfile, kept.read_text(encoding="utf-8"))
        else:
            lines = [other for other in there.splitlines() if other not in (line, _said(layout))]
            files.replace(layout.caddyfile, "\n".join(lines).rstrip("\n") + "\n")
    gone = [files.remove(path) for path in (kept, layout.caddy_site, _drop_in(layout))]
    if _drop_in(layout).parent.is_dir() and not any(_drop_in(layout).parent.iterdir()):
        _drop_in(layout).parent.rmdir()
    return [SERVICE] if any(gone) else []


def is_foreign(layout: Layout) -> bool:
    """Whether Debian's Caddyfile holds somebody's own sites; then ours is added by one line, without limits
    on time and without our manners of logging, which are settings of the whole server."""
    statements = _statements(_read(layout.caddyfile))
    return bool(statements) and statements not in (_WELCOME, [_import(layout)])


def text(answers: Answers, alone: bool = True) -> str:
    """Our Caddyfile; `alone` where there is no other site, so that the server's own settings are ours too."""
    down = (_SOURCE / "down.html").read_text(encoding="utf-8").strip()
    named = {"name": answers.name, "site": answers.name or "http://", "down": down,
             "tls": f"\t# whom the CA writes to, if the certificate is in danger\n\ttls {answers.owner}"
             if answers.name and answers.owner else "",
             "options": _part("options") if alone else "",
             "strangers": Template(_part("strangers")).substitute(name=answers.name)
             if alone and answers.name else ""}
    return Template(_part("Caddyfile")).safe_substitute(named).replace("\n\n\n", "\n\n").rstrip("\n") + "\n"


def _part(name: str) -> str:
    return (_SOURCE / name).read_text(encoding="utf-8").rstrip("\n")


def _import(layout: Layout) -> str:
    return f"import /{layout.caddy_site.relative_to(layout.root)}"


def _said(layout: Layout) -> str:
    return "# DevDigest's site; `sudo ./setup.sh --uninstall` takes this line away"


def _with_import(layout: Layout) -> str:
    """Debian's Caddyfile as it will be."""
    there, ours = _read(layout.caddyfile), f"{_said(layout)}\n{_import(layout)}\n"
    if not is_foreign(layout):
        return ours
    return there if _import(layout) in there.splitlines() else f"{there.rstrip()}\n\n{ours}"


def _keep(layout: Layout) -> None:
    """What stood there before us, once."""
    there = _read(layout.caddyfile)
    if there and _import(layout) not in there.splitlines():
        files.replace(_kept(layout), there)


def _kept(layout: Layout) -> Path:
    return layout.caddyfile.with_name(layout.caddyfile.name + _KEPT)


def _drop_in(layout: Layout) -> Path:
    return layout.units / "caddy.service.d/devdigest.conf"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _statements(caddyfile: str) -> list[str]:
    lines = (line.strip() for line in caddyfile.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _prove(layout: Layout, site: str, whole: str, caddy: str | None) -> None:
    """Asks caddy for its opinion of both files as they would be, elsewhere. Raises Refused."""
    if caddy is None:
        return
    # opening the log files of others' sites creates them, and root's would be closed to caddy
    user = _USER if layout.root == Path("/") else None
    with tempfile.TemporaryDirectory() as folder:
        tried = Path(folder, "site")
        tried.write_text(site, encoding="utf-8")
        if user:
            shutil.chown(folder, user, user)        # last: root writes into no folder of another's
        # beside the real one, since what else it imports may be named from there
        entry = layout.caddyfile.with_name(f".{layout.caddyfile.name}.tried")
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.write_text(whole.replace(_import(layout), f"import {tried}"), encoding="utf-8")
        try:
            done = subprocess.run([caddy, "validate", "--adapter", "caddyfile", "--config", str(entry)],
                                  env={**os.environ, "HOME": folder, "XDG_DATA_HOME": folder,
                                       "XDG_CONFIG_HOME": folder},
                                  text=True, capture_output=True, stdin=subprocess.DEVNULL, user=user,
                                  group=user, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise Refused(f"caddy has no opinion of its new settings after {_SECONDS} s",
                          "sudo ./setup.sh once more, when the machine is at rest") from error
        finally:
            entry.unlink()
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["nothing"]
        raise Refused(f"caddy refuses what would stand in {layout.caddyfile}: {said[-1]}",
                      f"see what else stands in {layout.caddyfile}; it is as it was")
