"""Real feeds, fetched as bytes over loopback: what parse.py makes of them, against what feedparser does."""
import calendar
import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import feedparser
import pytest
import requests

from devdigest import dates
from devdigest.parse import Feed, NotAFeed, parse

FOLDER = Path(__file__).parents[2] / "shared" / "feeds" / "real"
MANIFEST = FOLDER / "MANIFEST.tsv"
SEOUL = ZoneInfo("Asia/Seoul")

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason="the collection of real feeds is not here")


def rows() -> list[dict[str, str]]:
    if not MANIFEST.exists():
        return []
    with MANIFEST.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


# Documents in which we see more than feedparser 6.0.14 alone: entries, dated ones, why.
MORE = {
    "0-vortex__beta.vortex.name__feed.json": (3, 3, "JSON Feed"),
    "feed-rs__feed-rs__jsonfeed_elastic_1.1.json": (3, 2, "JSON Feed"),
    "feedjira__feedjira__json_feed.json": (20, 20, "JSON Feed"),
    "jiyeonseo__jiyeonseo.github.io__feed.json": (20, 20, "JSON Feed"),
    "danmactough__node-feedparser__compressed.xml": (10, 10, "gzip, not said to be"),
    "danmactough__node-feedparser__invalid-characters-gzipped.xml": (25, 25, "gzip, not said to be"),
}
NO_FEED = ("html", "other")         # the `other` one is a page too, of a redirection: <head> without <html>


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(FOLDER))) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def fetch(site: str, file: str) -> Feed:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{site}/{file}", timeout=10)
    assert answer.status_code == 200
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return parse(answer.content, headers, answer.url, SEOUL)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_every_real_document_gives_the_entries_it_has(site, row):
    if row["kind"] in NO_FEED:
        with pytest.raises(NotAFeed) as said:
            fetch(site, row["file"])
        assert str(said.value) == "an HTML page"
        return
    feed = fetch(site, row["file"])
    known = MORE.get(row["file"], (int(row["entries"]), int(row["entries_dated"]), ""))
    assert (len(feed.entries), sum(entry.published is not None for entry in feed.entries)) == known[:2]
    for entry in feed.entries:
        assert entry.guid
        assert "\n" not in entry.title + entry.excerpt
        assert "\ufffd" not in entry.title


# Where feedparser and we part, over every date in the collection.
PARTINGS = {
    "same instant": 2278,
    "midnight or no time: a bare date, as written": 906,
    "neither can": 35,                  # Portuguese month names; HTML within pubDate
    "BST, which feedparser takes for UTC": 19,
    "no zone, which feedparser takes for UTC": 5,
    "slashes, of which feedparser makes November": 20,
}


def parting(raw: str, theirs: datetime | None, ours: datetime | date | None) -> str:
    reason = f"unexplained: {raw} is {ours}"
    if ours is None or theirs is None:
        reason = "neither can" if ours is theirs else reason
    elif not isinstance(ours, datetime):
        if ours in (theirs.date(), (theirs + timedelta(hours=9)).date()):       # midnight in UTC, or in Seoul
            reason = "midnight or no time: a bare date, as written"
    elif (apart := ours.replace(microsecond=0) - theirs) == timedelta():
        reason = "same instant"
    elif apart == timedelta(hours=-1) and raw.endswith(" BST"):
        reason = "BST, which feedparser takes for UTC"
    elif apart == timedelta(hours=-9) and len(raw) == len("2012-11-13T14:36:22"):
        reason = "no zone, which feedparser takes for UTC"
    elif "/" in raw and (theirs.month, theirs.day) == (11, 1):
        reason = "slashes, of which feedparser makes November"
    return reason


def test_dates_are_feedparser_s_but_for_counted_reasons():
    found: Counter[str] = Counter()
    for row in rows():
        for entry in feedparser.parse(io.BytesIO((FOLDER / row["file"]).read_bytes()))["entries"]:
            for key in ("published", "updated", "created"):
                if (raw := dict.get(entry, key)) is not None:
                    parsed = dict.get(entry, f"{key}_parsed")
                    theirs = datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
                    found[parting(raw, theirs, dates.read(raw, SEOUL))] += 1
    assert found == PARTINGS


@pytest.mark.parametrize(("file", "words"), [
    ("danmactough__node-feedparser__iconv.xml", "Ледовый дворец"),          # windows-1251
    ("Ranchero-Software__RSParser__kc0011.rss", "纪念"),                    # gb2312
    ("prof18__RSS-Parser__feed-test-greek.xml", "καραντίνας"),              # iso-8859-7
    ("nmdias__FeedKit__Ampersand.xml", "Brøndby"),                          # iso-8859-1, and a bare &
    ("rbren__rss-parser__uolNoticias.rss", "Líder na pesquisa"),            # iso-8859-1 declared as utf-8
])
def test_documents_in_other_encodings_read_well(site, file, words):
    feed = fetch(site, file)
    assert any(words in entry.title + entry.excerpt for entry in feed.entries)
