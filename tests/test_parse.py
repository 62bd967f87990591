"""parse.py: what becomes of a feed, a broken one, a hostile one, and of what is no feed."""
import gzip
import json
import time
import tracemalloc
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import feedparser
import pytest

from devdigest import encoding
from devdigest.parse import Entry, Feed, NotAFeed, parse

SEOUL = ZoneInfo("Asia/Seoul")
URL = "https://ada.example/blog/feed.xml"
HALF_PAST_TEN = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)           # on Saturday morning in Seoul
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>Ada</title>{}</feed>'


def read(body: bytes | str, content_type: str = "", url: str = URL) -> Feed:
    body = body.encode() if isinstance(body, str) else body
    return parse(body, {"content-type": content_type}, url, SEOUL)


SITE = "<title>Ada</title><link>https://ada.example/</link>"


def rss(*items: str, channel: str = SITE, root: str = "") -> str:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return f'<rss version="2.0" {root}><channel>{channel}{inside}</channel></rss>'


def entry(item: str) -> Entry:
    return read(rss(item)).entries[0]


def test_an_rss_feed_becomes_entries():
    feed = read(rss("""<title>좋은 글</title><link>https://ada.example/1?utm_source=rss#top</link><guid>tag:1</guid>
        <description>&lt;p&gt;짧은 &lt;b&gt;요약&lt;/b&gt;&lt;/p&gt;</description>
        <pubDate>Sat, 21 Nov 2026 10:30:00 +0900</pubDate>"""))
    assert feed == Feed(title="Ada", site="https://ada.example/", entries=(
        Entry(guid="tag:1", link="https://ada.example/1?utm_source=rss#top", title="좋은 글",
              excerpt="짧은 요약", minutes=None, published=HALF_PAST_TEN),))


def test_an_atom_feed_becomes_entries():
    feed = read(ATOM.format("""<link href="https://ada.example/"/><link rel="self" href="https://x.example/"/>
        <entry><id>urn:1</id><title type="html">A &amp;lt;b&amp;gt; tag</title><link href="/1"/>
        <updated>2026-11-22T08:00:00Z</updated><published>2026-11-21T10:30:00+09:00</published>
        <summary>Plain &lt;b&gt;</summary><content type="html">&lt;p&gt;All&lt;/p&gt;</content></entry>"""))
    assert feed.site == "https://ada.example/"
    assert feed.entries == (
        Entry("urn:1", "https://ada.example/1", "A <b> tag", "Plain <b>", 1, HALF_PAST_TEN),)


def test_an_rdf_feed_becomes_entries():
    feed = read("""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Ada</title></channel>
        <item rdf:about="https://ada.example/1"><title>One</title><link>https://ada.example/1</link>
        <dc:date>2026-11-21</dc:date></item></rdf:RDF>""")
    assert [(e.guid, e.published) for e in feed.entries] == [("https://ada.example/1", date(2026, 11, 21))]


def json_feed(*items: dict, **more: object) -> str:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Ada", "items": items, **more})


def test_a_json_feed_becomes_entries():
    feed = read("\ufeff " + json_feed(
        {"id": 7, "url": "/7", "title": "하나 <b>", "content_html": "<p>Whole &amp; all</p>",
         "date_published": "2026-11-21T10:30:00+09:00", "date_modified": "2026-11-22T00:00:01Z"},
        {"id": "8", "external_url": "https://bob.example/", "content_text": "1 < 2",
         "date_modified": "2026-11-21"},
        home_page_url="https://ada.example"), "application/feed+json")
    assert feed == Feed("Ada", "https://ada.example", (
        Entry("7", "https://ada.example/7", "하나 <b>", "Whole & all", 1, HALF_PAST_TEN),
        Entry("8", "https://bob.example/", "", "1 < 2", 1, date(2026, 11, 21))))


@pytest.mark.parametrize("odd", [
    {"items": None}, {"items": {"id": "1"}}, {"items": ["x", 1, None, []]}, {"title": ["x"], "icon": 7},
    {"items": [{"id": ["1"], "title": {"a": 1}, "url": 5, "content_html": None, "date_published": 2026}]},
    {"items": [{"id": "\ud800\0", "title": "\ud800", "content_text": "\ud800"}]},
])
def test_odd_values_in_a_json_feed_are_passed_over(odd):
    for one in read(json_feed(**odd)).entries:
        assert one.guid
        f"{one.guid}{one.title}{one.excerpt}".encode()
        assert one.published is None


