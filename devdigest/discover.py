"""Where a feed may lie: which URLs can be one's, what a page names, where else to ask. Fetches nothing."""
import ipaddress
import re
from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import urlsplit

from devdigest.addresses import is_at_home, is_public
from devdigest.urls import LONGEST, http_url

# Paths worth asking where a page names no feed: WordPress, Tistory, Hexo, Jekyll, Hugo, Ghost.
GUESSES: tuple[str, ...] = ("/feed", "/rss", "/rss.xml", "/atom.xml", "/feed.xml", "/index.xml")

# Platforms whose pages name no feed, or not to us; 600 of 1,994 feeds on Awesome Devblog are theirs.
_PLATFORMS = (
    (re.compile(r"https?://velog\.io/@([\w.-]+)"), "https://v2.velog.io/rss/{}"),
    (re.compile(r"https?://medium\.com/(@?[\w.-]+)"), "https://medium.com/feed/{}"),
    (re.compile(r"https?://(?:m\.)?blog\.naver\.com/(\w+)"), "https://rss.blog.naver.com/{}.xml"),
)
# not application/json: WordPress gives its whole API that type
_FEED_TYPES = {"application/rss+xml", "application/atom+xml", "application/feed+json"}
_MOST = 512 * 1024      # characters of a page that are looked at; its <head> is near the top


def refusal(url: str, allow_private: bool = False) -> str:
    """Why no feed can be at `url`; "" where one can. A name is judged by its addresses when it is asked."""
    if len(url) > LONGEST:
        return f"URL longer than {LONGEST}"
    if re.fullmatch(r"https?://([/?#:].*)?", url, re.IGNORECASE):
        return "no host"
    if not (absolute := http_url(url)):
        return "not an http(s) URL"
    host = urlsplit(absolute).hostname or ""
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        return "" if allow_private or not is_at_home(host) else "name of a network at home"
    return "" if allow_private or is_public(address) else "private address"


class _Links(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = self.url = url
        self.found: list[tuple[str, str]] = []      # (URL as written, title)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "base" and self.base == self.url:     # the first one counts (HTML, 4.2.3)
            self.base = http_url(values.get("href", ""), self.url) or self.url
        kind = values.get("type", "").partition(";")[0].strip().lower()
        if tag == "link" and kind in _FEED_TYPES and "alternate" in values.get("rel", "").lower().split():
            self.found.append((values.get("href", ""), values.get("title", "")))


def feed_links(html: bytes | str, url: str) -> list[str]:
    """Absolute URLs of the feeds that the page at `url` names, in its order, but feeds of comments last."""
    text = html if isinstance(html, str) else html[:_MOST].decode("utf-8", errors="replace")
    links = _Links(url)
    with suppress(AssertionError):      # where Python 3.11 comes to `<![` and a word that it does not know
        links.feed(text[:_MOST])        # never close(): it goes again and again through what was left open
    links.found.sort(key=lambda found: any(word in " ".join(found).lower() for word in ("comment", "댓글")))
    absolute = (http_url(href, links.base) for href, _ in links.found)
    return list(dict.fromkeys(filter(None, absolute)))


def guesses(url: str) -> list[str]:
    """Where to ask for the feed of the site at `url`: its platform's, or GUESSES there and at its top."""
    for pattern, feed in _PLATFORMS:
        if match := pattern.match(url):
            return [feed.format(match[1])]
    parts = urlsplit(url)
    top = f"{parts.scheme}://{parts.netloc}"
    folder = top + parts.path.rpartition("/")[0]
    return [place + path for place in dict.fromkeys((folder, top)) for path in GUESSES]
