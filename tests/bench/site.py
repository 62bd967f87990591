"""The site, measured: 20,000 posts, 300 issues, 5,000 subscribers; wrk beside a hello world of the same kind.

    .venv/bin/python tests/bench/site.py [--seconds 3] [--rounds 5]

Both are real processes with the same threads, and take turns, so that a busy machine slows both; what counts
are the ratios, the median of all rounds. Needs Debian's wrk. All traffic stays on loopback.
"""
import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from feed_server import FeedServer  # noqa: E402
from relay import free_port  # noqa: E402

from devdigest import database, fulltext  # noqa: E402
from devdigest.fetching import Fetching  # noqa: E402
from devdigest.models import Blog, Issue, IssuePost, Post  # noqa: E402
from devdigest.readers import Delivery, Subscriber  # noqa: E402
from devdigest.table import db  # noqa: E402

BLOGS, POSTS, ISSUES, READERS, FEEDS = 2_000, 20_000, 300, 5_000, 300
PER_ISSUE, THREADS = 60, 4
NOW = datetime.now(UTC)
NEWEST = NOW.date()
BROWSER = "Accept-Language: ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"

SETTINGS = f"""\
[site]
clock = "trust"
[collect]
allow_private = true
gap = 0.0
per_operator = 8
[web]
listen = "127.0.0.1:{{port}}"
threads = {THREADS}
[database]
path = "{{folder}}/devdigest.db"
"""

HELLO = f"""\
import logging, sys
import bottle, waitress
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
app = bottle.Bottle()
app.route("/", "GET", lambda: "hello, world")
waitress.serve(app, listen="127.0.0.1:" + sys.argv[1], threads={THREADS})
"""

COMMON = ("개발", "회고", "데이터베이스", "인덱스", "쿠버네티스", "배포", "성능", "테스트", "장애",
          "SQLite", "Kafka", "설계", "비동기", "메모리", "캐시", "검색", "latency", "p99", "API")
SYLLABLES = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
ENDINGS = ("", "", "를", "에서", "의")


class Speed(NamedTuple):
    per_second: float
    p99: float          # milliseconds


def text(chance: random.Random, words: int) -> str:
    """Of these words the first is in every second post, the others in fewer; most words are rare."""
    def word() -> str:
        if chance.random() < 0.2:
            return COMMON[min(int(chance.expovariate(0.15)), len(COMMON) - 1)] + chance.choice(ENDINGS)
        return "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4)))
    return " ".join(word() for _ in range(words))


def seed(path: Path) -> None:
    chance = random.Random(1)
    database.open(path)
    with db.atomic():
        insert(Blog, [a_blog(chance, number) for number in range(BLOGS)])
        Fetching.update(read=NOW).execute()
        insert(Post, [a_post(chance, number) for number in range(POSTS)])
        insert(Issue, [{"day": NEWEST - timedelta(days=number), "state": "published", "created": NOW,
                        "blogs": BLOGS, "reached": BLOGS - 40} for number in range(ISSUES)])
        for issue in Issue.select():
            freeze(issue)
        insert(Subscriber, [{"email": f"r{number}@example.org", "state": "active", "created": NOW,
                             "confirmed": NOW} for number in range(READERS)])
        Delivery.queue_for_active(Issue.of(NEWEST), NOW)
        fulltext.put_in(list(Post.select(Post.id)))
    db.close()


def a_blog(chance: random.Random, number: int) -> dict[str, object]:
    site = f"b{number}.example.org"
    return {"name": f"{text(chance, 2)} {number}", "site": f"https://{site}/", "site_key": site,
            "feed": f"https://{site}/feed", "feed_key": f"{site}/feed", "added": NOW, "first_read": NOW,
            "group": ("team", "people", "overseas")[number % 3]}


