"""The child that reads documents: what it gives, what it survives, and what is left when it does not."""
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devdigest.feed import Feed, NotAFeed
from devdigest.parse import parse
from devdigest.parsing import Limits, NoParser, Parser

SEOUL = ZoneInfo("Asia/Seoul")
URL = "https://한글.example/rss"
REAL = Path(__file__).parents[2] / "shared" / "feeds" / "real"


def rss(inside: str = "<item><title>One</title></item>") -> bytes:
    return f"<rss version='2.0'><channel><title>Ada</title>{inside}</channel></rss>".encode()


# feedparser looks for a mail address in it, in a time that grows with the square of its length.
AUTHOR_BOMB = rss(f"<item><author>{'a.' * 30_000}</author></item>")
HUNGRY = rss("<item/>" * 400_000)


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    with Parser(SEOUL) as running:
        yield running


def outcome(reader: object, body: bytes, *more: object) -> Feed | str:
    try:
        return reader(body, {"content-type": "text/xml; charset=euc-kr"}, URL, *more)
    except NotAFeed as reason:
        return str(reason)


def titles(parser: Parser, body: bytes) -> list[str]:
    return [entry.title for entry in parser.parse(body, {}, URL).entries]


def fault(parser: Parser, body: bytes) -> str:
    with pytest.raises(NotAFeed) as said:
        parser.parse(body, {}, URL)
    return str(said.value)


def runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def is_gone(pid: int) -> bool:
    """Within five seconds."""
    until = time.monotonic() + 5
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not runs(pid)


@pytest.mark.parametrize("body", [
    rss(), b"", b"<!doctype html><title>x</title>", rss("<link>https://한글.example/글</link>"),
    rss("<item><guid>1</guid><pubDate>2026-11-21 10:30</pubDate><category>Go</category></item>"
        "<item><pubDate>2026-11-21</pubDate><link>/2</link></item><item><pubDate>0001-01-01</pubDate></item>"),
    b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "\\ud800"}]}',
    rss("<item><title>똠방각하</title></item>").decode().encode("cp949"),
    "<?xml version='1.0' encoding='tis-620'?><rss><channel><item><title>ไทย</title></item></channel></rss>"
    .encode("tis-620"),
    b"<?xml version='1.0' encoding='x-nonsense'?>" + rss(), rss("<item><title>&bogus; & <b></title></item>"),
])
def test_it_gives_what_parse_gives(parser, body):
    assert outcome(parser.parse, body) == outcome(parse, body, SEOUL)


@pytest.mark.skipif(not REAL.exists(), reason="the collection of real feeds is not here")
def test_it_gives_what_parse_gives_of_real_documents(parser):
    documents = [path.read_bytes() for path in REAL.rglob("*")
                 if path.is_file() and path.stat().st_size < 50_000]
    child = parser.parse(rss(), {}, URL) and parser.child
    assert [outcome(parser.parse, body) for body in documents] == [outcome(parse, body, SEOUL)
                                                                  for body in documents]
    assert len(documents) > 60
    assert parser.child == child        # none of them ended it


def test_a_child_is_started_when_it_is_needed_and_ended_with_its_parser():
    files = len(list(Path("/proc/self/fd").iterdir()))
    with Parser(SEOUL) as parser:
        assert parser.child is None
        assert titles(parser, rss()) == ["One"]
        child = parser.child
        assert runs(child)
    assert parser.child is None
    assert is_gone(child)
    assert len(list(Path("/proc/self/fd").iterdir())) == files


