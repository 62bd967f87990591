"""The indexes of posts grow by a segment a transaction; the night puts them together, little by little."""
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from conftest import NOW, a_blog
from web_site import a_post

from devdigest import blogs, fulltext, links, search, segments, wear
from devdigest.care import care
from devdigest.config import Config
from devdigest.memory import Run
from devdigest.models import Blog
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")

INDEXES = [fulltext.INDEX, links.INDEX]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def store(blog: Blog, first: int, count: int = 1, words: int = 1) -> None:
    """A collect that stores so many posts, in one transaction."""
    with db.atomic():
        fulltext.put_in([a_post(blog, f"post {number}", excerpt=" ".join(
            f"word{number}x{place}" for place in range(words))) for number in range(first, first + count)])
        links.put_in()


def count(index: str) -> int:
    """How many segments it has."""
    return db.execute_sql(f"SELECT count(DISTINCT segid) FROM {index}_idx").fetchone()[0]


def pages(index: str) -> int:
    return db.execute_sql(f"SELECT count(*) FROM {index}_idx").fetchone()[0]


@pytest.mark.parametrize("index", INDEXES)
def test_a_collect_writes_what_is_new_and_the_night_puts_it_together(config: Config, index: str) -> None:
    blog = a_blog()
    for number in range(16):
        store(blog, number)
    assert count(index) == 16
    care(config, NOW)
    assert count(index) == 1
    assert search.find("post").total == 16


@pytest.mark.parametrize("index", INDEXES)
def test_fifteen_segments_are_left_alone(config: Config, index: str) -> None:
    blog = a_blog()
    for number in range(15):
        store(blog, number)
    care(config, NOW)
    assert count(index) == 15


def test_however_long_the_nights_are_missed_no_collect_puts_segments_together(config: Config) -> None:
    blog = a_blog()
    for number in range(3 * 40):        # collects of 40 days
        store(blog, number)
    assert [count(index) for index in INDEXES] == [120, 120]
    care(config, NOW)
    assert [count(index) for index in INDEXES] == [1, 1]


def test_a_night_writes_a_bounded_part_and_the_next_goes_on(config: Config) -> None:
    blog = a_blog()
    for number in range(16):
        store(blog, number, words=10_000)
    whole, nights = pages(fulltext.INDEX), []
    while count(fulltext.INDEX) > 1:
        nights.append(care(config, NOW + len(nights) * DAY).written)
    assert whole > 200
    assert len(nights) == pytest.approx(whole / 96, abs=1)
    assert max(nights) < 2 * (96 + 16 * 6) * 4_120      # pages of what comes of it, and a few of each segment
    assert search.find("word3x77").total == 1


@pytest.mark.parametrize(("began", "ended"), [
    (1, 2),
    (-1, 2),        # while the last care ran
    (1, None),      # stopped
])
def test_the_night_after_a_first_import_puts_all_of_it_together(config: Config, began: int,
                                                                ended: int | None) -> None:
    care(config, NOW)
    blog = a_blog()
    for number in range(16):
        store(blog, number, words=10_000)
    Run.create(job="collect", started=NOW + began * HOUR, finished=ended and NOW + ended * HOUR,
               posts=4 * pages(fulltext.INDEX))
    care(config, NOW + DAY)
    assert count(fulltext.INDEX) == 1


def test_a_night_that_is_stopped_leaves_the_rest_and_is_due_again(config: Config, now: datetime) -> None:
    blog, stop = a_blog(), Event()
    for number in range(16):
        store(blog, number)
    stop.set()
    assert care(config, now, stop).finished is None
    assert count(fulltext.INDEX) == 16


def test_what_the_night_writes_is_told_with_what_the_collects_do(config: Config, now: datetime) -> None:
    store(a_blog(), 0)
    done = care(config, now)
    assert 0 < done.written == Run.written_between(now, now + DAY)


def test_words_of_an_erased_blog_stand_nowhere_in_the_file_though_its_segments_were_put_together(
        config: Config) -> None:
    ada = a_blog()
    for number in range(16):        # of several pages each, which come free
        words = " ".join(f"zauberwort{number}x{place}" for place in range(2_000))
        fulltext.put_in([a_post(ada, f"post {number}", excerpt=words)])
    segments.merge(fulltext.INDEX, 1_000, wear.Log(db.database), Event())
    assert db.pragma("freelist_count") > 16
    blogs.exclude(ada, erase=True)
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"zauberwort" not in Path(config.database.path).read_bytes()
    assert db.pragma("secure_delete") == 1