def a_post(chance: random.Random, number: int) -> dict[str, object]:
    return {"blog": chance.randrange(BLOGS) + 1, "guid": f"{number}", "key": f"b.example.org/{number}",
            "url": f"https://b.example.org/{number}", "title": text(chance, 6), "excerpt": text(chance, 25),
            "tags": text(chance, 1), "minutes": number % 15, "verdict": "news", "first_seen": NOW,
            "day": NEWEST - timedelta(days=1 + number // PER_ISSUE)}


def insert(table: type, rows: list[dict[str, object]]) -> None:
    for first in range(0, len(rows), 500):
        table.insert_many(rows[first:first + 500]).execute()


def freeze(issue: Issue) -> None:
    posts = list(Post.select(Post, Blog).join(Blog).where(Post.day == issue.day - timedelta(days=1)))
    drafts = IssuePost.drafts(issue, sorted(posts, key=lambda post: post.blog.group), [])
    IssuePost.bulk_create(drafts, 500)


@contextmanager
def running(port: int, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, *command], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield process
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            return urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers on port {port}")


def wrk(url: str, connections: int, seconds: int) -> Speed:
    arguments = ("-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", BROWSER)
    said = subprocess.run(["wrk", *arguments, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        print(said)
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    return Speed(float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),
                 float(number) * {"us": 0.001, "ms": 1, "s": 1_000}[unit])


def compare(name: str, url: str, hello: str, connections: int, chosen: argparse.Namespace) -> None:
    pairs = [(wrk(hello, connections, chosen.seconds), wrk(url, connections, chosen.seconds))
             for _ in range(chosen.rounds)]
    rate = statistics.median(ours.per_second / base.per_second for base, ours in pairs)
    p99 = statistics.median(ours.p99 / base.p99 for base, ours in pairs)
    bases, ours = zip(*pairs, strict=True)
    rates = f"{usual(ours, 0):>5,.0f}/s of {usual(bases, 0):>5,.0f}/s = {rate:4.2f}"
    print(f"{name:<29} {connections:>2} connections   {rates}   "
          f"p99 {usual(ours, 1):5.1f} of {usual(bases, 1):5.1f} ms = {p99:4.2f}", flush=True)


def usual(speeds: tuple[Speed, ...], place: int) -> float:
    return statistics.median(speed[place] for speed in speeds)


@contextmanager
def collecting(folder: Path, settings: Path) -> Iterator[None]:
    """Meanwhile one collect after the other, of feeds that have a new post each time."""
    stop = threading.Event()
    with FeedServer() as feeds:
        urls = [feeds.url(f"/{number}") for number in range(FEEDS)]
        (folder / "list.txt").write_text("\n".join(urls))
        subprocess.run([sys.executable, "-m", "devdigest", "--config", settings, "blogs", "import",
                        folder / "list.txt"], cwd=ROOT, check=True, capture_output=True)
        database.open(folder / "devdigest.db")
        Blog.update(state="paused", paused_for="owner").where(Blog.id <= BLOGS).execute()
        db.close()
        loop = threading.Thread(target=collect, args=(feeds, settings, stop))
        loop.start()
        try:
            yield
        finally:
            stop.set()
            loop.join()


def collect(feeds: FeedServer, settings: Path, stop: threading.Event) -> None:
    chance, times = random.Random(2), 0
    while not stop.is_set():
        times += 1
        for number in range(FEEDS):
            feeds.serve(f"/{number}", a_feed(chance, number, times))
        done = subprocess.run([sys.executable, "-m", "devdigest", "--config", settings, "collect"], cwd=ROOT,
                              capture_output=True, text=True)
        if times == 1 or done.returncode:
            print(f"    {(done.stdout + done.stderr).strip()}", flush=True)


def a_feed(chance: random.Random, number: int, times: int) -> bytes:
    items = "".join(
        f"<item><title>{text(chance, 6)}</title><guid>{number}-{post}</guid>"
        f"<link>https://f{number}.example.org/{post}</link><description>{text(chance, 99)}</description>"
        f"<pubDate>{NOW - timedelta(minutes=60 - post):%a, %d %b %Y %H:%M:%S} +0000</pubDate></item>"
        for post in range(times, times + 20))
    return f'<rss version="2.0"><channel><title>{number}</title>{items}</channel></rss>'.encode()


def searching(site: str, hello: str) -> None:
    """One visitor at a time; beside it what the machine itself adds."""
    for name, asked in (("two syllables", "q=회고"), ("a common word", "q=개발"),
                        ("two terms", "q=데이터베이스 p99"), ("a page far behind", "q=개발&page=100"),
                        ("best first", "q=개발&order=best")):
        pairs = [(took(hello), took(f"{site}/search?{quote(asked, safe='=&')}")) for _ in range(300)]
        hellos, searches = zip(*pairs, strict=True)
        print(f"search: {name:<18} p50 {statistics.median(searches):5.1f} ms   p99 {p99_of(searches):5.1f} "
              f"ms (hello's {p99_of(hellos):.1f} ms)", flush=True)


def p99_of(times: tuple[float, ...]) -> float:
    return statistics.quantiles(times, n=100)[98]


def took(url: str) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    with urlopen(url, timeout=10) as answer:
        answer.read()
    return (time.perf_counter() - began) * 1_000


def memory(process: subprocess.Popen[bytes], when: str) -> None:
    told = {name: int(kilobytes) / 1_000 for name, kilobytes in re.findall(
        r"^(Rss|Pss):\s+(\d+)", Path(f"/proc/{process.pid}/smaps_rollup").read_text(), re.MULTILINE)}
    print(f"web process {when}: RSS {told['Rss']:.1f} MB, PSS {told['Pss']:.1f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3, help="of each run of wrk")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port, hello_port = Path(name), free_port(), free_port()
        settings = folder / "config.toml"
        settings.write_text(SETTINGS.format(folder=folder, port=port))
        began = time.monotonic()
        seed(folder / "devdigest.db")
        print(f"seeded in {time.monotonic() - began:.0f} s")
        with (running(port, "-m", "devdigest", "--config", str(settings), "web") as process,
              running(hello_port, "-c", HELLO, str(hello_port))):
            measure(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{hello_port}/", process, folder, chosen)


def measure(site: str, hello: str, process: subprocess.Popen[bytes], folder: Path,
            chosen: argparse.Namespace) -> None:
    pages = (("home", f"{site}/"), ("newest issue", f"{site}/issues/{NEWEST}"))
    memory(process, "at first")
    for name, url in pages:
        with urlopen(url) as answer:
            print(f"{name}: {len(answer.read()):,} bytes")
        for connections in (8, 50):
            compare(name, url, hello, connections, chosen)
    searching(site, hello)
    with collecting(folder, folder / "config.toml"):
        for name, url in pages:
            compare(f"{name}, during a collect", url, hello, 8, chosen)
    memory(process, "at the end")


if __name__ == "__main__":
    main()
