"""Posts by what is said in them or by tag, and the tags that are used most.

Copies, posts not yet judged and those of blogs that were left out are never found.
"""
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from devdigest import fulltext, terms
from devdigest.models import Blog, Issue, IssuePost, Post

PER_PAGE = 20
_TAG_DAYS = 90


@dataclass(frozen=True)
class Found:
    """One page of what was found. Each post has its `blog`, and `issue_day`: of its daily issue, or None."""
    posts: list[Post]
    total: int                  # on all pages
    page: int                   # from 1

    @property
    def pages(self) -> int:
        return -(-self.total // PER_PAGE)


def find(typed: str, order: str = "newest", page: int = 1) -> Found:
    """Posts that have every word of what somebody typed, in an order of fulltext.ORDERS; none for no word."""
    question = terms.query(typed)
    return _found(question, order, page) if question else Found([], 0, page)


def tagged(tag: str, page: int = 1) -> Found:
    """Posts that carry the tag, in whatever case it is written, newest first."""
    label = terms.label(tag)
    return _found(f"labels : {label}", "newest", page) if label else Found([], 0, page)


def tags(today: date, count: int) -> list[tuple[str, int]]:
    """The tags used most in the daily issues of the last 90 days, as most write them, with how many posts."""
    since = today - timedelta(days=_TAG_DAYS)
    left_out = Blog.select(Blog.id).where(Blog.state == "excluded")
    shown = (IssuePost.select(IssuePost.tags).join(Issue)
             .where(Issue.kind == "daily", Issue.day > since, IssuePost.tags != "",
                    IssuePost.blog_id.not_in(left_out)).tuples())
    written = Counter(tag for lines, in shown for tag in lines.split("\n"))
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for tag, _ in written.most_common():
        spellings[terms.label(tag)].append(tag)
    used = [(same[0], sum(written[tag] for tag in same)) for same in spellings.values()]
    return sorted(used, key=lambda tag: (-tag[1], tag[0].casefold()))[:count]


def spelling(tag: str, posts: Iterable[Post]) -> str:
    """The tag as most of these posts write it."""
    label = terms.label(tag)
    written = Counter(one for post in posts for one in post.tags.split("\n") if terms.label(one) == label)
    return written.most_common(1)[0][0]


def _found(question: str, order: str, page: int) -> Found:
    numbers = fulltext.numbers(question, order, PER_PAGE, PER_PAGE * (page - 1))
    posts = {post.id: post for post in Post.select(Post, Blog).join(Blog).where(Post.id.in_(numbers))}
    days = dict(IssuePost.select(IssuePost.post, Issue.day).join(Issue)
                .where(IssuePost.kind == "daily", IssuePost.post.in_(numbers)).tuples())
    for number, post in posts.items():
        post.issue_day = days.get(number)
    return Found([posts[number] for number in numbers if number in posts], fulltext.count(question), page)
