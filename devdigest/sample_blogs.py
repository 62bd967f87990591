"""The sample blogs of `./setup.sh try`: feeds of different kinds on loopback, dated relative to today."""
import json
import threading
import tomllib
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from devdigest.days import clock

_SAMPLE = Path(__file__).with_name("sample") / "blogs.toml"

_RSS = ('<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>{name}</title>'
        "<link>{site}</link><description/>{posts}</channel></rss>\n")
_RSS_POST = ("<item><title>{title}</title><link>{link}</link><guid>{link}</guid><pubDate>{date}</pubDate>"
             "<description>{text}</description>{tags}</item>")
_RSS_TAG = "<category>{}</category>"
_ATOM = ('<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><title>{name}</title>'
         '<link href="{site}"/><id>{site}</id><updated>2026-01-01T00:00:00Z</updated>{posts}</feed>\n')
_ATOM_POST = ('<entry><title>{title}</title><link href="{link}"/><id>{link}</id><published>{date}</published>'
              "<updated>{date}</updated><summary>{text}</summary>{tags}</entry>")
_ATOM_TAG = '<category term="{}"/>'

Writer = Callable[[dict[str, Any], str, datetime], tuple[str, str]]

_DATES: dict[str, Callable[[datetime], str]] = {
    "iso": lambda when: when.isoformat(timespec="seconds"),
    "rfc822": format_datetime,
    "korean": lambda when: when.strftime("%Y.%m.%d %H:%M"),
    "bare": lambda when: when.strftime("%Y-%m-%d"),
}


class SampleBlogs:
    """Serves the blogs on a free loopback port while the `with` block runs."""

    def __init__(self, now: datetime) -> None:
        """`now` decides which day is yesterday: aware, in the zone whose days count."""
        self._now = now
        self.blogs: list[dict[str, Any]] = tomllib.loads(_SAMPLE.read_text(encoding="utf-8"))["blog"]
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._answer, self._ended))
        self._server.daemon_threads = True

    def __enter__(self) -> "SampleBlogs":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def site(self, blog: dict[str, Any]) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{blog['path']}/"

    def list_of(self, group: str) -> str:
        """The list of a group as YAML, as Awesome Devblog writes it."""
        return "".join(f"- name: {blog['name']}\n  blog: {self.site(blog)}\n  rss: {self.site(blog)}feed\n"
                       for blog in self.blogs if blog["group"] == group)

    def _answer(self, path: str) -> tuple[str, str] | None:
        """(content type, document) at `path`, None where nothing is ever said."""
        blog = next((blog for blog in self.blogs if path.startswith(f"/{blog['path']}/")), None)
        if blog is None or blog.get("trouble") == "html":
            return _page("점검 중", "곧 돌아오겠습니다.")
        if not path.endswith("/feed"):
            return self._post(blog, path)
        if blog.get("trouble") == "hang":
            return None
        return _WRITERS[blog["kind"]](blog, self.site(blog), self._now)

    def _post(self, blog: dict[str, Any], path: str) -> tuple[str, str]:
        posts = {} if blog.get("trouble") else _posts(blog, self.site(blog), self._now)
        post = next((post for post in posts if post["link"].endswith(path)), None)
        return _page(post["title"], f"{post['text']} (A sample post.)") if post else _page(blog["name"], "")


def _page(title: str, text: str) -> tuple[str, str]:
    return "text/html; charset=utf-8", f"<!doctype html><title>{escape(title)}</title><p>{escape(text)}"


def _posts(blog: dict[str, Any], site: str, now: datetime) -> list[dict[str, Any]]:
    def date(post: dict[str, Any]) -> str:
        day = now.date() - timedelta(days=post["days"])
        return _DATES[blog["dates"]](datetime.combine(day, clock(post["time"]), now.tzinfo))
    return [{"title": post["title"], "text": post["text"], "date": date(post), "tags": post.get("tags", []),
             "link": f"{site}{post['days']}-{number}"} for number, post in enumerate(blog["posts"], start=1)]


def _xml(frame: str, each: str, tag: str, content_type: str) -> Writer:
    def write(blog: dict[str, Any], site: str, now: datetime) -> tuple[str, str]:
        posts = ""
        for post in _posts(blog, site, now):
            tags = "".join(tag.format(escape(one)) for one in post.pop("tags"))
            posts += each.format(tags=tags, **{key: escape(text) for key, text in post.items()})
        return content_type, frame.format(name=escape(blog["name"]), site=site, posts=posts)
    return write


def _json(blog: dict[str, Any], site: str, now: datetime) -> tuple[str, str]:
    items = [{"id": post["link"], "url": post["link"], "title": post["title"], "content_text": post["text"],
              "date_published": post["date"], "tags": post["tags"]} for post in _posts(blog, site, now)]
    return "application/feed+json", json.dumps({"version": "https://jsonfeed.org/version/1.1",
                                                "title": blog["name"], "home_page_url": site, "items": items})


_WRITERS = {"rss": _xml(_RSS, _RSS_POST, _RSS_TAG, "application/rss+xml; charset=utf-8"),
            "atom": _xml(_ATOM, _ATOM_POST, _ATOM_TAG, "application/atom+xml; charset=utf-8"), "json": _json}


def _handler(answer: Callable[[str], tuple[str, str] | None],
             ended: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told = answer(self.path)
            if told is None:
                ended.wait(60)
                self.close_connection = True
                return
            content_type, document = told
            body = document.encode()
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""
    return Handler
