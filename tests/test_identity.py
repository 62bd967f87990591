"""Which entries are posts that we have already, in one blog and across blogs, as the design says it."""
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from desk import TODAY, YESTERDAY, Desk, entry, seoul, utc

from devdigest import blogs, choose, intake, urls
from devdigest.models import Post
from devdigest.table import db


@pytest.fixture
def desk(tmp_path):
    yield Desk(tmp_path)
    db.close()


@pytest.fixture
def ada(desk):
    return desk.blog()


# identity within a blog

STORED = {"title": "A", "guid": "1", "link": "https://ada.example/a", "published": seoul("2026-11-20 12:00")}


@pytest.mark.parametrize("changed", [
    {"title": "A, edited"}, {"published": TODAY}, {"published": None}, {"link": "https://ada.example/b"},
    {"title": "B", "link": "https://ada.example/b", "published": TODAY},
    {"guid": "2"}, {"guid": "2", "title": "A, edited"}, {"guid": "2", "published": seoul("2026-11-21 12:00")},
    {"guid": "2", "title": "A, edited", "link": "http://ada.example/a"},
    {"guid": "2", "title": "A, edited", "link": "https://ADA.example:443/a/"},
    {"guid": "2", "title": "A, edited", "link": "https://ada.example/a?utm_source=x&utm_medium=rss"},
    {"guid": "2", "title": "A, edited", "link": "https://ada.example/a?source=rss-1a2b"},
    {"guid": "2", "title": "A, edited", "link": "https://ada.example/a?fromRss=true&trackingCode=rss"},
    {"guid": "2", "title": "A, edited", "link": "https://ada.example/a#more"},
    {"guid": "2", "link": "https://new.example/2026/a"},
    {"guid": "2", "link": "https://new.example/2026/a", "published": seoul("2026-11-20 09:00")},
    {"guid": "2", "link": "https://new.example/2026/a", "published": date(2026, 11, 20)},
], ids=lambda changed: " ".join(f"{name}={value}" for name, value in changed.items()))
def test_a_post_that_was_edited_or_has_a_new_guid_is_no_news(desk, ada, changed):
    assert desk.read(ada, "2026-11-21 03:00", entry(**STORED)) == {"A": "news"}
    assert "news" not in desk.read(ada, "2026-11-22 03:00", entry(**STORED | changed)).values()
    assert desk.issue("2026-11-23 10:00") == ([], ["A"])


@pytest.mark.parametrize("changed", [
    {"guid": "2", "title": "B", "published": YESTERDAY},                                    # a link again
    {"guid": "2", "title": "B", "link": "https://ada.example/b"},
    {"guid": "2", "link": "https://ada.example/b", "published": seoul("2026-11-21 12:00")},
    {"guid": "2", "link": "https://ada.example/b", "published": date(2026, 11, 19)},
    {"guid": "2", "title": "B", "link": "https://ada.example/a?p=2"},
    {"guid": "2", "title": "B", "link": "https://ada.example/a#/b"},
    {"guid": "2", "title": "B", "link": "https://ada.example/a#!b"},
], ids=lambda changed: " ".join(f"{name}={value}" for name, value in changed.items()))
def test_a_post_that_shares_less_is_another_one(desk, ada, changed):
    desk.read(ada, "2026-11-21 03:00", entry(**STORED))
    assert list(desk.read(ada, "2026-11-22 03:00", entry(**STORED | changed)).values()) == ["news"]


def test_an_empty_title_is_nobodys(desk, ada):
    one, other = (entry("", date(2026, 11, 20), guid, f"https://ada.example/{guid}") for guid in "12")
    desk.read(ada, "2026-11-21 03:00", one)
    assert desk.read(ada, "2026-11-22 03:00", other) == {"": "news"}


