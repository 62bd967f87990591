"""The numbers: what is added up by day, and that a year of them is there in no time."""
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from web_site import TODAY, YESTERDAY, a_post, an_issue

from devdigest import cli, clicks, database, stats
from devdigest.blogs import exclude
from devdigest.config import Config
from devdigest.counts import Click, Event, Opened
from devdigest.models import Blog
from devdigest.readers import Delivery, Subscriber
from devdigest.stats import Day, Numbers

pytestmark = pytest.mark.usefixtures("records")

DAY = timedelta(days=1)
ZEROS = {"posts": 0, "mails": 0, "readers": 0, "clicks": 0, "asked": 0, "confirmed": 0, "cancelled": 0}


@pytest.fixture
def blog(records: None) -> Blog:
    return a_blog("gana", name="가나 기술 블로그")


def numbers(config: Config, days: int = 7, now: datetime = NOW) -> Numbers:
    return stats.numbers(config, now, days)


def of_the_day(config: Config, day: date = TODAY) -> Day:
    return next(one for one in numbers(config, 30).days if one.day == day)


def readers(count: int) -> None:
    for number in range(count):
        Subscriber.create(email=f"reader{number}@example.org", state="active", created=NOW)


def a_click(post: int, day: date = YESTERDAY, hour: int = 10, readers: int = 1, times: int = 1) -> None:
    Click.create(post=post, day=day, hour=hour, readers=readers, times=times)


def opened(post: int, reader: str, machine: bool = False, times: int = 1, day: date = TODAY) -> None:
    Opened.create(reader=reader, post=post, day=day, at=NOW, hour=9, machine=machine, times=times)


def test_without_anything_all_is_nothing(config: Config) -> None:
    found = numbers(config)
    assert (found.posts, found.subscribers, found.left, found.top) == (0, 0, None, [])
    assert found.days == [Day(day=TODAY - back * DAY, subscribers=0, **ZEROS) for back in range(6, -1, -1)]
    assert found.hours == [[0] * 24] * 7


@pytest.mark.parametrize("days", stats.RANGES)
def test_the_days_end_with_today_where_the_site_is(config: Config, days: int) -> None:
    evening = datetime.fromisoformat("2026-11-21T15:00:00Z")        # midnight in Seoul
    found = numbers(config, days, now=evening).days
    assert (len(found), found[-1].day) == (days, date(2026, 11, 22))


def test_posts_count_on_the_day_of_their_daily_issue(config: Config, blog: Blog) -> None:
    first, second = a_post(blog, "하나"), a_post(blog, "둘")
    an_issue(first, late=(second,))
    an_issue(first, kind="weekly")
    a_post(blog, "셋", verdict="history")
    assert (of_the_day(config).posts, of_the_day(config, YESTERDAY).posts) == (2, 0)
    assert numbers(config).posts == 3


def test_mails_of_late_are_counted_now_and_older_ones_were(config: Config, blog: Blog,
                                                            ada: Subscriber) -> None:
    for back in (0, 3, 4):
        issue = an_issue(a_post(blog, f"글 {back}"), day=TODAY - back * DAY)
        for state in ("sent", "sent", "refused", "queued"):
            Delivery.create(issue=issue, state=state, created=NOW, due=NOW, changed=NOW)
        Event.put(TODAY - back * DAY, "mailed", 1)
    assert [of_the_day(config, TODAY - back * DAY).mails for back in (0, 3, 4)] == [2, 2, 1]


def test_both_numbers_of_clicks_are_told_those_of_today_too(config: Config) -> None:
    a_click(1, YESTERDAY, hour=10, readers=2, times=5)
    a_click(2, YESTERDAY, hour=22, readers=1, times=1)
    a_click(clicks.DECOY, YESTERDAY, hour=22, readers=0, times=30)
    opened(1, "ada", times=3)
    opened(clicks.DECOY, "crawler", machine=True, times=4)
    yesterday, today = numbers(config).days[-2:]
    assert (yesterday.readers, yesterday.clicks) == (3, 36)
    assert (today.readers, today.clicks) == (1, 7)
    hours = numbers(config).hours
    assert (hours[4][10], hours[4][22], hours[5][9]) == (2, 1, 1)       # Friday; Saturday
    assert sum(map(sum, hours)) == 4


def test_subscribers_of_days_past_follow_from_who_came_and_went(config: Config) -> None:
    readers(3)
    Event.add(TODAY, "confirmed", 2)
    Event.add(YESTERDAY, "cancelled", 4)
    Event.add(YESTERDAY, "asked", 1)
    assert [day.subscribers for day in numbers(config).days[-3:]] == [5, 1, 3]
    assert of_the_day(config, YESTERDAY).asked == 1


