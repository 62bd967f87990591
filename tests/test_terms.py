"""terms.py in FTS5 itself: Korean is found like a substring, other words whole; nothing typed is an error."""
import re
import sqlite3
import time
import tracemalloc
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devdigest import terms
from devdigest.fulltext import TABLE
from devdigest.parse import NotAFeed, parse

FEEDS = Path(__file__).parents[2] / "shared" / "feeds" / "real"
needs_feeds = pytest.mark.skipif(not FEEDS.exists(), reason="the collection of real feeds is not here")

# to SQLite an accent makes no difference, and a plain scan knows nothing of that
ANOTHER_SCRIPT = re.compile(r"(?![a-z0-9가-힣])[^\W_]")

KOREAN = st.text("가각나다개발블로그", min_size=1, max_size=8)
OTHERS = st.sampled_from(["SQLite", "WAL", "p99", "C++", "-", "를", "ア・イ"])
TEXTS = st.lists(st.builds(lambda words, space: space.join(words), st.lists(KOREAN | OTHERS, max_size=6),
                           st.sampled_from(["", " "])), min_size=1, max_size=12)


class Index:
    """The index of posts as it is in the database, with these titles."""

    def __init__(self, texts: Iterable[str]):
        self.texts = list(texts)
        self._folded = [folded(text) for text in self.texts]
        self._db = sqlite3.connect(":memory:")
        self._db.execute(TABLE)
        self._db.executemany("INSERT INTO post_terms(rowid, title) VALUES (?, ?)",
                             [(place, terms.terms(text)) for place, text in enumerate(self.texts)])

    def find(self, typed: str) -> list[str]:
        if not (question := terms.query(typed)):
            return []
        rows = self._db.execute("SELECT rowid FROM post_terms WHERE post_terms MATCH ?", (question,))
        return [self.texts[number] for number, in rows]

    def scan(self, pattern: str) -> list[str]:
        search = re.compile(pattern).search
        return [text for text, scanned in zip(self.texts, self._folded, strict=True) if search(scanned)]

    def close(self) -> None:
        self._db.close()


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def found(text: str, typed: str) -> bool:
    index = Index([text])
    try:
        return bool(index.find(typed))
    finally:
        index.close()


@given(TEXTS, st.text("가각나다개발블로그", min_size=1, max_size=5))
def test_korean_is_found_exactly_where_a_scan_finds_it(texts: list[str], syllables: str) -> None:
    index = Index(texts)
    assert index.find(syllables) == index.scan(syllables)
    index.close()


@given(TEXTS, st.data())
def test_every_part_of_a_korean_word_finds_it(texts: list[str], data: st.DataObject) -> None:
    texts = [*texts, "개발블로그로"]
    word = data.draw(st.sampled_from([run for text in texts for run in re.findall("[가-힣]+", text)]))
    begin = data.draw(st.integers(0, len(word) - 1))
    part = word[begin:data.draw(st.integers(begin + 1, len(word)))]
    with closing(Index(texts)) as index:        # hypothesis ends a case where it likes, in a draw
        assert index.find(part) == index.scan(part) != []


@pytest.fixture(scope="module")
def real() -> Iterator[Index]:
    texts: set[str] = set()
    for path in sorted(FEEDS.glob("*.*")):
        with suppress(NotAFeed):
            feed = parse(path.read_bytes(), {}, "https://blog.example.org/", ZoneInfo("Asia/Seoul"))
            texts.update(text for entry in feed.entries for text in (entry.title, entry.excerpt) if text)
    index = Index(sorted(text for text in texts if not ANOTHER_SCRIPT.search(folded(text))))
    yield index
    index.close()


@needs_feeds
@pytest.mark.parametrize("length", [1, 2, 3, 4, 6])
def test_in_real_posts_korean_is_found_exactly_where_a_scan_finds_it(real: Index, length: int) -> None:
    random = Random(length)
    runs = [run for text in real.texts for run in re.findall("[가-힣]+", text) if len(run) >= length]
    for run in random.choices(runs, k=400):
        begin = random.randrange(len(run) - length + 1)
        part = run[begin:begin + length]
        assert real.find(part) == real.scan(part), part


@needs_feeds
def test_in_real_posts_english_words_are_found_whole(real: Index) -> None:
    words = {word for text in real.texts for word in re.findall("[a-z0-9]{1,40}", folded(text))}
    for word in Random(1).sample(sorted(words), 100):
        whole = rf"(?<![a-z0-9]){word}(?![a-z0-9]|(\+\+|#)(?![a-z0-9]))"
        assert real.find(word.upper()) == real.scan(whole), word


@pytest.mark.parametrize(("text", "typed"), [
    ("SQLite를 쓰는 이유", "sqlite"), ("SQLite를 쓰는 이유", "SQLite를"), ("SQLite를 쓰자", "쓰자 SQLITE"),
    ("서버의 p99를 절반으로", "p99"), ("서버의 p99를 절반으로", "p99를"), ("MySQL에서의 격리", "mysql에서"),
    ("무중단 배포", '"중단 배"'), ("무중단 배포", "“무중단 배포”"), ("무중단 배포", '"무중단 배'),
    ("개발", unicodedata.normalize("NFD", "개발")), (unicodedata.normalize("NFD", "개발자"), "개발"),
    ("ＳＱＬ 튜닝", "sql"), ("SQL 튜닝", "ＳＱＬ"), ("Straße", "STRASSE"), ("café", "cafe"),
    ("C++ 템플릿", "c++"), ("C++로 짜기", "C++로"), ("C#으로 만든 게임", "c#"), (".NET 8", ".net"),
    ("I don't know", "don't"), ("Node.js 24", "node.js"), ("a:b", "a:b"), ("snake_case", "snake_case"),
    ("CI/CD", "ci/cd"), ("issue#3", "issue"), ("x -y", "-y"), ("ㅋㅋㅋ", "ㅋㅋ"), ("データベース", "ベース"),
    ("数据库", "据库"), ("アプリ・テスト", "アプリ・テスト"), ("人々", "人々"), ("Привет, мир", "МИР"),
    ("go " + "x" * 50, "x" * 50), ("AND OR NOT", "and or not"), ("NEAR", "near"), ("R", "r")])