def test_the_new_guid_of_a_known_post_is_known_from_then_on(desk, ada):
    desk.read(ada, "2026-11-21 03:00", entry(**STORED))
    assert desk.read(ada, "2026-11-22 03:00", entry(**STORED | {"guid": "2"})) == {"A": "copy"}
    edited = {"guid": "2", "title": "B", "link": "https://ada.example/b", "published": TODAY}
    assert desk.read(ada, "2026-11-22 09:00", entry(**STORED | edited)) == {}


def test_a_date_with_microseconds_is_the_same_at_the_next_read(desk, ada):
    finely = {"published": utc("2026-11-20 03:00:00.123456")}
    desk.read(ada, "2026-11-21 03:00", entry(**STORED | finely))
    anew = {"guid": "2", "link": "https://new.example/a"}
    assert desk.read(ada, "2026-11-22 03:00", entry(**STORED | finely | anew)) == {"A": "copy"}


def test_entries_that_share_a_guid_are_told_apart_by_title(desk, ada):
    posts = [entry(title, guid="all", link=f"https://ada.example/{title}") for title in "ABC"]
    assert desk.read(ada, "2026-11-21 03:00", *posts[:2]) == {"A": "news", "B": "news"}
    assert desk.read(ada, "2026-11-22 03:00", *posts) == {"C": "news"}
    assert desk.read(ada, "2026-11-22 09:00", *posts, posts[0]) == {}


def test_entries_that_share_a_link_are_told_apart_by_title(desk, ada):
    posts = [entry(title, seoul("2026-11-21 12:00"), title, "https://ada.example/") for title in "ABC"]
    assert desk.read(ada, "2026-11-21 13:00", *posts[:2]) == {"A": "news", "B": "news"}
    assert desk.read(ada, "2026-11-22 03:00", *posts) == {"C": "news"}


def test_one_title_on_many_links_is_many_posts(desk, ada):
    posts = [entry("Weekly", date(2026, 11, day), link=f"https://ada.example/{day}") for day in (19, 20, 21)]
    desk.read(ada, "2026-11-22 03:00", *posts)
    assert desk.issue("2026-11-22 10:00") == (["Weekly"], ["Weekly", "Weekly"])


def test_a_post_in_the_same_document_under_its_own_guid_is_no_match_by_title(desk, ada):
    old = entry("Weekly", date(2026, 11, 20), "1", "https://ada.example/1")
    desk.read(ada, "2026-11-21 03:00", old)
    new = entry("Weekly", date(2026, 11, 20), "2", "https://ada.example/2")
    assert desk.read(ada, "2026-11-22 03:00", new, old) == {"Weekly": "news"}


# a feed issued anew

def archive(count, host="ada", **changed):
    """The entries of a moved blog: days apart, the newest of 2026-11-20."""
    return [entry(**{"title": f"post {number}", "published": date(2026, 11, 20) - timedelta(days=number),
                     "guid": f"{host} {number}", "link": f"https://{host}.example/{number}"} | changed)
            for number in range(count)]


@pytest.mark.parametrize("changed", [{}, {"published": None}, {"published": seoul("2026-11-21 23:00")}],
                         ids=["own dates", "no dates", "one timestamp"])
@pytest.mark.parametrize("count", [5, 12])
def test_a_moved_blog_puts_nothing_old_into_an_issue(desk, ada, changed, count):
    desk.read(ada, "2026-11-20 03:00", *archive(count)[1:])
    desk.read(ada, "2026-11-21 03:00", *archive(count))
    desk.issue("2026-11-21 10:00")
    new = desk.read(ada, "2026-11-22 03:00", *archive(count, "new", **changed))
    assert set(new.values()) == {"copy"}
    assert desk.issue("2026-11-22 10:00") == ([], [])


@pytest.mark.parametrize(("unknown", "known", "verdict"), [
    (5, 5, "held"), (5, 0, "held"), (5, 6, "news"), (4, 0, "news"), (6, 6, "held")])
