"""List files as the world writes them."""
from pathlib import Path
from types import SimpleNamespace

import pytest

from devdigest.bloglists import NotAList, Row, read
from devdigest.opml import as_opml

SHARED = Path(__file__).parents[2] / "shared" / "lists"

OPML = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.0"><head><title>Blogs</title></head><body>
  <outline text="개발"><outline text="팀">
    <outline type="rss" text="short" title="우아한 &amp; 기술" xmlUrl="https://a.example/rss" htmlUrl="https://a.example/"/>
  </outline></outline>
  <outline type="rss" text="Bob" XMLURL="https://b.example/rss"/>
  <outline type="link" text="no feed" url="https://c.example/"/>
  <outline type="rss" text="empty" xmlUrl=""/>
</body></opml>"""

OPML_ROWS = [Row("우아한 & 기술", "https://a.example/", "https://a.example/rss"),
             Row("Bob", "", "https://b.example/rss"), Row("empty", "", "")]


def test_yaml_gives_a_row_for_every_entry_that_has_an_rss_key():
    rows = read("""---
- name: 강경석
  blog: https://a.example/
  github: https://github.com/someone
  rss: https://a.example/rss
- name: 아무개
  blog: https://b.example/
- name:  '하모니카 '
  home: https://c.example/
  rss: ''
- rss: https://d.example/rss
""".encode(), "db.yml")
    assert rows == [Row("강경석", "https://a.example/", "https://a.example/rss"),
                    Row("하모니카", "https://c.example/", ""), Row("", "", "https://d.example/rss")]


@pytest.mark.parametrize("name", ["42", "1_000", "3.14", "2024-01-01", "12:30:45", "null", "~", "No", "0x1F"])
def test_a_name_that_yaml_takes_for_something_else_stays_as_written(name):
    assert read(f"- name: {name}\n  rss: https://a.example/rss".encode(), "db.yml")[0].name == name


def test_of_an_entry_only_texts_are_read():
    rows = read(b"- {name: [a, {b: c}], x: {y: [1]}, rss: https://a.example/}\n- [rss, x]\n- rss\n", "db.yml")
    assert rows == [Row("", "", "https://a.example/")]


def test_a_row_holds_no_line_break_and_nothing_invisible():
    row, = read(rb"""- {name: "a\r\nBcc: b\e[31m\u202e", rss: " https://a.example/\0rss "}""", "db.yml")
    assert row == Row("a Bcc: b[31m", "", "https://a.example/rss")


def test_opml_is_read_however_deep_its_outlines_lie():
    assert read(OPML.encode(), "feeds.opml") == OPML_ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_opml_may_come_in_another_encoding(encoding):
    document = OPML.replace("UTF-8", encoding.removesuffix("-sig"))
    assert read(document.encode(encoding), "feeds.xml") == OPML_ROWS


def test_text_has_a_url_a_line_and_maybe_a_name():
    rows = read("""\ufeff# my blogs

https://a.example/rss
  https://b.example/feed#main   Bob's blog   # found by chance
