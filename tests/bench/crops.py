"""What the farm grows: feeds as on a real list by operator, size and manners, and their documents.

Pure and deterministic: the same count, seed and day give the same bytes.
"""
import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape
from typing import NamedTuple

BUILT = b"@built@"      # in a document, where its build date is to stand

# Of 2,000 feeds on Awesome Devblog, how many at which operator; the others have a host of their own.
_OF = 2_000


class Platform(NamedTuple):
    name: str
    feeds: int
    hosts: bool         # whether each blog has a sub-domain
    style: str


PLATFORMS = (Platform("tistory", 485, True, "escaped"), Platform("medium", 277, False, "content"),
             Platform("velog", 266, False, "cdata"), Platform("github", 256, True, "atom"),
             Platform("brunch", 149, False, "cdata"), Platform("naver", 90, False, "cdata"))
_OWN_STYLES = ("content", "atom", "escaped", "cdata")


@dataclass(frozen=True, kw_only=True)
class Feed:
    number: int
    operator: str
    host: str               # a sub-domain, or the operator's one host
    style: str              # how its document is written
    size: int               # of its document, bytes, about: escapes come on top
    entries: int
    latency: float          # seconds until it answers
    manner: str             # "answers", or what it does instead: hangs, drips, resets, gone
    fresh: str              # "etag", "modified", "both"; "built": a new build date each time; "" for none
    changes: bool           # has a new post on day two


def plan(count: int, seed: int = 1) -> list[Feed]:
    """The feeds in the order of the list, which is no order of operators."""
    chance = random.Random(seed)
    places = _places(count, chance)
    manners = _mixed(chance, count, {"hangs": 0.005, "drips": 0.005, "resets": 0.01, "gone": 0.02},
                     "answers")
    fresh = _mixed(chance, count, {"etag": 0.2, "modified": 0.2, "both": 0.2, "built": 0.2}, "")
    changes = _mixed(chance, count, {"changes": 0.05}, "")
    return [Feed(number=number, operator=operator, host=host, style=style,
                 size=round(_lognormal(chance, 54_000, 230_000, 0.9, 900_000)),
                 entries=chance.choice((5, 10, 10, 20, 20, 30, 50)),
                 latency=_lognormal(chance, 0.14, 1.3, 0.95, 5.0),
                 manner=manners[number], fresh=fresh[number], changes=changes[number] != "")
            for number, (operator, host, style) in enumerate(places)]


def _places(count: int, chance: random.Random) -> list[tuple[str, str, str]]:
    places = [(one.name, f"{one.name}-{number}" if one.hosts else one.name, one.style)
              for one in PLATFORMS for number in range(round(one.feeds * count / _OF))]
    places += [(f"own-{number}", f"own-{number}", _OWN_STYLES[number % len(_OWN_STYLES)])
               for number in range(count - len(places))]
    chance.shuffle(places)
    return places


def _mixed(chance: random.Random, count: int, shares: dict[str, float], rest: str) -> list[str]:
    """`count` words: each at least once and in its share, then `rest`; shuffled."""
    words = [word for word, share in shares.items() for _ in range(max(1, round(share * count)))]
    words = (words + [rest] * count)[:count]
    chance.shuffle(words)
    return words


def _lognormal(chance: random.Random, median: float, high: float, quantile: float, most: float) -> float:
    """So that the given share of all is below `high`."""
    distance = {0.9: 1.2816, 0.95: 1.6449}[quantile]        # of that quantile, in standard deviations
    return min(median * math.exp(chance.gauss(0, math.log(high / median) / distance)), most)


def version(feed: Feed, day: int) -> int:
    """Of its document: 1, and one more from each day on that brings a post: to one feed in twenty a day."""
    return 1 + (feed.changes and day > 1) + sum(_changes(feed.number, one) for one in range(3, day + 1))


@cache
def _changes(number: int, day: int) -> bool:
    return random.Random(f"{number} on {day}").random() < 0.05


def document(feed: Feed, version: int, today: date) -> bytes:
    """Newest entry first, as many in each version; BUILT once. All dated before `today`."""
    share = feed.size // feed.entries
    entries = [_entry(feed, number, share, today)
               for number in range(feed.entries + version - 1, version - 1, -1)]
    head, tail = _FRAMES[feed.style == "atom"]
    given = {"site": _site(feed), "title": f"{feed.host} 개발 블로그", "built": BUILT.decode()}
    return (head.format(**given) + "".join(entries) + tail).encode()


def _site(feed: Feed) -> str:
    return f"https://blog{feed.number}.example.org"