def test_old_posts_are_held_where_five_and_half_of_the_document_are_new(desk, ada, unknown, known, verdict):
    latest = entry("latest", date(2026, 11, 21), link="https://ada.example/latest")
    standing = [entry(f"known {number}", date(2026, 11, 1), link=f"https://ada.example/known{number}")
                for number in range(known)]
    desk.read(ada, "2026-11-10 09:00", *standing[:3])
    for one in standing[3:]:
        desk.read(ada, "2026-11-10 09:00", one)
    desk.read(ada, "2026-11-21 03:00", latest)
    new = desk.read(ada, "2026-11-22 03:00", *archive(unknown, "drawer"), *standing)
    assert list(new.values()) == [verdict] * unknown


def test_a_truly_new_post_goes_out_beside_a_suspicious_batch(desk, ada):
    desk.read(ada, "2026-11-21 03:00", entry("latest", seoul("2026-11-20 12:00")))
    new = desk.read(ada, "2026-11-22 03:00", *archive(6, "drawer"), entry("A", seoul("2026-11-21 12:00")))
    assert [title for title, verdict in new.items() if verdict == "news"] == ["A"]
    assert desk.issue("2026-11-22 10:00") == (["A"], ["latest"])


def test_five_fresh_posts_of_a_day_are_no_suspicious_batch(desk, ada):
    posts = [entry(f"{hour}", seoul(f"2026-11-21 {hour}:00")) for hour in range(10, 16)]
    assert set(desk.read(ada, "2026-11-22 03:00", *posts).values()) == {"news"}


def held_batch(desk, blog):
    desk.read(blog, "2026-11-21 03:00", entry("latest", YESTERDAY))
    assert set(desk.read(blog, "2026-11-22 03:00", *archive(6, "drawer")).values()) == {"held"}
    assert desk.issue("2026-11-22 10:00") == (["latest"], [])


def test_held_posts_are_found_late_once_they_are_released(desk, ada):
    held_batch(desk, ada)
    assert intake.release(ada) == 6
    yesterday, late = desk.issue("2026-11-23 10:00")
    assert (yesterday, sorted(late)) == ([], [f"post {number}" for number in range(6)])
    assert intake.release(ada) == 0
    assert desk.issue("2026-11-24 10:00") == ([], [])


@pytest.mark.parametrize(("now", "let_go"), [("2026-11-25 02:59", 0), ("2026-11-25 03:00", 6)])
def test_held_posts_become_history_after_three_days(desk, ada, now, let_go):
    held_batch(desk, ada)
    assert intake.let_go(seoul(now)) == let_go
    assert intake.release(ada) == 6 - let_go


def test_held_posts_of_an_excluded_blog_cannot_be_released(desk, ada):
    held_batch(desk, ada)
    assert blogs.exclude(ada) == 6
    assert intake.release(ada) == 0


# who is whose copy, among blogs

EARLY, LATER = utc("2026-11-22 00:00"), utc("2026-11-22 01:00")


@dataclass
class Shared:
    id: int
    group: str = "people"
    verdict: str = "news"
    mailed: bool = False
    first_seen: datetime = EARLY
    blog_id: int = 0

    def __post_init__(self):
        self.blog_id = self.blog_id or self.id



@pytest.mark.parametrize(("posts", "owners", "winner"), [
    ([Shared(1), Shared(2)], {2}, 2),                               # the owner, though seen later
    ([Shared(1, "team"), Shared(2)], {2}, 2),                       # before the team blog
    ([Shared(1), Shared(2, "team", first_seen=LATER)], {3}, 2),     # the team blog before the first seen
    ([Shared(1, first_seen=LATER), Shared(2)], {3}, 2),             # the first seen
    ([Shared(1, mailed=True), Shared(2, "team")], {2}, 1),          # what is mailed stays so
    ([Shared(1), Shared(2)], set(), None),                          # under no site on the list
    ([Shared(1), Shared(2), Shared(3, blog_id=2)], {1}, None),      # a link that two posts of one blog have
    ([Shared(1, verdict="history"), Shared(2)], {1}, 2),            # no copy of what nobody was sent
])
def test_one_of_the_posts_that_share_a_link_stands_for_the_others(posts, owners, winner):
    found = choose.original(posts, owners)
    assert (found and found.id) == winner