#https://c.example/rss
example.org/feed
""".replace("\n", "\r\n").encode(), "blogs.txt")
    assert rows == [Row("", "", "https://a.example/rss"), Row("Bob's blog", "", "https://b.example/feed#main"),
                    Row("", "", "example.org/feed")]


@pytest.mark.parametrize("name", ["db.yml", "blogs.opml", "blogs.txt", "blogs", "https://a.example/raw/db.yml?x=1"])
def test_what_a_file_holds_counts_more_than_what_it_is_called(name):
    assert read(b"https://a.example/rss", name) == [Row("", "", "https://a.example/rss")]
    assert read(OPML.encode(), name) == OPML_ROWS
    if not name.endswith(".txt"):
        assert read(b"# list\n- rss: https://a.example/rss", name) == [Row("", "", "https://a.example/rss")]


@pytest.mark.parametrize(("data", "name", "reason"), [
    (b"", "db.yml", "no blog in it names a feed"),
    (b"", "blogs", "neither YAML, OPML nor a text file of URLs"),
    (b"# nothing yet\n", "blogs.txt", "no blog in it names a feed"),
    (b"Dear reader,\nthis is no list.", "letter", "neither YAML, OPML nor a text file of URLs"),
    (b"\x89PNG\r\n\x1a\n", "db.yml", "not UTF-8: byte 0"),
    ("이름".encode("euc-kr"), "db.yml", "not UTF-8: byte 0"),
    (b"\0\1\2", "db.yml", "not YAML"),
    (b"- name: a\n  rss: x\n rss: y\n", "db.yml", "not YAML: line 3: "),
    (b"- name: 'a\n", "db.yml", "not YAML: line 2: "),
    (b"- name: a\n  blog: https://a.example/\n", "db.yml", "no blog in it names a feed"),
    (b"name: a\nrss: https://a.example/rss\n", "db.yml", "not a list of blogs but a single mapping"),
    (b"- !!python/object/apply:os.system ['touch /tmp/x']\n", "db.yml", "line 1: a tag, anchor or alias"),
    (b"- rss: https://a.example/\n- !!python/name:os.x a: b\n", "db.yml", "line 2: a tag, anchor or alias"),
    (b"- &a {rss: x}\n- *a\n", "db.yml", "line 1: a tag, anchor or alias"),
    (b"[" * 100_000, "db.yml", "line 1: nested too deeply"),
    (b"- " * 100_000, "db.yml", "line 1: nested too deeply"),
    (b"<!DOCTYPE html>\n<html><body>404", "db.yml", "an HTML page, not a list of blogs"),
    (b"<html lang=ko>", "blogs.opml", "an HTML page, not a list of blogs"),
    (b"<rss version='2.0'><channel/></rss>", "blogs.opml", "not OPML: it begins with <rss>"),
    (b"<opml><body><outline></body></opml>", "blogs.opml", "not OPML: line 1: mismatched tag"),
    (b"<?xml version='1.0' encoding='euc-kr'?><opml/>", "blogs.opml", "not OPML: multi-byte encodings"),
    (b"<?xml version='1.0' encoding='none'?><opml/>", "blogs.opml", "not OPML: "),
    (b"<opml/>", "blogs.opml", "no blog in it names a feed"),
    (b"<!DOCTYPE o [<!ENTITY a 'aaaa'>]><opml><outline xmlUrl='&a;'/></opml>", "blogs.opml", "has a DOCTYPE"),
])
def test_what_is_no_list_is_refused_with_the_reason(data, name, reason):
    with pytest.raises(NotAList) as refusal:
        read(data, name)
    assert reason in str(refusal.value)


def test_a_list_that_is_written_can_be_read_again():
    blogs = [SimpleNamespace(group="team", name='우아한 <기술> & "블로그"', site="https://a.example/?a=1&b=2",
                             feed="https://a.example/rss"),
             SimpleNamespace(group="people", name="Ada", site="", feed="https://b.example/rss"),
             SimpleNamespace(group="people", name="Bob", site="https://c.example/", feed="https://c.example/rss")]
    document = as_opml(blogs)
    assert read(document.encode(), "blogs.opml") == [Row(blog.name, blog.site, blog.feed) for blog in blogs]
    assert document.count('<outline text="people">') == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real lists are not here")
@pytest.mark.parametrize(("name", "rows", "without_feed"), [
    ("db.yml", 1730, ["김형철"]), ("db_community.yml", 190, []), ("db_overseas.yml", 75, [])])
def test_the_real_lists_are_read_whole(name, rows, without_feed):
    found = read((SHARED / name).read_bytes(), name)
    assert len(found) == rows
    assert [row.name for row in found if not row.feed] == without_feed
    assert all(row.name for row in found)
    assert [row.name for row in found if not row.site] == (["조은"] if name == "db.yml" else [])