def test_what_is_meant_is_found(text: str, typed: str) -> None:
    assert found(text, typed)


@pytest.mark.parametrize(("text", "typed"), [
    ("개발 블로그", "개발블"), ("개 발", "개발"), ("발개", "개발"), ("개발발표", "개발표"),
    ("reactive", "react"), ("preact", "react"), ("C 언어", "c++"), ("C++", "c"), ("C#", "c"),
    ("무중단의 배포", '"무중단 배포"'), ("배포", "무중단 배포"), ("SQLite", "SQLite를"), ("p 99", "p99"),
    ("아무 글", "!?…"), ("아무 글", ""), ("아무 글", ' "" ')])
def test_what_is_not_meant_is_not_found(text: str, typed: str) -> None:
    assert not found(text, typed)


@pytest.mark.parametrize("typed", [
    "(", ")", '"', '""', '"""', "'", "*", "^", "a*", "^a", "a:b", "title:a", "-x", "{a b}:c", "a AND", "OR",
    "NOT", "NEAR(a b)", "NEAR(", "a + b", "c++", "c#", "\\", ";--", "\0", "a\0b", "\ud800", "개\udfff발",
    "\U000e0001", "\u0301", "가" * 10_000, "a " * 5_000, '"' * 10_000, "𞤀𞤁", "\u3164", "ﷺ" * 200, "٣", "½"])
def test_nothing_typed_is_an_error(typed: str) -> None:
    found("아무 글 a b c", typed)


@given(st.text())
def test_no_text_at_all_is_an_error(text: str) -> None:
    found("아무 글 a b c", text)
    terms.terms(text)
    terms.label(text)


@given(st.text("가나다개발aBc1 +#-\"'"))
def test_a_text_is_found_by_what_it_says_itself(text: str) -> None:
    typed = text.replace('"', " ")[:200]
    assert found(typed, typed) == bool(terms.query(typed))


@pytest.mark.parametrize(("one", "other", "same"), [
    ("Java", "JAVA", True), ("ＪＡＶＡ", "java", True), ("무중단  배포", "무중단 배포", True),
    ("C", "C++", False), ("java", "java script", False), ("ci/cd", "cicd", False)])
def test_a_label_stands_for_a_tag_in_whatever_case(one: str, other: str, same: bool) -> None:
    assert (terms.label(one) == terms.label(other)) == same
    assert terms.label(one).isalnum()


def test_nothing_has_no_label() -> None:
    assert terms.label(" ") == ""


def marked(text: str, typed: str) -> str:
    return "".join(f"[{piece}]" if sought else piece for piece, sought in terms.pieces(text, typed))


@pytest.mark.parametrize(("text", "typed", "shown"), [
    ("개발블로그로 개발", "블로 개발", "[개발][블로]그로 [개발]"), ("SQLite를", "sqlite", "[SQLite]를"),
    ("React와 reactive", "react", "[React]와 reactive"), ("ＳＱＬ과 SQL", "sql", "[ＳＱＬ]과 [SQL]"),
    ("C와 C++와 C#", "c c#", "[C]와 C++와 [C#]"), ("Node.js, node", "node.js", "[Node.js], node"),
    ("무중단 배포, 배포", '"무중단 배포"', "[무중단 배포], 배포"), ("가나다", "가나다 가", "[가나다]"),
    ("ﬁle", "file", "[ﬁle]"), ("go go go", "go", "[go] [go] [go]"), ("글 ﷺ", "ﷺ", "글 [ﷺ]"),
    ("<b>&amp;", "amp", "<b>&[amp];"), ("그대로", "", "그대로"),
    ("그대로", "(.*", "그대로"), ("", "a", "")])
def test_what_was_searched_for_is_marked(text: str, typed: str, shown: str) -> None:
    assert marked(text, typed) == shown


@given(st.text(), st.text())
@example("ﷺ", "الله عليه")
def test_marking_changes_no_text(text: str, typed: str) -> None:
    assert "".join(piece for piece, _ in terms.pieces(text, typed)) == text


@pytest.mark.parametrize("typed", ["ﷺ" * 200, "İ" * 200, '"' + "a " * 99])
def test_marking_takes_no_longer_for_what_is_long_to_read(typed: str) -> None:
    begun = time.process_time()
    terms.pieces("가나다 abc " * 30, typed)
    assert time.process_time() - begun < 0.1


def test_searches_leave_nothing_behind_in_memory() -> None:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(100):
        terms.pieces("아무 글", f"개발 회고 a{number} b{number} c{number} d{number} e{number}")
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 100_000


def test_of_single_syllables_no_more_than_three_are_looked_for() -> None:
    assert terms.query("가 나 다 라 마 개발 sqlite") == '"가"* AND "나"* AND "다"* AND "개발" AND "sqlite"'
