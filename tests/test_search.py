"""Posts by what is said in them and by tag: who is found, in which order, on which page."""
from datetime import date, timedelta

import pytest
from conftest import a_blog
from web_site import TODAY, YESTERDAY, a_post, an_issue

from devdigest import blogs, fulltext, search, terms
from devdigest.models import Blog, Post
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")


def found_post(blog: Blog, title: str, day: date = YESTERDAY, **values: object) -> Post:
    """A post as the collector stores one: in the index too."""
    post = a_post(blog, title, day, **values)
    fulltext.put_in([post])
    return post


def titles(found: search.Found) -> list[str]:
    return [post.title for post in found.posts]


def test_a_post_is_found_by_its_title_its_excerpt_and_its_tags() -> None:
    blog = a_blog()
    for words in ({"title": "커넥션 풀"}, {"title": "하나", "excerpt": "커넥션 이야기"},
                  {"title": "둘", "tags": "커넥션\nJava"}, {"title": "셋"}):
        found_post(blog, **words)
    assert set(titles(search.find("커넥션"))) == {"커넥션 풀", "하나", "둘"}
    assert titles(search.find("커넥션 java")) == ["둘"]


def test_what_is_found_brings_its_blog_and_the_day_of_its_daily_issue() -> None:
    blog = a_blog(name="가나 블로그")
    mailed, _ = found_post(blog, "실린 글"), found_post(blog, "아직인 글", YESTERDAY - timedelta(days=1))
    an_issue(mailed)
    an_issue(mailed, kind="weekly", day=TODAY + timedelta(days=2))
    found = search.find("글")
    assert [(post.title, post.blog.name, post.issue_day) for post in found.posts] == [
        ("실린 글", "가나 블로그", TODAY), ("아직인 글", "가나 블로그", None)]


@pytest.mark.parametrize(("verdict", "shown"), [
    ("news", True), ("history", True), ("too_old", True), ("copy", False), ("held", False)])
def test_copies_and_posts_not_yet_judged_are_not_found(verdict: str, shown: bool) -> None:
    found_post(a_blog(), "글", verdict=verdict, tags="Java")
    for found in (search.find("글"), search.find("글", "best"), search.tagged("java")):
        assert (titles(found), found.total) == (["글"] if shown else [], int(shown))


def test_posts_of_a_blog_that_is_left_out_are_not_found_at_once_and_found_again_when_it_is_back() -> None:
    blog = a_blog()
    an_issue(found_post(blog, "글", tags="Java"))
    blogs.exclude(blog)
    assert (search.find("글").total, search.tagged("Java").total, search.tags(TODAY, 9)) == (0, 0, [])
    Blog.update(state="active").execute()
    assert (search.find("글").total, search.tagged("Java").total) == (1, 1)
    assert search.tags(TODAY, 9) == [("Java", 1)]


def test_erased_posts_are_not_found_even_when_their_blog_is_back() -> None:
    blog, other = a_blog(), a_blog("other")
    found_post(blog, "지울 제목", excerpt="지울 발췌", tags="Java\n지울 태그")
    found_post(other, "남을 제목", excerpt="남을 발췌", tags="Java")
    for _ in range(2):
        blogs.exclude(blog, erase=True)
    Blog.update(state="active").execute()
    assert [search.find(words).total for words in ("지울", "태그", "제목", "발췌", "java")] == [0, 0, 1, 1, 1]
    assert search.tagged("java").total == 1
    db.execute_sql("INSERT INTO post_terms(post_terms) VALUES ('integrity-check')")    # or it raises


def test_nothing_of_an_erased_post_is_left_in_the_index() -> None:
    def held() -> bytes:
        return b"".join(block for block, in db.execute_sql("SELECT block FROM post_terms_data"))
    blog = a_blog()
    found_post(blog, "지울 제목", excerpt="secretword", tags="비밀")
    assert b"secretword" in held()
    assert terms.label("비밀").encode()[-12:] in held()
    blogs.exclude(blog, erase=True)
    for trace in ("secretword", "지울", "제목", terms.label("비밀")[-12:]):
        assert trace.encode() not in held()


def test_the_index_takes_a_post_once_and_gives_back_only_what_it_has() -> None:
    known, unknown = found_post(a_blog(), "글"), a_post(a_blog("other"), "글", guid="2")
    fulltext.put_in([known])
    assert search.find("글").total == 1
    fulltext.take_out([known, unknown])
    fulltext.take_out([known, unknown])
    assert search.find("글").total == 0
    fulltext.put_in([known, unknown])
    assert search.find("글").total == 2


