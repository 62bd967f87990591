"""What is proposed to the maintainers of the list, and that they can paste it."""
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import conftest
import pytest
import yaml
from conftest import NOW, noted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devdigest import blogs, urls
from devdigest.bloglists import read
from devdigest.fetching import Fetching
from devdigest.models import Blog, Post
from devdigest.patch import Proposal, as_yaml, proposals
from devdigest.text import tidy

pytestmark = pytest.mark.usefixtures("records")

LISTS = Path(__file__).parents[2] / "shared" / "lists"
SEOUL = ZoneInfo("Asia/Seoul")
WEEK = timedelta(weeks=1)
GONE = {"fault": "HTTP 404 Not Found", "fault_kind": "gone", "failures": 70, "fetched": NOW}


def a_blog(of: str, **values: object) -> Blog:
    """One of db.yml that is read well, at the place where the list has it."""
    feed = str(values.get("feed", f"https://{of}.example.org/rss"))
    key, site = urls.canonical(feed), f"https://{of}.example.org/"
    return conftest.a_blog(of, **{"site": site, "site_key": urls.canonical(site), "feed": feed,
                                  "feed_key": key, "listed_key": key, "source": "db.yml",
                                  "added": NOW - 20 * WEEK, "fetched": NOW,
                                  "first_read": NOW - 20 * WEEK} | values)


def a_dead(of: str, **values: object) -> Blog:
    return a_blog(of, **GONE | {"read": NOW - 6 * WEEK} | values)


def posts(blog: Blog, *links: object) -> None:
    for link in links:
        Post.create(blog=blog, guid=str(link), key=f"example.org/{link}", url=f"https://example.org/{link}",
                    title=str(link), excerpt="", day=date(2026, 11, 20), first_seen=NOW, verdict="history")


def found() -> dict[str, str]:
    """The kind of proposal by the blog's name."""
    return {one.blog.name: one.kind for one in proposals(SEOUL)}


def test_a_list_that_is_right_needs_no_change() -> None:
    a_blog("ada")
    assert proposals(SEOUL) == []
    assert as_yaml([]).splitlines()[-1] == "# Nothing to change."


def test_it_is_yaml_as_the_lists_are_written_with_the_reason_above_each_entry() -> None:
    a_dead("ada", name="에이다")
    a_blog("bob", feed="https://blog.bob.example.org/rss", listed_key="bob.example.org/rss",
           source="db_community.yml")
    assert as_yaml(proposals(SEOUL)) == """\
# For Awesome Devblog: what reading its feeds every day has shown. Please look at each.

# db.yml

# dead: HTTP 404 Not Found, 70 times in a row up to 2026-11-21; not read since 2026-10-10, 6 weeks
- name: 에이다
  blog: https://ada.example.org/
  rss: https://ada.example.org/rss

# db_community.yml

# moved: from bob.example.org/rss to this `rss`, read there on 2026-11-21
- name: bob
  blog: https://bob.example.org/
  rss: https://blog.bob.example.org/rss
"""


# Dead

@pytest.mark.parametrize(("values", "dead"), [
    ({}, True),
    ({"fault": "no such host", "fault_kind": "host"}, True),
    ({"read": None}, True),
    ({"read": None, "added": NOW - 4 * WEEK}, False),
    ({"read": NOW - 4 * WEEK}, False),
    ({"failures": 2}, False),           # we were off ourselves
    ({"fault": "timeout after 10 s", "fault_kind": "slow"}, False),
    ({"fault": "HTTP 403 Forbidden", "fault_kind": "refused"}, False),
    ({"state": "paused", "paused_for": "HTTP 410 Gone", "read": NOW, "failures": 1}, True),
    ({"state": "paused", "paused_for": "owner"}, False),
    ({"state": "excluded"}, False),
    ({"source": "friends.opml"}, False),
    ({"source": ""}, False),
])
def test_a_blog_is_dead_when_nothing_was_there_for_weeks(values: dict[str, object], dead: bool) -> None:
    a_blog("bob")
    a_dead("ada", **values)
    assert found() == ({"ada": "dead"} if dead else {})


def test_a_blog_that_was_never_read_is_told_so() -> None:
    a_dead("ada", read=None)
    [one] = proposals(SEOUL)
    assert one.why == "HTTP 404 Not Found, 70 times in a row up to 2026-11-21; never read, 20 weeks"


# Moved

@pytest.mark.parametrize(("values", "moved"), [
    ({}, True),
    ({"feed": "http://ada.example.org/rss/"}, False),       # the same to us
    ({"read": None}, False),
    ({"listed_key": ""}, False),
    ({"feed": "http://192.168.0.9/rss"}, False),
    ({"feed": "http://nas.local/rss"}, False),
    ({"state": "excluded"}, False),
])
def test_a_blog_has_moved_when_it_is_read_elsewhere(values: dict[str, object], moved: bool) -> None:
    a_blog("ada", **{"feed": "https://new.example.org/rss", "listed_key": "ada.example.org/rss"} | values)
    assert found() == ({"ada": "moved"} if moved else {})


def test_a_blog_that_moved_and_died_is_dead() -> None:
    a_dead("ada", listed_key="old.example.org/rss")
    assert found() == {"ada": "dead"}


# Doubled

@pytest.mark.parametrize(("to", "times", "doubled"), [
    ("ada", 3, True), ("ada", 2, False), ("bob", 3, False), ("carol", 3, False)])