def test_the_curve_never_falls_below_nothing(config: Config) -> None:
    Event.add(TODAY, "confirmed", 2)            # whose leaving was not counted
    assert [day.subscribers for day in numbers(config).days[-2:]] == [0, 0]


def test_the_share_of_those_who_left_is_of_all_who_ever_confirmed(config: Config) -> None:
    Event.add(date(2024, 1, 1), "confirmed", 40)
    Event.add(date(2024, 1, 1), "asked", 60)
    Event.add(TODAY, "cancelled", 3)
    assert numbers(config).left == 3 / 40


def test_the_most_read_come_first_and_what_one_alone_read_is_not_told(config: Config, blog: Blog) -> None:
    posts = [a_post(blog, f"글 {number}", url=f"https://example.org/{number}") for number in range(14)]
    for number, post in enumerate(posts):
        a_click(post.id, readers=number)
    opened(posts[13].id, "ada")
    opened(posts[1].id, "ada")
    opened(posts[0].id, "ada", machine=True)
    top = numbers(config).top
    assert [(post.title, post.readers) for post in top[:2]] == [("글 13", 14), ("글 12", 12)]
    assert [post.readers for post in top] == [14, 12, 11, 10, 9, 8, 7, 6, 5, 4]
    assert (top[0].url, top[0].blog) == ("https://example.org/13", "가나 기술 블로그")
    Click.delete().where(Click.readers > 1).execute()
    assert [(post.title, post.readers) for post in numbers(config).top] == [("글 1", 2)]


def test_a_blog_that_was_left_out_is_not_among_the_most_read(config: Config, blog: Blog) -> None:
    other = a_blog("note", name="노트")
    for place, one in enumerate((blog, other)):
        a_click(a_post(one, f"글 {place}").id, readers=5)
    exclude(blog)
    assert [post.blog for post in numbers(config).top] == ["노트"]


def test_what_is_before_the_range_does_not_count(config: Config, blog: Blog) -> None:
    post = a_post(blog, "글")
    for day in (TODAY - 7 * DAY, TODAY - 6 * DAY):
        a_click(post.id, day, readers=2, times=2)
    found = numbers(config, 7)
    assert (found.days[0].readers, found.top[0].readers, sum(map(sum, found.hours))) == (2, 2, 2)


@pytest.mark.parametrize(("days", "count", "length"), [(7, 7, 1), (90, 90, 1), (365, 52, 7)])
def test_a_year_is_shown_in_whole_weeks(config: Config, days: int, count: int, length: int) -> None:
    spans = stats.spans(numbers(config, days).days)
    assert (len(spans), {len(span) for span in spans}, spans[-1][-1].day) == (count, {length}, TODAY)


# the sub-command

@pytest.fixture
def typed(config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `devdigest stats` says."""
    settings = tmp_path / "config.toml"
    settings.write_text(f'[site]\nclock = "trust"\n[database]\npath = "{config.database.path}"\n')

    def types(*arguments: str) -> str:
        assert cli.main(["--config", str(settings), "stats", *arguments]) == 0
        database.open(config.database.path)         # which the command has closed
        return capsys.readouterr().out
    return types


def test_an_empty_installation_is_told_what_to_do_first(typed: Callable[..., str]) -> None:
    assert typed() == "nothing to count yet: `devdigest blogs import LIST`, then `devdigest run`\n"


def test_the_numbers_are_told_in_lines_with_the_most_read(typed: Callable[..., str], blog: Blog) -> None:
    day = datetime.now(UTC).date() - DAY
    for number in range(7):
        a_click(a_post(blog, f"글\x1b[31m {number}").id, day, readers=number + 1, times=100)
    assert "no active subscribers: `devdigest subscribers add EMAIL`, or the front page\n" in typed()
    readers(1234)
    Event.add(day, "confirmed", 4)
    Event.add(day, "cancelled", 1)
    said = typed().splitlines()
    assert said[:2] == ["7 posts collected",
                        "1,234 active subscribers, 25.0% of all who ever confirmed have left"]
    told = {line[:11].strip(): line[11:20].strip() for line in said[4:11]}
    assert told == {"posts": "0", "mails": "0", "clicks": "28", "all clicks": "700", "asked": "0",
                    "confirmed": "4", "cancelled": "1"}
    assert said[-6:-3] == ["most read, by readers", "       7  글[31m 6 · 가나 기술 블로그",
                           "       6  글[31m 5 · 가나 기술 블로그"]
    assert "\x1b" not in "".join(said)


def test_the_same_is_there_for_scripts(typed: Callable[..., str], blog: Blog) -> None:
    readers(2)
    found = json.loads(typed("--json", "--days", "90"))
    assert (found["posts"], found["subscribers"], found["left"], len(found["days"])) == (0, 2, None, 90)
    assert set(found["days"][0]) == {"day", "subscribers", *ZEROS}