# identity across blogs

@pytest.mark.parametrize("owner_first", [True, False])
def test_an_article_in_two_blogs_is_the_one_whose_site_it_lies_under(desk, ada, owner_first):
    bob = desk.blog("bob", "team")
    reads = [(ada, entry("A", YESTERDAY, link="https://ada.example/a")),
             (bob, entry("Ada wrote A", YESTERDAY, "bob's", "http://ada.example/a/?utm_source=bob"))]
    for blog, post in reads if owner_first else reversed(reads):
        desk.read(blog, "2026-11-22 03:00", post)
    assert desk.issue("2026-11-22 10:00") == (["A"], [])


def test_an_article_that_another_blog_had_in_an_issue_is_not_mailed_again(desk, ada):
    bob = desk.blog("bob")
    desk.read(bob, "2026-11-22 03:00", entry("Ada wrote A", YESTERDAY, "bob's", "https://ada.example/a"))
    assert desk.issue("2026-11-22 10:00") == (["Ada wrote A"], [])
    own = entry("A", YESTERDAY, link="https://ada.example/a")
    assert desk.read(ada, "2026-11-23 03:00", own) == {"A": "copy"}
    assert desk.issue("2026-11-23 10:00") == ([], [])


def test_an_article_mailed_from_another_blog_stays_known_when_its_own_blog_moves(desk, ada):
    bob = desk.blog("bob")
    desk.read(bob, "2026-11-22 03:00", entry("Ada wrote A", YESTERDAY, "bob's", "https://ada.example/a"))
    desk.issue("2026-11-22 10:00")
    desk.read(ada, "2026-11-23 03:00", entry("A", YESTERDAY, link="https://ada.example/a"))
    moved = entry("A", YESTERDAY, link="https://new.example/a")
    assert desk.read(ada, "2026-11-24 03:00", moved) == {"A": "copy"}
    assert desk.issue("2026-11-24 10:00") == ([], [])


@pytest.mark.parametrize(("link", "titles"), [
    ("https://elsewhere.example/page", ["Ada on it", "Bob on it"]),     # two link-blogs, a page of neither
    ("https://carol.example/page", ["Ada on it"]),                      # of a blog on the list
    ("", ["Ada on it", "Bob on it"]),
])
def test_two_link_blogs_repeat_each_other_only_over_a_page_of_a_blog_on_the_list(desk, ada, link, titles):
    bob = desk.blog("bob")
    desk.blog("carol")
    desk.read(ada, "2026-11-22 03:00", entry("Ada on it", YESTERDAY, "ada's", link))
    desk.read(bob, "2026-11-22 03:01", entry("Bob on it", YESTERDAY, "bob's", link))
    assert desk.issue("2026-11-22 10:00") == (titles, [])


def test_a_link_that_one_blog_has_twice_is_nobodys_copy(desk, ada):
    bob = desk.blog("bob")
    desk.read(bob, "2026-11-22 03:00", entry("one", YESTERDAY, "1", "https://ada.example/"),
              entry("two", YESTERDAY, "2", "https://ada.example/"))
    desk.read(ada, "2026-11-22 03:00", entry("A", YESTERDAY, link="https://ada.example/"))
    assert desk.issue("2026-11-22 10:00") == (["one", "two", "A"], [])


def test_the_key_of_a_post_is_its_canonical_link(desk, ada):
    desk.read(ada, "2026-11-22 03:00", entry("A", YESTERDAY, link="http://ada.example/a/?utm_source=x#top"))
    assert Post.get(Post.title == "A").key == urls.canonical("https://ada.example/a") == "ada.example/a"