@pytest.mark.parametrize(("body", "words"), [
    (b"", "empty"), (b" \r\n\0\n", "empty"), (b"\xef\xbb\xbf", "empty"),
    (b"<!DOCTYPE html><html><head><title>Ada</title></head></html>", "an HTML page"),
    (b"<HTML><body>404 <item></body></HTML", "an HTML page"),
    (b"<head><title>Moved</title></head><body>here</body>", "an HTML page"),
    (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'><title>x</title></svg>",
     "XML, but no feed (root <svg>)"),
    (b"<opml version='2.0'><body/></opml>", "XML, but no feed (root <opml>)"),
    (b"404 page not found", "no XML"), (b"\x89PNG\r\n\x1a\n\0\0", "no XML"), (b"[1, 2]", "no XML"),
    (b'{"items": []}', "JSON, but no JSON Feed"), (b'{"version": 1', "broken JSON"),
    (b'{"a":' + b"[" * 100_000, "broken JSON"),
    (b"\x1f\x8b not gzip", "compressed, but broken"),
    (gzip.compress(b" " * 21_000_000), "compressed, and over 20 MB when inflated"),
    (b"<?x " + b"encoding='" * 5000 + b"?><rss/>", "no element in its first 8,192 characters"),
])
def test_what_is_no_feed_is_named(body, words):
    with pytest.raises(NotAFeed) as said:
        read(body)
    assert str(said.value) == words


def test_a_feed_without_entries_is_a_feed():
    assert read(rss()).entries == ()
    assert read(ATOM.format("")).title == "Ada"


@pytest.mark.parametrize("before", [
    "\n\n", "\ufeff", "\r\n <!-- hi -->", "\n" * 80_000, "<?xml version='1.0'?>" + "\n" * 80_000,
    "<?xml version='1.0'?><?xml-stylesheet href='a>b'?><!DOCTYPE rss SYSTEM 'x>y'>",
    "Notice: Undefined index in feed.php on line 3\n<?xml version='1.0'?>"])
def test_what_stands_before_the_root_does_no_harm(before):
    assert [e.title for e in read(before + rss("<title>One</title>")).entries] == ["One"]


def test_a_body_compressed_without_saying_so_is_inflated():
    assert read(gzip.compress(rss("<title>One</title>").encode())).entries[0].title == "One"


def test_a_feed_that_breaks_off_gives_what_it_has():
    whole = rss("<title>One</title><link>https://ada.example/1</link>", "<title>Two</title>")
    assert [e.title for e in read(whole[:whole.index("Two")]).entries][:1] == ["One"]


# Tags

def tags(*categories: str) -> tuple[str, ...]:
    return entry("".join(f"<category>{category}</category>" for category in categories)).tags


@pytest.mark.parametrize(("written", "kept"), [
    (["Java", "무중단 배포"], ("Java", "무중단 배포")), (["Java", "JAVA", "java"], ("Java",)),
    (["#kafka", "##ai", "C#", "C++"], ("kafka", "ai", "C#", "C++")),
    ([" 두\n줄 ", "ＳＱＬ", "<![CDATA[ R&D ]]>"], ("두 줄", "SQL", "R&D")),
    (["Uncategorized", "미분류", "All", "전체", "분류 전체보기", "카테고리 없음", "전체보기"], ()),
    (["", " ", "#", "...", "🎉", "\u200b"], ()), (["가" * 30, "가" * 31], ("가" * 30,)),
    (["http://schemas.example/kind#post"], ()), ([str(number) for number in range(12)], tuple("01234567")),
    (["&lt;b&gt;x", "a\u202eb"], ("<b>x", "ab")), ([], ())])
def test_tags_are_what_the_blog_chose_in_short_plain_words(written, kept):
    assert tags(*written) == kept