def test_a_feed_that_redirects_to_anothers_is_a_duplicate(to: str, times: int, doubled: bool) -> None:
    a_blog("bob", moved_to=f"http://{to}.example.org/rss", moved_times=times)
    a_blog("ada")
    assert found() == ({"bob": "duplicate"} if doubled else {})


@pytest.mark.parametrize(("of_ada", "of_bob", "doubled"), [
    (range(8), range(2, 10), True),
    (range(4), range(4), False),            # too few to tell
    (range(8), range(100), False),          # a team that bob is one of
    (range(100), range(8), False),
    (range(8), range(8, 16), False),
])
def test_feeds_of_the_same_posts_are_duplicates(of_ada: range, of_bob: range, doubled: bool) -> None:
    posts(a_blog("ada"), *of_ada)
    posts(a_blog("bob"), *of_bob)
    assert found() == ({"bob": "duplicate"} if doubled else {})


def test_of_duplicates_one_is_left_on_the_list() -> None:
    for name in ("ada", "bob", "carol"):
        posts(a_blog(name), *range(6))
    noted(Blog.get(Blog.name == "ada"), moved_to="https://carol.example.org/rss", moved_times=3)
    assert found() == {"ada": "duplicate", "carol": "duplicate"}


def test_the_one_that_lives_is_no_duplicate_of_the_dead() -> None:
    posts(a_dead("ada"), *range(6))
    posts(a_blog("bob"), *range(6))
    assert found() == {"ada": "dead"}


# Lacking

@pytest.mark.parametrize(("values", "lacking"), [
    ({}, True),
    ({"first_read": None}, False),
    ({"fault": "HTTP 500", "fault_kind": "server"}, False),
    ({"state": "paused", "paused_for": "owner"}, False),
    ({"state": "excluded"}, False),
    ({"site": "", "site_key": ""}, False),
    ({"feed": "http://10.0.0.9/rss"}, False),
    ({"site": "https://bob.example.org/", "site_key": "bob.example.org"}, False),      # has one already
])
def test_a_feed_added_by_hand_is_found_for_the_list(values: dict[str, object], lacking: bool) -> None:
    a_blog("bob")
    a_blog("ada", **{"source": ""} | values)
    assert found() == ({"ada": "feed found"} if lacking else {})


@pytest.mark.parametrize(("group", "file"), [
    ("people", "db.yml"), ("team", "db_community.yml"), ("overseas", "db_overseas.yml")])
def test_a_feed_found_is_for_the_list_of_its_kind(group: str, file: str) -> None:
    a_blog("bob")
    a_blog("ada", source="", group=group)
    assert [one.file for one in proposals(SEOUL)] == [file]


def test_a_feed_found_can_stand_in_for_one_that_died() -> None:
    a_dead("ada")
    a_blog("new", source="", site="https://ada.example.org/", site_key="ada.example.org")
    assert found() == {"ada": "dead", "new": "feed found"}


def test_without_a_list_of_theirs_nothing_is_proposed() -> None:
    a_blog("ada", source="")
    a_blog("bob", source="friends.opml", listed_key="old.example.org")
    assert found() == {}


# As text

def test_the_order_is_that_of_lists_kinds_and_names() -> None:
    for name in ("dan", "ada"):
        a_dead(name)
    a_blog("bob", listed_key="old.example.org")
    a_blog("carol", source="", group="team")
    a_dead("eve", source="db_community.yml")
    assert list(found()) == ["ada", "dan", "bob", "eve", "carol"]


@pytest.mark.parametrize("name", ["비개모: 비전공자", "C# 스터디", "42", "Null", "- a", "it's \"it\"", "|",
                                  "&a *b", "2024-01-01", "😀", "yes", "a #b", "%x", "@ada", "가 나" * 999])
def test_every_name_is_read_back_as_it_was(name: str) -> None:
    blog = a_dead("ada", name=name)
    rows = read(as_yaml(proposals(SEOUL)).encode(), "db.yml")
    assert [(row.name, row.site, row.feed) for row in rows] == [(name, blog.site, blog.feed)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.text(), st.text())
def test_no_text_breaks_out_of_its_place(name: str, site: str, why: str) -> None:
    blog = Blog(name=name, site=site, feed="https://ada.example.org/rss")
    text = as_yaml([Proposal("db.yml", "dead", why, blog), Proposal("db.yml", "dead", "why", blog)])
    assert [entry.get("rss") for entry in yaml.safe_load(text)] == [blog.feed] * 2
    assert yaml.safe_load(text)[0].get("name", "") == tidy(name)


@pytest.mark.skipif(not LISTS.is_dir(), reason="the real lists are not here")
def test_of_the_real_lists_nothing_is_changed_that_reads_well() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    for name, group in (("db.yml", "people"), ("db_community.yml", "team"), ("db_overseas.yml", "overseas")):
        blogs.import_list((LISTS / name).read_bytes(), name, group, now)
    Blog.update(first_read=now).execute()
    Fetching.update(fetched=now, read=now).execute()
    assert proposals(SEOUL) == []
    Fetching.update(GONE | {"read": now - 6 * WEEK}).execute()
    rows = read(as_yaml(proposals(SEOUL)).encode(), "db.yml")
    assert len(rows) == Blog.select().count() == 1993
    assert {(row.name, row.feed) for row in rows} == {(blog.name, blog.feed) for blog in Blog.select()}
