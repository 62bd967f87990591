"""What is kept of an answer, for how long, and who is told that nothing has changed."""
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from devdigest.config import Config
from devdigest.table import db
from devdigest.web.joining import STAMP
from devdigest.web.kept import Environ, Kept

ETAG = 'W/"one"'


class Answer(NamedTuple):
    status: str
    headers: dict[str, str]
    body: bytes


@dataclass
class App:
    """Counts how often it is asked, and answers with its body."""
    body: bytes = "어제의 글".encode()
    etag: str = ETAG
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None        # happens while it makes its answer

    def __call__(self, environ: Environ, start: Callable[..., object]) -> list[bytes]:
        self.asked.append(environ["PATH_INFO"])
        self.meanwhile()
        headers = [("Content-Type", "text/html"), ("Content-Language", "ko"), ("Cache-Control", "no-cache"),
                   ("Vary", "Accept-Language"), ("Content-Length", str(len(self.body)))]
        start("200 OK", headers + [("Etag", self.etag)] * bool(self.etag))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


class Front:
    """A visitor of the app through its memory."""

    def __init__(self, config: Config, fresh: float) -> None:
        self.app = App()
        self.kept = Kept(self.app, config, fresh)

    def ask(self, path: str = "/", method: str = "GET", query: str = "", **headers: str) -> Answer:
        said: list[tuple[str, dict[str, str]]] = []
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
        body = b"".join(self.kept(environ | {f"HTTP_{name}": value for name, value in headers.items()},
                                  lambda status, headers: said.append((status, dict(headers)))))
        return Answer(*said[0], body)


@pytest.fixture
def front(config: Config, records: None) -> Iterator[Front]:
    """Looks at the database at every visit."""
    front = Front(config, fresh=0)
    yield front
    front.kept.close()


def change_something() -> None:
    with sqlite3.connect(db.database) as other:
        other.execute("INSERT INTO setting VALUES ('x', random()) ON CONFLICT DO UPDATE SET value = random()")
    other.close()


def test_a_page_is_made_once_until_the_database_changes(front: Front) -> None:
    first = front.ask()
    assert front.ask() == first
    change_something()
    front.app.body = b"new"
    assert [front.ask().body, front.ask().body] == [b"new", b"new"]
    assert front.app.asked == ["/", "/"]


def test_for_a_moment_not_even_the_database_is_asked(config: Config, records: None) -> None:
    front = Front(config, fresh=60)
    front.ask()
    change_something()
    front.ask()
    front.kept.close()
    assert front.app.asked == ["/"]


def test_a_page_that_a_change_overtook_is_not_kept(front: Front) -> None:
    def meanwhile() -> None:
        front.app.meanwhile = lambda: None
        change_something()
        front.ask("/by another visitor")

    front.app.meanwhile = meanwhile
    front.ask()
    front.ask()
    assert front.app.asked == ["/", "/by another visitor", "/"]


def test_while_a_page_is_made_anew_others_get_the_former(front: Front) -> None:
    former = front.ask()
    change_something()
    others: list[Answer] = []

    def meanwhile() -> None:
        front.app.meanwhile = lambda: None
        others.append(front.ask())

    front.app.meanwhile, front.app.body = meanwhile, b"new"
    assert (front.ask().body, others) == (b"new", [former])
    assert front.ask().body == b"new"


def test_each_language_has_a_page_of_its_own_and_no_more(front: Front) -> None:
    for accepted in ("ko", "ko-KR,ko;q=0.9", "en", "en-GB", "fr", ""):
        front.ask(ACCEPT_LANGUAGE=accepted)
    assert front.app.asked == ["/", "/"]


@pytest.mark.parametrize("asked", [{"method": "POST"}, {"method": "PUT"}, {"query": "q=x"}])
def test_what_depends_on_more_than_its_path_is_asked_for_anew(front: Front, asked: dict[str, str]) -> None:
    assert [front.ask(**asked).body, front.ask(**asked).body] == [front.app.body] * 2
    assert len(front.app.asked) == 2


def test_an_answer_without_an_etag_is_asked_for_anew(front: Front) -> None:
    front.app.etag = ""
    front.ask(IF_NONE_MATCH="*")
    assert front.ask(IF_NONE_MATCH="*").body == front.app.body
    assert len(front.app.asked) == 2


@pytest.mark.parametrize(("told", "status"), [
    ('W/"one"', "304"), ('"one"', "304"), ('"zero", W/"one"', "304"), ('"zero",W/"one","two"', "304"),
    ("*", "304"), ('W/"zero"', "200"), ("one", "200"), ('W/"on', "200"), ('"*"', "200"), ("", "200"),
    ('"' * 9_999, "200")])
def test_who_has_it_already_is_told_so(front: Front, told: str, status: str) -> None:
    for _ in ("made", "kept"):
        answer = front.ask(IF_NONE_MATCH=told)
        assert answer.status[:3] == status
        assert answer.body == (b"" if status == "304" else front.app.body)


def test_a_304_has_the_headers_it_has_to_have_and_none_of_a_body(front: Front) -> None:
    front.ask()
    assert front.ask(IF_NONE_MATCH=ETAG).headers == {      # RFC 9110, 15.4.5
        "Etag": ETAG, "Cache-Control": "no-cache", "Vary": "Accept-Language", "Content-Language": "ko"}


def test_a_form_says_when_it_was_given_out_whether_its_page_was_kept_or_not(front: Front) -> None:
    front.app.body = f"<{STAMP}>".encode()
    first, second, posted = front.ask(), front.ask(), front.ask(method="POST")
    assert len(front.app.asked) == 2
    for answer in (first, second, posted):
        assert STAMP.encode() not in answer.body
        assert answer.headers["Content-Length"] == str(len(answer.body))
    assert first.headers["Etag"] == second.headers["Etag"] == ETAG


def test_a_head_tells_of_the_body_that_a_get_brings(front: Front) -> None:
    front.app.body = f"<{STAMP}>".encode()
    head, get, again = front.ask(method="HEAD"), front.ask(), front.ask(method="HEAD")
    assert (head.body, again.body) == (b"", b"")
    assert head.headers == get.headers == again.headers


def test_no_more_is_kept_than_there_is_room_for(front: Front) -> None:
    front.app.body = bytes(500_000)
    for number in range(10):
        front.ask(f"/{number}")
    front.app.asked.clear()
    for number in reversed(range(10)):
        front.ask(f"/{number}")
    assert front.app.asked == [f"/{number}" for number in (5, 4, 3, 2, 1, 0)]


def test_while_the_database_cannot_be_looked_at_nothing_is_kept(front: Front) -> None:
    front.ask()
    front.kept.close()
    front.ask()
    front.ask()
    assert len(front.app.asked) == 3


def test_many_visitors_at_once_get_the_same(front: Front) -> None:
    with ThreadPoolExecutor(8) as visitors:
        answers = list(visitors.map(lambda number: front.ask(f"/{number % 3}").body, range(300)))
    assert set(answers) == {front.app.body}


def test_nothing_is_kept_under_the_many_names_that_bytes_of_no_text_give_a_page(front: Front) -> None:
    for path in ("/robots\xff.txt", "/robots\xff\xfe.txt"):
        front.ask(path)
        front.ask(path)
    assert len(front.app.asked) == 4