def test_tags_of_an_atom_feed_are_its_labels_or_its_terms():
    feed = read(ATOM.format("""<entry><id>1</id><category term="homelab" label="r/homelab"/>
        <category scheme="https://ada.example/" term="Kotlin"/><category/></entry>"""))
    assert feed.entries[0].tags == ("r/homelab", "Kotlin")


def test_tags_of_a_json_feed_are_its_tags():
    odd = {"id": "2", "tags": "java"}
    feed = read(json_feed({"id": "1", "tags": ["java", "미분류", 7, None, ["x"], "\ud800", "Go"]}, odd))
    assert [e.tags for e in feed.entries] == [("java", "Go"), ()]


# Encodings

KOREAN = rss("<title>똠방각하, 펲시콜라와 개발 블로그</title>")       # 똠 and 펲 are in cp949, not in euc-kr


def declared(charset: str, document: str = KOREAN) -> str:
    return f'<?xml version="1.0" encoding="{charset}"?>\n{document}'


@pytest.mark.parametrize("content_type", [
    "", "text/xml", "text/xml; charset=utf-8", "text/xml; charset=euc-kr", "text/xml; charset=utf-16",
    'application/rss+xml; Charset="ISO-8859-1"', "text/xml; charset=x-nonsense", "text/html; charset=utf-7"])
@pytest.mark.parametrize("declaration", [
    "euc-kr", "EUC-KR", "ks_c_5601-1987", "cp949", "utf-8", "iso-8859-1", "windows-1252", "utf-16",
    "x-nonsense", "unicode_escape", ""])
@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_korean_is_read_whatever_the_document_and_the_server_claim(encoding, declaration, content_type):
    document = declared(declaration) if declaration else KOREAN
    (one,) = read(document.encode(encoding), content_type).entries
    assert one.title == "똠방각하, 펲시콜라와 개발 블로그"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_utf_16_and_byte_order_marks_are_understood(encoding):
    assert read(declared("utf-16").encode(encoding)).entries[0].title.startswith("똠방각하")


@pytest.mark.parametrize(("charset", "title"), [
    ("windows-1251", "Привет, мир"), ("iso-8859-7", "Καλημέρα κόσμε"), ("gb2312", "三种社会生活的上下文"),
    ("shift_jis", "ひらがなと漢字の記事"), ("euc-jp", "ひらがなと漢字の記事"), ("big5", "繁體中文部落格"),
    ("iso-8859-1", "Für Élise à la carte"), ("windows-1252", "“Ça va”"),
])
def test_other_languages_are_read_as_declared(charset, title):
    document = rss(f"<title>{title}</title>")
    assert read(declared(charset, document).encode(charset)).entries[0].title == title
    assert read(document.encode(charset), f"text/xml; charset={charset}").entries[0].title == title


def test_western_text_without_a_declaration_is_not_taken_for_korean():
    document = rss("<title>Änderungen für Café und Çelik: Ärger, Öl, Übung, naïve, señor</title>")
    assert read(document.encode("latin-1")).entries[0].title.startswith("Änderungen für Café und Çelik")


@pytest.mark.parametrize("title", ["한국어로 쓴 제목", "Première publication à l’été"])
def test_one_bad_byte_costs_one_letter(title):
    body = rss(f"<title>{title} X</title>", f"<title>{title}</title>").encode().replace(b" X", b"\xff")
    assert [e.title for e in read(body, "text/xml; charset=euc-kr").entries] == [f"{title}\ufffd", title]
    korean = KOREAN.replace("개발", "X").encode("cp949").replace(b"X", b"\xff")
    assert read(korean).entries[0].title == "똠방각하, 펲시콜라와 \ufffd 블로그"


# Titles, excerpts, reading time

@pytest.mark.parametrize(("written", "title"), [
    ("한 줄\r\n로", "한 줄 로"),
    ("a&#x1f;b\x07c\u202ed", "a\ufffdbcd"),
    ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
    ("<![CDATA[<script>alert(1)</script>]]>", "<script>alert(1)</script>"),
    ("&lt;b&gt;bold&lt;/b&gt; title", "bold title"),
    ("C++ &amp;amp; Rust", "C++ & Rust"),
    ("vector&lt;int&gt; explained", "vector<int> explained"),
    ("<![CDATA[ A & B ]]>", "A & B"),
    ("", ""), (" \u3164 ", ""),
    ("가" * 299 + "나", "가" * 299 + "나"), ("가" * 400, "가" * 299 + "…"),
])
def test_a_title_is_one_line_of_text(written, title):
    assert entry(f"<title>{written}</title><link>https://ada.example/1</link>").title == title


