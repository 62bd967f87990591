"""What feedparser is spared, and that it makes no difference: known entries, portions, the newest of many."""
import random
import time
import tracemalloc
from collections.abc import Collection, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devdigest.feed import Entry, Feed, NotAFeed
from devdigest.likeness import likeness, stored
from devdigest.parse import parse

SEOUL = ZoneInfo("Asia/Seoul")
URL = "https://ada.example/blog/feed.xml"
REAL = Path(__file__).parents[2] / "shared" / "feeds" / "real"
ENDLESS = 1_000_000_000

ATOM = 'xmlns="http://www.w3.org/2005/Atom"'
NAMES = ('xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom" '
         'xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"')


def read(body: bytes, known: Collection[Entry] = (), portion: int = ENDLESS) -> Feed | str:
    told = b"".join(likeness(one.guid, one.link, one.title, stored(one.published)) for one in known)
    try:
        return parse(body, {}, URL, SEOUL, told, portion)
    except NotAFeed as reason:
        return str(reason)


def entries_of(feed: Feed | str) -> tuple[Entry, ...]:
    return feed.entries if isinstance(feed, Feed) else ()


def item(number: int, inside: str = "") -> str:
    return (f"<item><title>글 {number}</title><link>https://ada.example/{number}</link><guid>{number}</guid>"
            f"<pubDate>2026-11-{number % 28 + 1:02} 10:00</pubDate><description>요약 {number}</description>"
            f"{inside}</item>")


def rss(*items: str, root: str = NAMES) -> str:
    return (f'<rss version="2.0" {root}><channel><title>Ada</title><link>https://ada.example/</link>'
            f'{"".join(items)}</channel></rss>')


def entry(number: int, inside: str = "") -> str:
    return (f'<entry><id>urn:{number}</id><title type="html">Post &amp;lt;{number}&amp;gt;</title>'
            f'<link href="/{number}"/><updated>2026-11-{number % 28 + 1:02}T10:00:00Z</updated>'
            f"{inside}</entry>")


def atom(*entries: str, root: str = ATOM) -> str:
    return f"<feed {root}><title>Ada</title><link href='https://ada.example/'/>{''.join(entries)}</feed>"


