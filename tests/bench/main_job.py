"""The main job on real input, measured: the real lists, the real feeds under 2,000 addresses, 1,000 mails.

    .venv/bin/python tests/bench/main_job.py [--sink postfix]

Needs the project's data folder `shared` beside the checkout. All traffic stays on loopback. The mails go to
aiosmtpd, with --sink postfix to Postfix' own smtp-sink. Prints each step's wall time, peak memory and bytes
written to disk.
"""
import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from feed_server import FeedServer  # noqa: E402
from relay import FakeRelay, free_port  # noqa: E402

from devdigest.parse import NotAFeed, parse  # noqa: E402

SHARED = ROOT.parent / "shared"
ZONE = ZoneInfo("Asia/Seoul")
BLOGS, READERS = 2_000, 1_000
LISTS = (("db.yml", "people"), ("db_community.yml", "team"), ("db_overseas.yml", "overseas"))

SETTINGS = """\
[site]
clock = "trust"
[collect]
allow_private = true
gap = 0.0
per_operator = 4
[mail]
transport = "smtp"
security = "none"
host = "127.0.0.1"
port = {port}
from = "digest@example.org"
[database]
path = "{folder}/devdigest.db"
"""

# Runs one command in a process of its own, and says what it cost.
MEASURED = """\
import re, sys, time
from devdigest.cli import main
began = time.monotonic()
code = main(sys.argv[1:])
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
written = int(re.search(r"\\nwrite_bytes: (\\d+)", open("/proc/self/io").read())[1]) / 1e6
took = time.monotonic() - began
print(f"    {took:6.1f} s   peak {peak:5.0f} MB   written {written:6.1f} MB   exit {code}")
"""


def command(folder: Path, *words: str) -> None:
    print(f"$ devdigest {' '.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-c", MEASURED, "--config", str(folder / "config.toml"), *words],
                          cwd=ROOT, capture_output=True, text=True, timeout=900)
    print("\n".join(f"    {line.strip()}" for line in done.stdout.splitlines()[-4:]), flush=True)
    if done.returncode:
        print(done.stderr[-2000:])


def real_feeds() -> list[Path]:
    folder = SHARED / "feeds/real"
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".tsv", ".md"))


def best_day(documents: list[Path]) -> tuple[date, int]:
    """The day after the one on which most of these feeds have a post, and how many documents have one."""
    days: Counter[date] = Counter()
    for path in documents:
        try:
            feed = parse(path.read_bytes(), {}, "http://127.0.0.1/", ZONE)
        except NotAFeed:
            continue
        when = (entry.published for entry in feed.entries)
        days.update({one.astimezone(ZONE).date() if hasattr(one, "hour") else one for one in when if one})
    past = datetime.now(ZONE).date()
    day, count = max(((day, count) for day, count in days.items() if day < past),
                     key=lambda pair: (pair[1], pair[0]))
    return day + timedelta(days=1), count


def import_real_lists(folder: Path) -> None:
    command(folder, "init")
    for name, group in LISTS * 2:
        command(folder, "blogs", "import", str(SHARED / "lists" / name), "--group", group)


def main_job(folder: Path, port: int) -> None:
    documents = real_feeds()
    today, count = best_day(documents)
    print(f"\n{len(documents)} documents under {BLOGS:,} addresses; "
          f"{count} of them have a post of the day before {today}")
    with FeedServer(address="0.0.0.0") as feeds:
        for number, path in enumerate(documents):
            feeds.serve(f"/{number}", path.read_bytes(), etag=f'"{number}"')
        urls = [feeds.url(f"/{number % len(documents)}", host=f"127.1.{number // 250}.{number % 250 + 1}")
                for number in range(BLOGS)]
        (folder / "list.txt").write_text("\n".join(urls))
        (folder / "readers.csv").write_text("\n".join(f"reader{n}@example.org" for n in range(READERS)))
        (folder / "config.toml").write_text(SETTINGS.format(folder=folder, port=port))
        command(folder, "init")
        command(folder, "blogs", "import", str(folder / "list.txt"))
        command(folder, "subscribers", "import", str(folder / "readers.csv"), "--confirmed", "--source", "x")
        command(folder, "run", "--today", str(today))
        command(folder, "run", "--today", str(today))
        command(folder, "status")


def by_aiosmtpd(folder: Path) -> None:
    with FakeRelay() as relay:
        main_job(folder, relay.port)
        _told(Counter(recipient for _, recipient, _ in relay.messages))


def by_postfix(folder: Path) -> None:
    port, mails = free_port(), folder / "sink"
    mails.mkdir()
    sink = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
    arguments = ["-u", "root", "-R", str(mails), "-d", "%M.", f"127.0.0.1:{port}", "100"]
    with subprocess.Popen([sink, *arguments]) as process:
        time.sleep(1)
        main_job(folder, port)
        process.terminate()
    text = [path.read_text(errors="replace") for path in mails.iterdir()]
    _told(Counter(line.split("<")[1].split(">")[0] for mail in text for line in mail.splitlines()
                  if line.startswith("X-Rcpt-Args:")))


def _told(got: Counter[str]) -> None:
    twice = sum(count > 1 for count in got.values())
    print(f"\nmails accepted {got.total():,}, recipients {len(got):,}, of these twice {twice}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sink", choices=("aiosmtpd", "postfix"), default="aiosmtpd")
    chosen = parser.parse_args().sink
    with tempfile.TemporaryDirectory() as name:
        lists = Path(name) / "lists"
        lists.mkdir()
        (lists / "config.toml").write_text(SETTINGS.format(folder=lists, port=25))
        import_real_lists(lists)
        job = Path(name) / "job"
        job.mkdir()
        (by_postfix if chosen == "postfix" else by_aiosmtpd)(job)


if __name__ == "__main__":
    main()