def test_a_script_in_a_summary_is_not_in_the_excerpt():
    assert entry("<description>&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;safe"
                 "</description>").excerpt == "safe"


@pytest.mark.parametrize("nothing", ["…", "&lt;", "* * *"])
def test_a_summary_that_says_nothing_is_no_excerpt(nothing):
    # 0woodev.github.io and jheloper.github.io among the real feeds
    assert entry(f"<description>{nothing}</description>").excerpt == ""
    assert entry(f"<description>{nothing}</description><content:encoded>Whole text</content:encoded>"
                 ).excerpt == "Whole text"


def test_an_excerpt_comes_from_the_summary_else_from_the_content():
    content = 'xmlns:c="http://purl.org/rss/1.0/modules/content/"'
    whole = f"<c:encoded {content}>&lt;p&gt;Whole text&lt;/p&gt;</c:encoded>"
    assert entry(whole).excerpt == "Whole text"
    assert entry(f"{whole}<description>Short</description>").excerpt == "Short"
    assert entry(f"<description>Short</description>{whole}").excerpt == "Short"
    assert len(entry(f"<description>{'긴 글 ' * 500}</description>").excerpt) <= 200


@pytest.mark.parametrize(("item", "minutes"), [
    ("", None), ("<description>Short</description>", None),
    (f"<description>{'가' * 1500}</description>", None),
    (f"<description>{'가' * 1501}</description>", 3),
    ("<content:encoded>Short</content:encoded>", 1),
    (f"<description>Short</description><content:encoded>{'word ' * 1150}</content:encoded>", 5),
])
def test_reading_time_needs_the_whole_text(item, minutes):
    document = rss(item, root='xmlns:content="http://purl.org/rss/1.0/modules/content/"')
    assert read(document).entries[0].minutes == minutes


def test_a_picture_for_content_is_no_text():
    (one,) = read(ATOM.format('<entry><content type="image/png">iVBORw0KGgo=</content></entry>')).entries
    assert (one.excerpt, one.minutes) == ("", None)


# Links

@pytest.mark.parametrize("link", [
    "javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "file:///etc/passwd", "tag:1",
    "mailto:ada@example.org", "http://", "https://[::1", "http://ada.example:x/"])
def test_a_link_that_is_not_http_is_no_link(link):
    assert entry(f"<title>One</title><link>{link}</link>").link == ""
    assert read(rss(channel=f"<link>{link}</link>")).site == ""


@pytest.mark.parametrize(("written", "link"), [
    ("/1", "https://ada.example/1"), ("2", "https://ada.example/blog/2"), ("//bob.example/3", "https://bob.example/3"),
    ("https://ada.example/?a=1&amp;b=2", "https://ada.example/?a=1&b=2"),
    ("https://ada.example/글", "https://ada.example/%EA%B8%80"),
    (" \n https://ada.example/1 \n", "https://ada.example/1"),
])
def test_a_link_is_made_absolute(written, link):
    assert entry(f"<link>{written}</link>").link == link


def test_a_link_is_relative_to_xml_base_before_the_url_of_the_feed():
    document = ATOM.replace("<feed", '<feed xml:base="https://base.example/a/"').format(
        '<link href="."/><entry xml:base="b/"><title>One</title><link href="1"/></entry>'
        '<entry><title>Two</title><link href="2"/></entry>')
    assert read(document).site == "https://base.example/a/"
    assert [e.link for e in read(document).entries] == ["https://base.example/a/b/1", "https://base.example/a/2"]


def test_a_guid_is_a_link_only_where_it_is_a_whole_url():
    assert entry("<guid>https://ada.example/1</guid>").link == "https://ada.example/1"
    assert entry("<guid isPermaLink='false'>https://ada.example/1</guid>").link == ""
    assert entry("<guid>12345</guid>").link == ""


# Identity

