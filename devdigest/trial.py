"""`./setup.sh try`: the whole main job on sample blogs, told as the commands that one would type.

Everything lies in var/try, made anew each time; nothing outside loopback is spoken to.
"""
import argparse
import shutil
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from devdigest import cli, config, web
from devdigest.models import GROUPS
from devdigest.sample_blogs import SampleBlogs

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
    parser.add_argument("--port", type=int, default=8080, help="of the site (8080)")
    args = parser.parse_args(arguments)
    began = time.monotonic()
    settings = _prepare(f"127.0.0.1:{args.port}")
    with SampleBlogs(datetime.now(UTC).astimezone(config.load(settings).site.timezone)) as sample:
        done = _job(settings, sample)
    mails = sorted((_FOLDER / "mail/new").glob("*"))
    print(f"\n{len(mails)} of {len(_SUBSCRIBERS)} mails are in {_FOLDER}/mail/new, "
          f"{time.monotonic() - began:.0f} s in all")
    if not done or len(mails) != len(_SUBSCRIBERS):
        print("that is not as it should be: the lines above say where it went wrong", file=sys.stderr)
        return 1
    _picture(settings)
    return 0 if args.once else _stay(settings)


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

    done = []
    for group in GROUPS:
        path = _FOLDER / f"{group}.yml"
        path.write_text(sample.list_of(group), encoding="utf-8")
        done.append(devdigest("blogs", "import", str(path), "--group", group))
    for email, language in _SUBSCRIBERS:
        done.append(devdigest("subscribers", "add", email, "--confirmed", "--language", language))
    done += [devdigest("run"), devdigest("blogs", "list", "--failing"), devdigest("status")]
    return all(done)


def _picture(settings: Path) -> None:
    cli.main(["--config", str(settings), "publish", "--preview", str(_FOLDER / "issue.html")])


def _stay(settings: Path) -> int:
    """Serves the site until Ctrl-C."""
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    chosen = config.load(settings)
    print(f"\nthe site     {chosen.site.url}/\nthe issue    {chosen.site.url}/issues/\n"
          f"the mail     {_FOLDER}/issue.html in a browser\nCtrl-C ends it", flush=True)
    try:
        web.serve(chosen, stop)
    except OSError as error:
        print(f"the site cannot be shown on {chosen.web.listen}: {error.strerror}; "
              "`./setup.sh try --port 8081` takes another port", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
