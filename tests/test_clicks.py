"""Links that lead to posts: where they lead, who is counted as a reader, and what is forgotten."""
import sqlite3
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from conftest import a_blog
from peewee import fn
from web_site import a_post

from devdigest import clicks
from devdigest.counts import Click, Opened
from devdigest.memory import Setting
from devdigest.models import Post
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

SEOUL = ZoneInfo("Asia/Seoul")
TEN = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)      # in the morning, when the mail comes
TODAY = date(2026, 11, 21)
FIREFOX = "Mozilla/5.0 (X11; Linux aarch64; rv:145.0) Gecko/20100101 Firefox/145.0"
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def click(post: Post | int, now: datetime = TEN, network: str = "192.0.2.7", agent: str = FIREFOX,
          head: bool = False) -> str | None:
    number = post if isinstance(post, int) else post.id
    return clicks.open(number, now, SEOUL, network=network, agent=agent, head=head)


@pytest.fixture
def posts(records: None) -> list[Post]:
    blog = a_blog()
    return [a_post(blog, f"글 {number}", url=f"https://example.org/{number}") for number in range(20)]


@pytest.fixture
def post(posts: list[Post]) -> Post:
    return posts[0]


def counted(number: int) -> tuple[int, int]:
    """(readers, all times) of a post, once the day is over."""
    clicks.fold(TODAY + DAY)
    rows = Click.select().where(Click.post == number)
    return sum(row.readers for row in rows), sum(row.times for row in rows)


# where it leads

@pytest.mark.parametrize(("stored", "leads_to"), [
    ("https://example.org/글?a=1&b=2", "https://example.org/%EA%B8%80?a=1&b=2"),
    ("http://example.org/", "http://example.org/"),
    ("javascript:alert(1)", None),
    ("//example.org/x", None),
    ("https://user@example.org/", None),
    ("https://example.org/\r\nSet-Cookie: a=b", "https://example.org/Set-Cookie:%20a=b"),
    ("", None),
])
def test_it_leads_to_the_posts_own_page_where_that_is_on_the_web(stored: str, leads_to: str | None) -> None:
    assert click(a_post(a_blog(), "글", url=stored)) == leads_to


def test_what_leads_nowhere_is_not_counted(post: Post) -> None:
    nowhere = a_post(a_blog("other"), "글", url="")
    assert [click(number) for number in (nowhere.id, 999_999_999_999, clicks.DECOY)] == [None] * 3
    assert {row.post for row in Opened.select()} == {clicks.DECOY}


# who is a reader

def test_a_reader_counts_once_a_day_and_every_time_is_kept(post: Post) -> None:
    for minutes in (0, 1, 300):
        click(post, TEN + timedelta(minutes=minutes))
    assert counted(post.id) == (1, 3)


def test_another_network_or_another_program_is_another_reader(post: Post) -> None:
    click(post)
    click(post, network="192.0.2.8")
    click(post, agent=FIREFOX.replace("145", "146"))
    assert counted(post.id) == (3, 3)


def test_nobody_makes_a_post_the_most_read_under_ever_new_names(post: Post) -> None:
    for number in range(30):
        assert click(post, TEN + number * SECOND, agent=f"{FIREFOX} {number}") == "https://example.org/0"
    click(post, TEN + 60 * SECOND, agent=f"{FIREFOX} 0")
    click(post, TEN + 60 * SECOND, network="192.0.2.8")
    assert (counted(post.id), counted(clicks.DECOY)) == ((11, 12), (0, 20))


@pytest.mark.parametrize("agent", ["curl/8.{}", "Mozilla/5.0 ({})"])
def test_one_network_does_not_fill_the_disk_under_ever_new_names(posts: list[Post], agent: str) -> None:
    for number in range(1_100):
        click(clicks.DECOY, TEN + number * SECOND, agent=agent.format(number))
    assert 1 <= Opened.select().count() <= 1_001
    assert Opened.select(fn.SUM(Opened.times)).scalar() == 1_100
    click(posts[0], network="192.0.2.8")
    assert counted(posts[0].id) == (1, 1)


@pytest.mark.parametrize("agent", [
    FIREFOX,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15; SM-S936N) AppleWebKit/537.36 Chrome/142.0 Mobile KAKAOTALK",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 NAVER(inapp; search; 1000; 12.9.1)",
    "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
    "Opera/9.80 (Android; Opera Mini/36.2/191) Presto/2.12.423 Version/12.16",
])
def test_a_browser_is_a_reader(post: Post, agent: str) -> None:
    click(post, agent=agent)
    assert counted(post.id) == (1, 1)


@pytest.mark.parametrize("agent", [
    "",
    "curl/8.14.1",
    "Wget/1.25.0",
    "python-requests/2.34.2",
    "Go-http-client/2.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; Yeti/1.1; +https://naver.me/spd)",
    "Mozilla/5.0 (compatible; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 BingPreview/1.0b",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/142.0 Safari/537.36",
    "Mozilla/5.0 (compatible; BarracudaCentral/1.0)",
])
def test_a_machine_that_says_so_is_no_reader_but_its_times_are_kept(post: Post, agent: str) -> None:
    assert click(post, agent=agent) == "https://example.org/0"
    assert (counted(post.id), counted(clicks.DECOY)) == ((0, 0), (0, 1))