def test_a_guid_stays_as_written_when_the_blog_moves():
    document = rss("<guid>/1</guid><link>/1</link>", "<guid>  2 </guid>", "<link>/3#part</link>")
    for url in (URL, "http://ada.example/rss", "https://bob.example/"):
        assert [e.guid for e in read(document, url=url).entries] == ["/1", "2", "/3#part"]


def test_without_guid_and_link_an_entry_is_known_by_its_title_and_text():
    title, text = "<title>One</title>", "<description>text</description>"
    items = [title, title + text, text, ""]
    guids = [e.guid for e in read(rss(*items)).entries]
    assert len(set(guids)) == 4
    assert guids == [e.guid for e in read(rss(*items), url="https://bob.example/").entries]


def test_entries_that_share_a_guid_are_all_there():
    entries = read(rss("<guid>1</guid><title>One</title>", "<guid>1</guid><title>Two</title>")).entries
    assert [(e.guid, e.title) for e in entries] == [("1", "One"), ("1", "Two")]


@pytest.mark.parametrize("guid", ["x" * 501, "two\nlines", "x" * 1_000_000])
def test_a_guid_that_is_no_key_is_known_by_its_hash(guid):
    kept = entry(f"<guid>{guid}</guid>").guid
    assert len(kept) == 64
    assert kept == entry(f"<guid>{guid}</guid><title>edited</title>").guid
    assert kept != entry(f"<guid>{guid}y</guid>").guid


# Dates

@pytest.mark.parametrize(("item", "published"), [
    ("<pubDate>Sat, 21 Nov 2026 23:30:00 KST</pubDate>", datetime(2026, 11, 21, 14, 30, tzinfo=UTC)),
    ("<pubDate>2026-11-21 23:30</pubDate>", datetime(2026, 11, 21, 14, 30, tzinfo=UTC)),
    ("<pubDate>Sat, 21 Nov 2026 00:00:00 GMT</pubDate>", date(2026, 11, 21)),
    ("<published>2026-11-20</published><updated>2026-11-21</updated>", date(2026, 11, 20)),
    ("<updated>2026-11-21</updated><published>2026-11-20</published>", date(2026, 11, 20)),
    ("<pubDate>soon</pubDate><updated>2026-11-21</updated>", date(2026, 11, 21)),
    ("<pubDate></pubDate><created>2026-11-21</created>", date(2026, 11, 21)),
    ("<dc:date>2026-11-21</dc:date>", date(2026, 11, 21)),
    ("<pubDate>0001-01-01T00:00:00Z</pubDate>", date(1, 1, 1)),
    ("<pubDate>soon</pubDate>", None), ("", None), ("<date zone='KST'/>", None),
])
def test_an_entry_has_the_date_it_was_published_else_updated_or_created(item, published):
    document = rss(item, root='xmlns:dc="http://purl.org/dc/elements/1.1/"')
    assert read(document).entries[0].published == published


def test_the_500_newest_are_kept_in_the_order_of_the_document():
    day = "<title>{0}</title><pubDate>{1}-11-{2:02} 10:00</pubDate>"
    old = [day.format(f"old {n}", 2025, n % 28 + 1) for n in range(300)]
    new = [day.format(f"new {n}", 2026, n % 28 + 1) for n in range(450)]
    entries = read(rss("<title>undated</title>", *old, *new)).entries
    assert len(entries) == 500
    assert [e.title for e in entries if e.title.startswith("new")] == [f"new {n}" for n in range(450)]
    assert [e.title for e in entries][-1] == "new 449"
    assert len(read(rss(*["<title>undated</title>"] * 600)).entries) == 500


# Hostile documents

def test_an_entity_bomb_stays_small():
    bomb = f'<!DOCTYPE rss [<!ENTITY a "{"x" * 8000}">]>' + rss(f"<title>{'&a;' * 20_000}</title>")
    start = time.process_time()
    tracemalloc.start()
    one = read(bomb).entries[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(one.title), one.excerpt) == (300, "")
    assert peak < 30_000_000
    assert time.process_time() - start < 5


