"""Posts are found by their canonical link, whether the index has them yet or not."""
import pytest
from conftest import NOW, a_blog

from devdigest import links
from devdigest.models import Post, Verdict
from devdigest.table import db

pytestmark = pytest.mark.usefixtures("records")


def stored(blog: object, *keys: str) -> None:
    for key in keys:
        Post.create(blog=blog, guid=f"{key} {Post.collected()}", key=key, url="", title="", excerpt="",
                    day=NOW.date(), first_seen=NOW, verdict=Verdict.NEWS)


def found(*keys: str) -> list[str]:
    return [post.key for post in Post.select().where(Post.linked(keys)).order_by(Post.id)]


def test_posts_with_a_link_are_found_in_the_index_and_before_they_are_in_it() -> None:
    ada = a_blog()
    stored(ada, "ada.example/one", "ada.example/two", "")
    links.put_in()
    stored(ada, "ada.example/one", "ada.example/three")
    before = found("ada.example/one", "ada.example/three", "ada.example/four")
    links.put_in()
    assert before == found("ada.example/one", "ada.example/three", "ada.example/four")
    assert before == ["ada.example/one", "ada.example/one", "ada.example/three"]


def test_no_post_is_put_in_twice() -> None:
    stored(a_blog(), "ada.example/one")
    links.put_in()
    links.put_in()
    assert db.execute_sql("SELECT count(*) FROM post_links WHERE post_links MATCH ?",
                          [links.word("ada.example/one")]).fetchone() == (1,)


@pytest.mark.parametrize("key", ['"', "a OR b", "글/목록?p=1", "x" * 5_000])
def test_a_link_may_be_any_text(key: str) -> None:
    assert links.word(key).isalnum()
    assert found(key) == []
    stored(a_blog(), key, "other")
    links.put_in()
    assert found(key) == [key]


def test_a_thousand_links_are_asked_for_at_once() -> None:
    blog, keys = a_blog(), [f"ada.example/{number}" for number in range(1_000)]
    stored(blog, *keys[::100])
    links.put_in()
    assert found(*keys) == keys[::100]


def test_where_two_links_have_one_word_only_the_one_asked_for_is_found() -> None:
    stored(a_blog(), "ada.example/one")
    db.execute_sql("INSERT INTO post_links(rowid, link) VALUES (1, ?)", [links.word("ada.example/two")])
    assert found("ada.example/two") == []