def test_posts_come_into_the_index_from_a_number_on() -> None:
    blog = a_blog()
    before, after = a_post(blog, "글 1", guid="1"), a_post(blog, "글 2", guid="2")
    fulltext.put_in_from(after.id)
    assert before.id < after.id
    assert titles(search.find("글")) == ["글 2"]


def test_the_newest_day_comes_first_and_of_one_day_what_came_last() -> None:
    blog = a_blog()
    for title, days in (("글 1", 0), ("글 2", 9), ("글 3", 0), ("글 4", 2)):
        found_post(blog, title, YESTERDAY - timedelta(days=days))
    assert titles(search.find("글")) == ["글 3", "글 1", "글 4", "글 2"]


def test_best_first_is_who_says_it_in_the_title_then_in_a_tag_then_in_the_excerpt() -> None:
    blog, filler = a_blog(), "다른 이야기를 조금 더 길게 적은 발췌"
    found_post(blog, "하나", excerpt=f"redis {filler}", tags="cache")
    found_post(blog, "둘", excerpt=f"redis {filler} redis", tags="redis")
    found_post(blog, "redis", excerpt=f"cache {filler}", tags="cache")
    for number in range(20):
        found_post(blog, f"글 {number}", excerpt=filler)
    assert titles(search.find("redis", "best")) == ["redis", "둘", "하나"]
    assert titles(search.find("redis", "newest")) == ["redis", "둘", "하나"]
    found_post(blog, "셋", TODAY, excerpt=f"redis {filler}")
    assert titles(search.find("redis", "best"))[0] == "redis"
    assert titles(search.find("redis", "newest"))[0] == "셋"


@pytest.mark.parametrize("order", ["newest", "best"])
def test_every_post_is_on_one_page_of_the_results(order: str) -> None:
    blog = a_blog()
    for number in range(45):
        found_post(blog, f"글 {number}", YESTERDAY - timedelta(days=number % 7))
    pages = [search.find("글", order, page) for page in (1, 2, 3)]
    assert [len(found.posts) for found in pages] == [20, 20, 5]
    assert {(found.total, found.pages) for found in pages} == {(45, 3)}
    assert len({title for found in pages for title in titles(found)}) == 45
    assert search.find("글", order, 4).posts == []
    assert search.find("글", order, 999_999).posts == []


def test_nothing_typed_finds_nothing() -> None:
    found_post(a_blog(), "글")
    for typed in ("", " ", "!?", '"'):
        found = search.find(typed)
        assert (found.posts, found.total, found.pages) == ([], 0, 0)


def test_a_tag_is_found_in_whatever_case_and_only_whole() -> None:
    blog = a_blog()
    for number, tags in enumerate(("Java", "java\nSpring", "JavaScript", "Java 21", "ＪＡＶＡ", "")):
        found_post(blog, f"java 글 {number}", tags=tags)
    assert titles(search.tagged("JAVA")) == ["java 글 4", "java 글 1", "java 글 0"]
    assert search.spelling("JAVA", search.tagged("JAVA").posts[1:]) in ("java", "Java")
    for nothing in ("", " ", "jav", "\ud800", '"', "*"):
        assert search.tagged(nothing).total == 0


def test_tags_are_counted_over_spellings_and_shown_as_most_write_them() -> None:
    blog, other = a_blog(), a_blog("other")
    posts = [found_post(blog if number % 2 else other, f"글 {number}", tags=tags) for number, tags in
             enumerate(("Spring\nJava", "SPRING", "Spring", "kotlin", "Kotlin", "Kotlin", "Rust", ""))]
    an_issue(*posts)
    assert search.tags(TODAY, 9) == [("Kotlin", 3), ("Spring", 3), ("Java", 1), ("Rust", 1)]
    assert search.tags(TODAY, 2) == [("Kotlin", 3), ("Spring", 3)]


def test_only_tags_of_posts_in_a_daily_issue_of_the_last_90_days_are_counted() -> None:
    blog = a_blog()
    old, new, weekly = (found_post(blog, tag, tags=tag) for tag in ("old", "new", "weekly"))
    found_post(blog, "waits", tags="waits")
    an_issue(old, day=TODAY - timedelta(days=90))
    an_issue(new, day=TODAY - timedelta(days=89))
    an_issue(weekly, kind="weekly", day=TODAY)
    assert search.tags(TODAY, 9) == [("new", 1)]