def test_a_child_can_open_nothing_and_knows_no_password(monkeypatch):
    monkeypatch.setenv("DEVDIGEST_SMTP_PASSWORD", "secret")
    with Parser(SEOUL) as fresh:
        titles(fresh, rss())
        process = Path(f"/proc/{fresh.child}")
        limits = (process / "limits").read_text()
        assert b"secret" not in (process / "environ").read_bytes()
        assert sorted(file.name for file in (process / "fd").iterdir()) == ["0", "1", "2"]
        assert [line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")] == ["3"]
        assert os.getpriority(os.PRIO_PROCESS, fresh.child) > os.getpriority(os.PRIO_PROCESS, 0)


def test_a_child_has_nothing_to_fetch_with(parser):
    titles(parser, rss())
    maps = Path(f"/proc/{parser.child}/maps").read_text()
    assert "pyexpat" in maps
    assert not {library for library in ("libssl", "libcrypto", "_ssl", "_socket") if library in maps}


def test_a_child_leaves_compiled_files_where_its_parent_does(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    with Parser(SEOUL) as fresh:
        titles(fresh, rss())
    assert list(tmp_path.rglob("parse.*.pyc"))


def test_reading_that_takes_too_long_is_cut_off_and_the_next_document_is_read():
    with Parser(SEOUL, Limits(seconds=1)) as parser:
        titles(parser, rss())
        first = parser.child
        assert fault(parser, AUTHOR_BOMB) == "reading it took longer than 1 s"
        assert is_gone(first)
        assert titles(parser, rss()) == ["One"]


def test_the_time_of_one_document_is_not_counted_for_the_next():
    a_third = rss(f"<item><title>One</title><author>{'a.' * 5_000}</author></item>")
    with Parser(SEOUL, Limits(seconds=1)) as parser:
        titles(parser, rss())
        child, before = parser.child, time.process_time()
        while cpu_seconds(child) < 2.2:
            assert titles(parser, a_third) == ["One"]
        assert parser.child == child
        assert time.process_time() - before < 1


def cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_reading_that_needs_too_much_memory_is_the_documents_fault():
    with Parser(SEOUL, Limits(memory=60_000_000)) as parser:
        assert fault(parser, HUNGRY) == "reading it needed more than 60 MB of memory"
        assert titles(parser, rss()) == ["One"]


def test_a_child_that_stands_still_is_given_up():
    with Parser(SEOUL, Limits(patience=0.3)) as parser:
        titles(parser, rss())
        child = parser.child
        os.kill(child, signal.SIGSTOP)
        assert fault(parser, rss("x" * 1_000_000)) == "reading it took longer than 0.3 s"     # fills the line
        assert is_gone(child)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_child_that_died_between_two_documents_is_nobodys_fault(number):
    with Parser(SEOUL) as parser:
        titles(parser, rss())
        first = parser.child
        os.kill(first, number)
        assert titles(parser, rss()) == ["One"]
        assert parser.child != first


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_of_a_service_leaves_the_end_to_its_parent(number):
    with Parser(SEOUL) as parser:
        titles(parser, rss())
        child = parser.child
        os.kill(child, number)
        assert titles(parser, rss()) == ["One"]
        assert parser.child == child


@pytest.mark.parametrize("limits", [Limits(documents=3), Limits(resident=1)])
def test_a_child_is_replaced_after_so_many_documents_or_when_it_has_grown(limits):
    with Parser(SEOUL, limits) as parser:
        children = []
        for _ in range(4):
            assert titles(parser, rss()) == ["One"]
            children.append(parser.child)
    assert children.count(None) == (4 if limits.resident == 1 else 1)


def test_a_child_that_cannot_be_started_is_no_documents_fault():
    with Path("/usr/share/zoneinfo/Asia/Seoul").open("rb") as file:
        nowhere = ZoneInfo.from_file(file, key="No/Where")
    with Parser(nowhere) as parser:
        for _ in range(2):
            with pytest.raises(NoParser, match="no process that reads feeds: ended with status 1"):
                parser.parse(rss(), {}, URL)
            assert parser.child is None


PARENT = """
import sys, time
from zoneinfo import ZoneInfo
from devdigest.parsing import Parser
parser = Parser(ZoneInfo("Asia/Seoul"))
parser.parse(b"<rss version='2.0'><channel><item/></channel></rss>", {}, "")
print(parser.child, "feedparser" in sys.modules, flush=True)
time.sleep(60)
"""


def test_a_child_does_not_outlive_a_parent_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=Path(__file__).parents[1], text=True,
                          stdout=subprocess.PIPE) as parent:
        child, has_feedparser = parent.stdout.readline().split()
        assert runs(int(child))
        parent.kill()
    assert is_gone(int(child))
    assert has_feedparser == "False"        # a third of a parent's memory