def compared(body: bytes, chance: random.Random) -> tuple[list[str], list[bool]]:
    """In words, where what is spared makes a difference; and which entries are known again where all are."""
    whole = read(body)
    every = entries_of(whole)
    wrong = [] if read(body, portion=1) == whole else ["portions"]
    again = entries_of(read(body, every))
    wrong += differences(again, every, every)
    for known in (every[1:], chance.sample(every, len(every) // 2)):
        wrong += differences(entries_of(read(body, known, portion=100)), every, known)
    return wrong, [one.is_known for one in again]


def differences(found: Collection[Entry], every: Collection[Entry],
                known: Collection[Entry]) -> Iterator[str]:
    """Of what was read where some were known from what it should be."""
    if len(found) != len(every):
        yield f"{len(found)} entries of {len(every)}"
    for one, other in zip(found, every, strict=False):
        told = one[:3] == other[:3] and one.published == other.published
        if not (told and one.is_known and other in known) and one != other:
            yield f"{one} is {other}"


# Hand-made documents, each by what of it could be misread.
ONE, TWO = item(1), item(2)
ODD = {
    "CDATA with an end": rss(item(1, "<content:encoded><![CDATA[a</item><item>b]]></content:encoded>"), TWO),
    "comment with an entry": rss(item(1, "<!-- <item> -->"), "<!-- </item><item> -->", TWO),
    "entry without an inside": rss(ONE, "<item/>", TWO),
    "entry in an entry": rss(item(1, item(2)), item(3)),
    "undeclared prefix": rss(item(1, "<bogus:x>1</bogus:x>"), TWO),
    "bare &": rss(item(1, "<author>A & B</author>"), TWO),
    "undefined entity": rss(item(1, "<author>&bogus;</author>"), TWO),
    "entity that was declared": '<!DOCTYPE rss [<!ENTITY a "b">]>' + rss(
        item(1, "<author>&a;</author>"), TWO),
    "base at the root": atom(entry(1), entry(2), root=f'{ATOM} xml:base="https://base.example/a/"'),
    "base of an entry": atom(entry(1), '<entry xml:base="b/"><id>x</id><link href="c"/></entry>', entry(2)),
    "base of a text": atom(entry(1, '<content xml:base="/b/">x</content>'), entry(2)),
    "base without a prefix": rss(ONE, '<item><guid base="https://base.example/">g</guid></item>', TWO),
    "two guids": rss(item(1, "<guid>again</guid>"), TWO),
    "a guid that is no link": rss("<item><guid isPermaLink='false'>1</guid><title>One</title></item>", TWO),
    "a guid alone": rss("<item><guid>1</guid></item>", "<item><guid>https://ada.example/2</guid></item>"),
    "a guid, and an enclosure": rss("<item><guid>1</guid><enclosure url='/a.mp3'/></item>", TWO),
    "guid of several": rss(ONE, item(1).replace("글", "Another"), TWO),
    "no guid": rss(*(item(n).replace(f"<guid>{n}</guid>", "") for n in range(3))),
    "nothing that tells apart": rss("<item><description>a</description></item>",
                                    "<item><description>b</description></item>"),
    "guid that is no key": rss(ONE.replace("<guid>1", "<guid>" + "x" * 600), TWO),
    "guid with a line break": rss(ONE.replace("<guid>1", "<guid>1\n2"), TWO),
    "prefix of something else later": rss(item(1, '<p:a xmlns:p="http://one.example/">x</p:a>'),
                                          item(2, '<p:title xmlns:p="http://www.w3.org/2005/Atom">x</p:title>'),
                                          item(3, '<p:title xmlns:p="http://two.example/">x</p:title>')),
    "names in capitals": rss(ONE, TWO).replace("item>", "ITEM>").replace("title>", "Title>"),
    "prefixed entries": atom(entry(1), entry(2), root=NAMES).replace("entry>", "atom:entry>"),
    "unknown default name space": rss(ONE, item(2), root='xmlns="http://one.example/"'),
    "name space of a title": rss(item(1, '<title xmlns="http://www.w3.org/1999/xhtml">x</title>'), TWO),
    "RSS 1.0": """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns="http://purl.org/rss/1.0/">
        <channel><title>Ada</title><items><rdf:Seq><rdf:li resource="/1"/></rdf:Seq></items></channel>
        <item rdf:about="/1"><title>One</title><dc:title>Uno</dc:title><link>/1</link>
        <dc:date>2026-11-21</dc:date></item>
        <item rdf:about="/2"><title>Two</title><link>/2</link></item></rdf:RDF>""",
    "another about": rss(ONE.replace("<item>", '<item about="/x" href="/y" lastmod="2026-11-01">'), TWO),
    "markup in a title": rss("<item><title>a <b>b</b></title><guid>1</guid></item>", TWO),
    "HTML in a title": rss(ONE.replace("글", "&lt;b&gt;bold&lt;/b&gt; &amp;amp;"), TWO),
    "HTML in a plain title": atom(
        entry(1).replace(' type="html"', "").replace("Post", "&lt;b&gt;x&lt;/b&gt;")),
    "XHTML": atom(entry(1, "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>a</p><title>b</title>"
                           "</div></content>"), entry(2).replace('"html"', '"xhtml"'), entry(3)),
    "types of a title": atom(*(entry(1).replace('"html"', f'"{kind}"')
                               for kind in ("text", "", "TEXT/HTML", "image/png", "text/markdown", "xhtml"))),
    "titles of pictures": rss(item(1, "<media:group><media:title>x</media:title></media:group>"),
                              "<item><media:title>x</media:title><guid>2</guid><title>y</title></item>"),
    "empty title first": rss(ONE.replace("<title>", "<title/><title>"), item(2, "<title>second</title>")),
    "title of a source": rss(item(1, "<source url='/s'><title>x</title></source>"), TWO),
    "atom:source": atom(entry(1, "<source><id>s</id><title>s</title><updated>2026-01-01</updated></source>"),
                        entry(2)),
    "picture of an entry": rss(item(1, "<image><title>x</title><link>/x</link></image>"), TWO),
    "links of all kinds": atom(entry(1, "<link rel='self' href='/s'/>"
                                        "<link rel='alternate' type='a/b' href='/b'/>"),
                               entry(2, "<link rel='ALTERNATE' type='text/html' href='/last'/>"),
                               entry(3, "<link/>"), entry(4, "<link href=''/>"), entry(5, "<link url='/u'/>"),
                               entry(6, "<link>/text?a=1&amp;amp;b;=2</link>")),
    "slashes": rss(ONE.replace("https://ada.example/1", "https:////ada.example/1?a=1&amp;b=2")),
    "dates of all kinds": rss(item(1, "<pubDate>2026-11-02</pubDate>"),
                              item(2, "<dc:date>2026-01-01</dc:date>"),
                              "<item><guid>3</guid><date>2026-11-03</date></item>",
                              "<item><guid>4</guid><updated>2026-11-04</updated><date zone='KST'/></item>",
                              "<item><guid>5</guid><pubDate>soon</pubDate><created>2026-11-05</created></item>",
                              "<item><guid>6</guid><pubDate><b>2026-11-06</b></pubDate></item>",
                              "<item><guid>7</guid><pubDate>2999-01-01</pubDate></item>"),
    "records of the parser": rss(item(1, "<title_detail type='text/html'/>"),
                                 item(2, "<links a='b'/>"), item(3)),
    "UTF-8 twice": rss(ONE.replace("글", "글".encode().decode("latin-1")),
                       item(2).replace("글", "\x93a\x94")),
    "in HTML": f"<html><body>{rss(ONE, item(2))}</body></html>",
    "two channels": rss(ONE, "</channel><channel><title>Bob</title>", TWO),
    "a channel that goes on": rss(ONE, "<language>ko</language>", item(2), "<ttl>1</ttl>"),
    "deep": rss(item(1, "<a>" * 1000 + "</a>" * 1000), TWO),
    "no entry": rss(), "broken off": rss(ONE, item(2))[:-60],
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_document_is_read_as_ever_however_much_of_it_is_known(name: str) -> None:
    assert compared(ODD[name].encode(), random.Random(name))[0] == []


@pytest.mark.parametrize(("name", "known"), [
    ("CDATA with an end", 2), ("comment with an entry", 2), ("base of a text", 0), ("two guids", 2),
    ("a guid that is no link", 2), ("no guid", 3), ("guid of several", 3), ("RSS 1.0", 2),
    ("names in capitals", 2), ("HTML in a title", 2), ("titles of pictures", 1), ("title of a source", 1),
    ("slashes", 1),
    ("nothing that tells apart", 0), ("entry in an entry", 0), ("entry without an inside", 0),
    ("prefix of something else later", 0), ("bare &", 0), ("undeclared prefix", 0), ("undefined entity", 0)])
def test_so_many_of_an_odd_document_are_known_again(name: str, known: int) -> None:
    assert sum(compared(ODD[name].encode(), random.Random(name))[1]) == known


def test_a_document_broken_at_random_is_read_as_ever() -> None:
    chance = random.Random(20261123)
    documents = [document.encode() for document in ODD.values()]
    for _ in range(300):
        body = bytearray(chance.choice(documents))
        place = chance.randrange(len(body))
        kind = chance.randrange(4)
        if kind == 0:
            del body[place:]
        elif kind == 1:
            body[place] = chance.choice(b"<>&/;'\" x]")
        elif kind == 2:
            del body[place]
        else:
            body[body.find(b">", place)] = 32
        assert compared(bytes(body), chance)[0] == [], bytes(body)


@pytest.mark.parametrize("changed", [
    ("<title>글 1<", "<title>글 1!<"), ("ada.example/1<", "ada.example/1a<"), ("<guid>1<", "<guid>1a<"),
    ("2026-11-02 10:00", "2026-11-02 10:01"), ("<item><title>글 1", "<item about='x'><title>글 1")])
def test_a_known_entry_that_was_changed_is_read_again(changed: tuple[str, str]) -> None:
    had = entries_of(read(rss(item(0), item(1), item(2)).encode()))
    now = rss(item(0), item(1), TWO).replace(*changed).encode()
    assert [one.is_known for one in entries_of(read(now, had))] == [True, False, True]


def test_where_all_is_known_nothing_but_the_entries_is_told() -> None:
    body = rss(ONE, item(2)).encode()
    feed = read(body, entries_of(read(body)))
    assert (feed.title, feed.site) == ("", "")
    assert [(one.guid, one.excerpt, one.minutes, one.tags) for one in feed.entries] == [
        ("1", "", None, ()), ("2", "", None, ())]


POISON = ("<r:where xmlns:r='http://www.georss.org/georss' xmlns:g='http://www.opengis.net/gml'>"
          "<g:Point srsName='urn:EPSG:abc'><g:pos>1 2</g:pos></g:Point></r:where>")


@pytest.mark.parametrize("portion", [1, 500, ENDLESS])
def test_an_entry_that_no_parser_survives_costs_itself_in_portions_too(portion: int) -> None:
    body = rss(*(item(number, POISON * (number in (2, 5))) for number in range(7))).encode()
    feed = read(body, portion=portion)
    assert [one.guid for one in feed.entries] == ["0", "1", "3", "4", "6"]
    assert feed.title == "Ada"


@pytest.mark.parametrize("odd", ["", "<pubDate><b>x</b></pubDate>"])
def test_of_an_archive_the_newest_are_kept_however_it_is_read(odd: str) -> None:
    items = [item(number, odd * (number % 100 == 0)) for number in range(700)]
    body = rss(*random.Random(1).sample(items, len(items))).encode()
    whole = read(body)
    assert len(whole.entries) == 500
    assert read(body, portion=10_000) == whole
    assert [one[:3] for one in read(body, whole.entries).entries] == [one[:3] for one in whole.entries]


def test_a_hundred_thousand_entries_take_seconds() -> None:
    body = rss(*(f"<item><guid>{number}</guid></item>" for number in range(100_000))).encode()
    began = time.process_time()
    feed = read(body, portion=131_072)
    assert len(feed.entries) == 500
    assert time.process_time() - began < 5


def test_a_header_that_is_larger_than_all_entries_is_not_read_for_each() -> None:
    body = rss("<language>ko</language>" * 5_000, *map(item, range(50))).encode()
    began = time.process_time()
    assert len(read(body, portion=1).entries) == 50
    once = time.process_time() - began
    began = time.process_time()
    read(body)
    assert once < 4 * (time.process_time() - began)


def test_a_large_document_is_never_in_memory_as_records_of_feedparser() -> None:
    text = "<content:encoded>" + "<b>x</b>" * 900 + "</content:encoded>"
    # in ASCII, as it is decoding that needs the most of others
    body = rss(*(item(number, text) for number in range(40))).encode("ascii", "ignore")
    read(body)
    peaks = []
    for portion in (ENDLESS, 30_000):
        tracemalloc.start()
        read(body, portion=portion)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 0.8 * peaks[0]


def real() -> list[bytes]:
    return [path.read_bytes() for path in sorted(REAL.rglob("*")) if path.is_file() and path.suffix != ".tsv"]


@pytest.mark.skipif(not REAL.exists(), reason="the collection of real feeds is not here")
@pytest.mark.parametrize("part", range(4))
def test_real_documents_are_read_as_ever_and_nearly_all_of_their_entries_are_known_again(part: int) -> None:
    chance, known = random.Random(part), list[bool]()
    for body in real()[part::4]:
        wrong, again = compared(body, chance)
        assert wrong == []
        known += again
    assert sum(known) > 0.85 * len(known)       # JSON feeds, broken ones and relative links are read anew


@pytest.mark.skipif(not REAL.exists(), reason="the collection of real feeds is not here")
def test_real_documents_broken_at_random_are_read_as_ever() -> None:
    chance = random.Random(11)
    documents = [body for body in real() if len(body) < 15_000]
    for _ in range(60):
        body = chance.choice(documents)
        place = chance.randrange(len(body))
        body = body[:place] + chance.choice((b"", body[place + 1:], b"<" + body[place:]))
        assert compared(body, chance)[0] == [], body
