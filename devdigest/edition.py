"""An issue as readers are shown it: posts as rows, folded by blog, and as many of them as fit.

What a feed says becomes plain text on one line here, and its links http(s) or the issue's own page.
"""
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from html import escape
from itertools import groupby
from typing import Any

from devdigest.urls import http_url
from devdigest.wording import Wording

# Octets once escaped, with room for its tag: a line of a mail ends after 998 (RFC 5322, 2.1.1), and a link
# cannot be broken.
_LONGEST_URL = 800

_EXCERPT, _SHORT = 130, 40      # characters: on a phone five lines, and two
_SEVERAL, _MANY = 40, 60        # posts: of more the short ones, of more still none, or nobody gets to the end


@dataclass(frozen=True)
class Item:
    """A post as the issue stores it."""
    title: str                              # "" where there is none
    url: str
    excerpt: str
    blog: str
    group: str                              # team, people or overseas
    minutes: int | None
    day: date
    published: datetime | date | None
    late: bool                              # in the section 'found late'
    blog_id: int = 0                        # tells two blogs of one name apart
    tags: tuple[str, ...] = ()              # the blog's own
    post_id: int = 0                        # by which opening it is counted; 0 where it is not
    readers: int | None = None              # how many opened it, in a weekly issue

    @property
    def section(self) -> str:
        if self.readers is not None:
            return "weekly"
        return "late" if self.late else self.group


@dataclass(frozen=True)
class Edition:
    """An issue, its posts in order: team, people, overseas, then found late; if weekly, most read first."""
    day: date                               # of the mail; yesterday is the day before
    items: tuple[Item, ...]
    blogs: int                              # on the list, and of these reached
    reached: int
    lacks: bool
    kind: str = "daily"                     # or weekly

    @property
    def path(self) -> str:
        """Of its page on the site."""
        return f"/{'popular' if self.kind == 'weekly' else 'issues'}/{self.day}"

    @property
    def yesterday(self) -> date:
        return self.day - timedelta(days=1)

    @property
    def first_day(self) -> date:
        """The day of the oldest post that is not late: yesterday, unless there was no issue for some days.

        Of a weekly issue the first day of the week in which its posts were opened.
        """
        if self.kind == "weekly":
            return self.day - timedelta(days=7)
        return min((item.day for item in self.items if not item.late), default=self.yesterday)

    def summary(self, words: Wording) -> str:
        """How many posts each section has, where there are several; it may wrap between them only."""
        counts = Counter(item.section for item in self.items)
        parts = [f"{heading} {counts[section]:,}".replace(" ", "\u00a0")
                 for section, heading in words.sections.items() if counts[section]]
        return ", ".join(parts) if len(parts) > 1 else ""

    def titles(self, longest: int) -> list[str]:
        return [title for item in self.items if (title := tidy(item.title, longest))]


def edition(issue: Any, posts: Iterable[Any]) -> Edition:
    """An issue's record and the records of its posts, in their order, as an Edition."""
    items = tuple(Item(title=post.title, url=post.url, excerpt=post.excerpt, blog=post.blog, group=post.group,
                       minutes=post.minutes, day=post.day, published=post.published, late=post.late,
                       blog_id=post.blog_id, tags=tuple(filter(None, post.tags.split("\n"))),
                       post_id=post.post_id, readers=post.readers)
                  for post in posts)
    return Edition(day=issue.day, items=items, blogs=issue.blogs, reached=issue.reached, lacks=issue.lacks,
                   kind=issue.kind)


@dataclass(frozen=True)
class Row:
    """A post as shown, and how many further ones of its blog are folded behind it."""
    section: str
    title: str
    url: str
    counted: str                            # the same by way of the site, which counts how many open it
    meta: str
    excerpt: str
    blog: str
    folded: int
    brief: bool = False                     # in small type, as one of very many


Section = tuple[str, list[Row]]


def rows(edition: Edition, words: Wording, most_per_blog: int, site: str) -> list[Row]:
    """The rows of an issue; `site` is the URL before the paths of its links."""
    total = Counter((item.section, item.blog_id, item.blog) for item in edition.items)
    seen: Counter[tuple[str, int, str]] = Counter()
    shown = []
    for item in edition.items:
        seen[blog := (item.section, item.blog_id, item.blog)] += 1
        if seen[blog] <= most_per_blog:
            folded = total[blog] - most_per_blog if seen[blog] == most_per_blog else 0
            shown.append(_row(item, edition, words, site, folded))
    return _shorter(shown)


def _row(item: Item, edition: Edition, words: Wording, site: str, folded: int) -> Row:
    url, page = http_url(item.url), site + edition.path
    direct = url if url and len(escape(url)) <= _LONGEST_URL else page
    return Row(section=item.section,
               title=tidy(item.title, 120) or words.no_title,
               url=direct,
               counted=f"{site}/go/{item.post_id}" if url and item.post_id else direct,
               meta=_meta(item, edition.yesterday, words),
               excerpt=tidy(item.excerpt, _EXCERPT), blog=tidy(item.blog, 40), folded=folded)


def _meta(item: Item, yesterday: date, words: Wording) -> str:
    return " · ".join(filter(None, (tidy(item.blog, 40),
                                    words.short_day(item.day) if item.day != yesterday else "",
                                    words.minutes(item.minutes) if item.minutes else "",
                                    words.readers(item.readers) if item.readers else "")))


def _shorter(rows: list[Row]) -> list[Row]:
    """The same with less of each post where there are many: nobody scrolls through twenty screens."""
    if len(rows) > _MANY:
        return [replace(row, excerpt="", brief=True) for row in rows]
    return [replace(row, excerpt=tidy(row.excerpt, _SHORT)) for row in rows] if len(rows) > _SEVERAL else rows


def fullest(rows: list[Row], render: Callable[[list[Section], int], str], most: int) -> str:
    """What `render` makes of as many rows as fit `most` octets: headlines first, then excerpts.

    `render` is given the sections, and how many posts are neither shown nor folded behind one that is.
    """
    bare = [replace(row, excerpt="", brief=True) for row in rows]

    def rendered(shown: int, told: int) -> str:
        visible = rows[:told] + bare[told:shown]
        sections = [(name, list(group)) for name, group in groupby(visible, lambda row: row.section)]
        return render(sections, sum(1 + row.folded for row in rows[shown:]))

    def size(shown: int, told: int) -> int:
        page = rendered(shown, told)
        return len(page.encode()) + page.count("\n")        # each becomes CRLF

    shown = bisect_right(range(1, len(rows) + 1), most, key=lambda count: size(count, 0))
    told = bisect_right(range(1, shown + 1), most, key=lambda count: size(shown, count))
    return rendered(shown, told)


def tidy(text: str, longest: int) -> str:
    """`text` on one line without what cannot be seen, cut at a word."""
    text = "".join(char for char in " ".join(text.split()) if char.isprintable() or char == "\u200d")
    if len(text) <= longest:
        return text
    cut = text[:longest - 1]
    at_word = cut.rpartition(" ")[0]
    return (at_word if len(at_word) > longest // 2 else cut).rstrip(" ,") + "…"