@pytest.mark.parametrize("doctype", [
    '<!DOCTYPE rss [<!ENTITY s SYSTEM "file://{}">]>',
    '<!DOCTYPE rss [<!-- ]> --><!ENTITY x "<a>"><!ENTITY s SYSTEM "file://{}">]>',
    '<!DOCTYPE rss SYSTEM "file://{}">',
])
def test_an_external_entity_is_not_read(tmp_path, doctype):
    secret = tmp_path / "secret"
    secret.write_text('<!ENTITY s "secret">')
    assert "secret" not in repr(read(doctype.format(secret) + rss("<title>a &s; b</title>")))


def test_a_body_that_names_a_file_is_not_opened(tmp_path):
    (tmp_path / "feed.xml").write_text(rss("<title>One</title>"))
    with pytest.raises(NotAFeed, match="no XML"):
        read(str(tmp_path / "feed.xml"))


@pytest.mark.parametrize("reference", ["&#xFFFFFFFF;", "&#xD800;", f"&#{'9' * 5000};", "&#0;", "&#8;",
                                       "&amp;#xFFFFFFFF;", f"&amp;#{'9' * 5000};", "&bogus;"])
def test_a_reference_to_no_character_costs_no_entry(reference):
    feed = read(rss(f"<title>One</title><description>a{reference}</description>", "<title>Two</title>"))
    assert [e.title for e in feed.entries] == ["One", "Two"]


@pytest.mark.parametrize("inside", [
    "<a>" * 10_000, "<item>" * 10_000, "<" * 20_000, "<![CDATA[" * 10_000, "<!--" * 10_000, "&" * 20_000,
    "<?" + "encoding='" * 5_000, "\n" * 100_000, "]]>" * 10_000,
    f"<item><description>{'&lt;a ' * 50_000}</description></item>",
])
def test_a_hostile_document_takes_no_time(inside):
    start = time.process_time()
    read(rss(channel=f"<title>Ada</title>{inside}"))
    assert time.process_time() - start < 5


@pytest.mark.parametrize("odd", [
    "<title_detail>x</title_detail>", "<links>x</links>", "<links a='b'/>", "<date a='b'/>",
    "<content a='b'/>", "<summary_detail a='b'/>", "<tags/>", "<id a='b'/>", "<published a='b'/>"])
def test_elements_named_like_the_parser_s_own_records_harm_nothing(odd):
    (one,) = read(rss(f"{odd}<title>One</title><description>text</description>")).entries
    assert one.title == "One"


POISON = "<r:where><g:Point srsName='urn:EPSG:abc'><g:pos>1 2</g:pos></g:Point></r:where>"
NAMES = "xmlns:r='http://www.georss.org/georss' xmlns:g='http://www.opengis.net/gml'"


@pytest.mark.parametrize("count", [1, 2, 7])
def test_entries_that_no_parser_survives_are_the_blog_s_fault(count):
    with pytest.raises(NotAFeed, match="unreadable: ValueError invalid literal"):
        read(rss(*[POISON] * count, root=NAMES))


@pytest.mark.parametrize("poisoned", [{0}, {6}, {2, 3}, {0, 2, 4, 6}, set(range(1, 7))])
def test_an_entry_that_no_parser_survives_loses_only_itself(poisoned):
    items = [f"<title>{number}</title>" + POISON * (number in poisoned) for number in range(7)]
    feed = read(rss(*items, root=NAMES))
    assert (feed.title, feed.site) == ("Ada", "https://ada.example/")
    assert [int(entry.title) for entry in feed.entries] == sorted(set(range(7)) - poisoned)


@pytest.mark.parametrize("before", range(10))
def test_a_hundred_blanks_become_one_wherever_they_stand(before):
    source = encoding.xml(f"<a>{'x' * before}{' ' * 99}y{' ' * 100}z</a>")
    assert source.endswith(f"<a>{'x' * before}{' ' * 99}y\nz</a>".encode())


def test_characters_of_windows_are_still_put_right_and_no_document_fills_the_table_for_them() -> None:
    every = "".join(map(chr, range(0x80, 0x100))) + "".join(map(chr, range(0xAC00, 0xD7A4))) * 2
    assert every.translate(feedparser.mixin._cp1252) == every.translate(feedparser.html._cp1252)
    "".join(map(chr, range(0x4E00, 0xA000))).translate(feedparser.mixin._cp1252)
    assert len(feedparser.mixin._cp1252) == 20_000