def _entry(feed: Feed, number: int, size: int, today: date) -> str:
    chance = random.Random(f"{feed.number}/{number}")
    words, paragraphs = prose()
    days = max(1, 2 + 5 * (feed.entries - number))      # the one that is new on day two is yesterday's
    when = datetime.combine(today, time(), UTC) - timedelta(days=days, minutes=-chance.randrange(1_440))
    start = chance.randrange(len(paragraphs))
    html = _cut(paragraphs, start, size) or " ".join(words[start:start + size // 10])
    shown = {"title": " ".join(chance.sample(words, 5)), "link": f"{_site(feed)}/posts/{number}",
             "tag": chance.choice(words), "author": feed.host, "rfc": format_datetime(when),
             "iso": when.isoformat(), "html": html, "text": " ".join(words[start:start + 25]),
             "guid": f"{feed.number}-{number}"}
    if feed.style in ("escaped", "atom"):
        shown["html"] = escape(html)
    return _ENTRIES[feed.style].format(**shown)


def _cut(paragraphs: list[str], start: int, size: int) -> str:
    """Paragraphs from `start` on that come to about `size` bytes; none where the first is too long."""
    chosen, left = [], size - 600       # for the elements around it
    for place in range(start, start + size // 100):
        paragraph = paragraphs[place % len(paragraphs)]
        left -= len(paragraph.encode())
        if left < 0:
            break
        chosen.append(paragraph)
    return "".join(chosen)


@cache
def prose() -> tuple[list[str], list[str]]:
    """(words, paragraphs of HTML with some 25 tags a kilobyte, as in real feeds)"""
    chance = random.Random(7)
    syllables = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(2_500)]
    words += ["SQLite", "latency", "p99", "API", "Kubernetes", "React", "async", "GC", "B-tree"] * 20
    chance.shuffle(words)
    return words, [_paragraph(chance, words) for _ in range(600)]


def _paragraph(chance: random.Random, words: list[str]) -> str:
    frame = chance.choice(_PARAGRAPHS)
    return frame.format(" ".join(_word(chance, words) for _ in range(chance.randint(15, 60))))


def _word(chance: random.Random, words: list[str]) -> str:
    word = chance.choice(words)
    return chance.choice(_INLINE).format(word) if chance.random() < 0.16 else word


_PARAGRAPHS = ('<p data-ke-size="size16">{}</p>\n', "<p>{}</p>\n", "<ul>\n<li>{}</li>\n</ul>\n",
               "<h3>{}</h3>\n", "<blockquote><p>{}</p></blockquote>\n",
               '<pre><code class="language-python">{}</code></pre>\n',
               '<figure><img src="/img/1.png" alt="" loading="lazy"><figcaption>{}</figcaption></figure>\n')
_INLINE = ("<b>{}</b>", "<strong>{}</strong>", "<em>{}</em>", "<code>{}</code>", "{}<br>",
           '<span style="color: #333">{}</span>', '<a href="https://example.org/docs">{}</a>',
           '<span class="hljs-keyword">{}</span>')

_RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" \
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
<title>{title}</title><link>{site}</link><description>{title}</description><language>ko</language>
<lastBuildDate>{built}</lastBuildDate><atom:link href="{site}/rss" rel="self" type="application/rss+xml"/>
"""
_ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><generator>Jekyll</generator><title type="html">{title}</title>
<link href="{site}/feed.xml" rel="self"/><link href="{site}" rel="alternate"/><id>{site}/</id>
<updated>{built}</updated>
"""
_FRAMES = ((_RSS, "</channel></rss>\n"), (_ATOM, "</feed>\n"))

_ITEM = """<item><title>{title}</title><link>{link}</link><guid isPermaLink="false">{guid}</guid>
<category>{tag}</category><dc:creator>{author}</dc:creator><pubDate>{rfc}</pubDate>
%s</item>
"""
_ENTRIES = {
    "escaped": _ITEM % "<description>{html}</description>",
    "cdata": _ITEM % "<description><![CDATA[{html}]]></description>",
    "content": _ITEM % ("<description>{text}</description>"
                        "<content:encoded><![CDATA[{html}]]></content:encoded>"),
    "atom": """<entry><title type="html">{title}</title><link href="{link}" rel="alternate" type="text/html"/>
<published>{iso}</published><updated>{iso}</updated><id>{link}</id><author><name>{author}</name></author>
<category term="{tag}"/><content type="html" xml:base="{link}">{html}</content>
<summary type="html">{text}</summary></entry>
"""}
