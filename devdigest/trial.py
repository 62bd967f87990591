"""`./setup.sh try`: the whole main job on sample blogs, told as the commands that one would type.

Everything lies in var/try, made anew each time; nothing outside loopback is spoken to.
"""
import argparse
import contextlib
import io
import shutil
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from devdigest import cli, config, web
from devdigest.models import GROUPS
from devdigest.sample_blogs import SampleBlogs
from devdigest.worker import Worker

_FOLDER = Path("var/try")
_SUBSCRIBERS = (("ada@example.org", "ko"), ("bob@example.org", "en"), ("carol@example.org", "ko"))
_SETTINGS = """\
# Written by ./setup.sh try. A real installation has its own; see devdigest/config.example.toml.
[site]
url = "http://{listen}"
owner = "owner@example.org"
postal_address = "서울특별시 …"
clock = "trust"

[collect]
allow_private = true        # the sample blogs lie on this machine
total_seconds = 3
per_operator = 8
gap = 0.0

[mail]
maildir = "{folder}/mail"
from = "digest@example.org"

[web]
listen = "{listen}"

[database]
path = "{folder}/devdigest.db"
"""


def main(arguments: list[str]) -> int:
    """0 only if every subscriber's mail is there."""
    parser = argparse.ArgumentParser(prog="./setup.sh try", description=__doc__.splitlines()[0])
    parser.add_argument("--once", action="store_true", help="end when the mails are there")
    parser.add_argument("--port", type=_port, default=8080, help="of the site (8080)")
    args = parser.parse_args(arguments)
    listen = f"127.0.0.1:{args.port}"
    if not args.once and (reason := _taken(args.port)):
        print(f"{listen}: {reason} (another try?): end that one, or ./setup.sh try --port {args.port + 1}",
              file=sys.stderr)
        return 1
    settings = _prepare(listen)
    with SampleBlogs(datetime.now(UTC).astimezone(config.load(settings).site.timezone)) as sample:
        if not _shown(settings, sample):
            print("that is not as it should be: the lines above say where it went wrong", file=sys.stderr)
            return 1
        return 0 if args.once else _stay(settings)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65535:
        raise argparse.ArgumentTypeError(f"expected 1 to 65534, got {text!r}")
    return int(text)


def _taken(port: int) -> str:
    """Why the site cannot be shown there; asked before the last try's folder is made anew."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _shown(settings: Path, sample: SampleBlogs) -> bool:
    """Does the job and says where to look; whether every mail is there."""
    began = time.monotonic()
    done = _job(settings, sample)
    mails = sorted((_FOLDER / "mail/new").glob("*"))
    print(f"\n{len(mails)} of {len(_SUBSCRIBERS)} mails are in {_FOLDER}/mail/new, "
          f"{time.monotonic() - began:.0f} s in all")
    if not done or len(mails) != len(_SUBSCRIBERS):
        return False
    page = _FOLDER / "issue.html"
    with contextlib.redirect_stdout(io.StringIO()):
        cli.main(["--config", str(settings), "publish", "--preview", str(page)])
    print(f"as a page   {page}\ngo on with  .venv/bin/devdigest --config {settings} status", flush=True)
    return True


def _prepare(listen: str) -> Path:
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    path = _FOLDER / "config.toml"
    path.write_text(_SETTINGS.format(folder=_FOLDER, listen=listen), encoding="utf-8")
    return path


def _job(settings: Path, sample: SampleBlogs) -> bool:
    """The main job in the owner's own words; whether every command ended well."""
    def devdigest(*words: str) -> bool:
        print(f"\n$ devdigest {' '.join(words)}", flush=True)
        return cli.main(["--config", str(settings), *words]) == 0

    commands: list[tuple[str, ...]] = [("init",)]
    commands += [("blogs", "import", _list(sample, group), "--group", group) for group in GROUPS]
    commands += [("subscribers", "add", email, "--confirmed", "--language", language)
                 for email, language in _SUBSCRIBERS]
    commands += [("run",), ("blogs", "list", "--failing"), ("status",)]
    return all(devdigest(*words) for words in commands)


def _list(sample: SampleBlogs, group: str) -> str:
    path = _FOLDER / f"{group}.yml"
    path.write_text(sample.list_of(group), encoding="utf-8")
    return str(path)


def _stay(settings: Path) -> int:
    """Serves the site until Ctrl-C, and does what falls due meanwhile: who signs up gets a mail."""
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    chosen = config.load(settings)
    print(f"the site    {chosen.site.url}/ (sign up there: its mails come into {_FOLDER}/mail/new)\n"
          f"the issue   {chosen.site.url}/issues/\nCtrl-C ends it", flush=True)
    worker = threading.Thread(target=Worker(chosen, "", stop).run)
    worker.start()
    web.serve(chosen, stop)
    worker.join()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