def test_who_only_asks_about_a_link_is_no_reader_until_they_open_it(posts: list[Post]) -> None:
    click(posts[0], head=True)
    click(posts[1], head=True)
    click(posts[1], TEN + SECOND)
    click(posts[1], TEN + 2 * SECOND, head=True)
    assert (counted(posts[0].id), counted(posts[1].id), counted(clicks.DECOY)) == ((0, 0), (1, 3), (0, 1))


@pytest.mark.parametrize(("pause", "readers"), [(0.5, 0), (1.2, 0), (1.3, 9), (60, 9)])
def test_who_opens_more_than_eight_posts_in_ten_seconds_is_a_machine(posts: list[Post], pause: float,
                                                                      readers: int) -> None:
    for number, post in enumerate(posts[:9]):
        click(post, TEN + pause * number * SECOND)
    assert sum(counted(post.id)[0] for post in posts) == readers
    assert sum(row.times for row in Click.select()) == 9


def test_eight_posts_at_once_opened_again_and_again_are_a_readers(posts: list[Post]) -> None:
    for _ in range(3):
        for post in posts[:8]:
            click(post)
    assert [counted(post.id) for post in posts[:8]] == [(1, 3)] * 8


def test_who_opens_the_link_that_nobody_sees_was_a_machine_all_day(posts: list[Post]) -> None:
    click(posts[0])
    click(clicks.DECOY, TEN + 60 * SECOND)
    click(posts[1], TEN + timedelta(hours=9))
    click(posts[0], TEN + timedelta(hours=9), network="192.0.2.8")
    assert (counted(posts[0].id), counted(posts[1].id), counted(clicks.DECOY)) == ((1, 1), (0, 0), (0, 3))


def test_a_machine_that_opens_everything_leaves_a_row_and_no_more(posts: list[Post]) -> None:
    for post in posts:
        click(post, agent="curl/8.14.1")
    assert [(row.post, row.times) for row in Opened.select()] == [(clicks.DECOY, 20)]


# what is forgotten

def test_neither_network_nor_program_is_stored(post: Post) -> None:
    click(post)
    click(post, network="2001:db8:1:2::/64")
    with sqlite3.connect(db.database) as connection:
        everything = "\n".join(connection.iterdump())
    connection.close()
    assert "192.0.2.7" not in everything
    assert "2001:db8" not in everything
    assert "Firefox" not in everything


def test_with_the_day_it_is_forgotten_who_read_and_how_that_could_be_told(post: Post) -> None:
    click(post)
    before = Setting.read(clicks.SALT)
    clicks.fold(TODAY + DAY)
    assert (Opened.select().count(), Setting.read(clicks.SALT)) == (0, None)
    click(post, TEN + DAY)
    assert before.split()[1] != Setting.read(clicks.SALT).split()[1]


def test_a_day_is_folded_once_and_today_not_at_all(post: Post) -> None:
    click(post)
    click(post, TEN + timedelta(hours=11), network="192.0.2.8")
    clicks.fold(TODAY)
    assert Click.select().count() == 0
    for _ in range(2):
        clicks.fold(TODAY + DAY)
        assert list(Click.select().order_by(Click.hour).tuples()) == [(post.id, TODAY, 10, 1, 1),
                                                                       (post.id, TODAY, 21, 1, 1)]


def test_an_issue_of_a_day_that_is_over_does_not_count_todays_readers_twice(post: Post) -> None:
    click(post)
    clicks.fold(TODAY - DAY)
    click(post, TEN + timedelta(hours=1))
    assert counted(post.id) == (1, 2)


def test_a_new_local_day_folds_the_one_before_by_itself(post: Post) -> None:
    click(post, datetime(2026, 11, 21, 14, 59, tzinfo=UTC))     # a minute to midnight in Seoul
    click(post, datetime(2026, 11, 21, 15, 0, tzinfo=UTC))
    assert list(Click.select().tuples()) == [(post.id, TODAY, 23, 1, 1)]
    assert [(row.day, row.hour) for row in Opened.select()] == [(TODAY + DAY, 0)]


def test_a_clock_that_is_set_back_loses_no_click(post: Post) -> None:
    for day in (0, 1, 0, 1):
        click(post, TEN + day * DAY)
    clicks.fold(TODAY + 2 * DAY)
    assert list(Click.select().order_by(Click.day).tuples()) == [(post.id, TODAY, 10, 2, 2),
                                                                  (post.id, TODAY + DAY, 10, 2, 2)]


# a reader is never kept from a post

def test_a_database_that_others_hold_keeps_nobody_waiting(post: Post) -> None:
    with sqlite3.connect(db.database, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        assert click(post) == "https://example.org/0"
        assert time.monotonic() - begun < 2
        other.execute("ROLLBACK")
    other.close()
    assert click(post) == "https://example.org/0"
    assert counted(post.id) == (1, 1)


@pytest.mark.parametrize("trouble", ["query_only = 1", "max_page_count = 1"])     # read-only; full
def test_a_database_that_takes_nothing_keeps_nobody_from_a_post(posts: list[Post], trouble: str,
                                                               caplog: pytest.LogCaptureFixture) -> None:
    db.execute_sql(f"PRAGMA {trouble}")
    for number, post in enumerate(posts * 4):
        where = click(post, TEN + number * SECOND, network=f"192.0.2.{number}")
        assert where == post.url
    assert "a click was not counted" in caplog.text


def test_counting_leaves_the_connection_as_it_was(post: Post) -> None:
    before = [db.pragma(name) for name in ("busy_timeout", "synchronous")]
    click(post)
    assert [db.pragma(name) for name in ("busy_timeout", "synchronous")] == before
