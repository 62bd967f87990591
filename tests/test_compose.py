import email
import html
import re
import timeit
from dataclasses import replace
from datetime import UTC, date, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, default

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devdigest.compose import issue, preview_html, subject
from devdigest.config import Bounces, Config, Digest, Mail, Site
from devdigest.edition import Edition, Item
from devdigest.letter import seven_bit
from devdigest.notices import confirmation
from devdigest.wording import KOREAN, WORDINGS

DAY, YESTERDAY, LATE = date(2026, 11, 22), date(2026, 11, 21), date(2026, 11, 18)
MORNING = datetime(2026, 11, 22, 1, tzinfo=UTC)         # ten o'clock in Seoul
CONFIG = Config(site=Site(name="개발 소식", url="https://devdigest.example.org", owner="owner@example.org",
                          postal_address="서울특별시 종로구 세종대로 1"),
                mail=Mail(sender="digest@mail.example.org"))
TOKEN = "dGhpcyBpcyBub3QgYSByZWFsIHRva2Vu"
ADA = {"to": "ada@example.org", "delivery": "17", "token": TOKEN, "since": date(2026, 3, 2)}
WEB = "https://devdigest.example.org/issues/2026-11-22"


def an_item(title="SQLite WAL 체크포인트가 느려지는 이유", **changes) -> Item:
    values = {"title": title, "url": "https://db.example.dev/wal", "blog": "데이터베이스 노트",
              "excerpt": "열린 읽기 트랜잭션 하나가 WAL을 키운다.", "group": "people", "minutes": 12,
              "day": YESTERDAY, "published": None, "late": False}
    return Item(**values | changes)


def an_edition(*items: Item, **changes) -> Edition:
    return replace(Edition(DAY, items, blogs=1990, reached=1940, lacks=False), **changes)


def a_flood(count: int) -> Edition:
    return an_edition(*(an_item(f"글 {number} " + "긴 제목 " * 60, blog=f"블로그 {number}",
                                excerpt="요약 " * 66) for number in range(count)))


def sent(edition: Edition, language: str = "ko", config: Config = CONFIG, **recipient) -> bytes:
    return issue(edition, config, language, MORNING).fill(**ADA | recipient)


def parsed(mail: bytes) -> EmailMessage:
    return email.message_from_bytes(mail, policy=default)


def part(mail: bytes, kind: str) -> str:
    return parsed(mail).get_body(kind).get_content().replace("\r\n", "\n")


def parts(mail: bytes) -> tuple[str, str]:
    """The text part, and what the HTML part says, on one line, with links beside their words."""
    page = re.sub(r'<a [^>]*href="([^"]*)"[^>]*>', r"[\1] ", part(mail, "html").partition("<body")[2])
    return part(mail, "plain"), " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def decoded(header: str) -> str:
    return str(make_header(decode_header(header)))


def raw_header(mail: bytes, name: str) -> bytes:
    head = mail.partition(b"\r\n\r\n")[0] + b"\r\n"
    return re.search(rb"^" + name.encode() + rb": ((?:.*\r\n)(?:[ \t].*\r\n)*)", head, re.MULTILINE)[1]


# headers

@pytest.mark.parametrize(("name", "value"), [
    ("From", "개발 소식 <digest@mail.example.org>"),
    ("To", "ada@example.org"),
    ("Reply-To", "owner@example.org"),
    ("Subject", "개발 블로그 글 1편: SQLite WAL 체크포인트가 느려지는 이유"),
    ("Date", "Sun, 22 Nov 2026 10:00:00 +0900"),
    ("Message-ID", "<2026-11-22.17@mail.example.org>"),
    ("X-DevDigest-Delivery", "17"),
    ("List-Id", "개발 소식 <daily.mail.example.org>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("Precedence", "bulk"),
    ("Auto-Submitted", "auto-generated"),
    ("X-Auto-Response-Suppress", "All"),
    ("Feedback-ID", "2026-11-22:daily:ko:devdigest"),
    ("Content-Language", "ko"),
])
def test_the_mail_of_an_issue_has_the_headers_that_mailbox_providers_ask_for(name, value):
    assert parsed(sent(an_edition(an_item()))).get_all(name) == [value]


def test_wishes_to_leave_go_to_the_mailbox_that_is_read_where_there_is_one():
    bounces = Bounces(address="bounces@example.org")
    mail = sent(an_edition(an_item()), config=replace(CONFIG, bounces=bounces))
    assert f"<mailto:bounces@example.org?subject=unsubscribe%20{TOKEN}>".encode() in raw_header(
        mail, "List-Unsubscribe")


def test_list_unsubscribe_survives_a_host_name_of_sixty_characters():
    url = f"https://{'a' * 48}.example.org"
    assert len(url) == 68
    mail = sent(an_edition(an_item()), config=replace(CONFIG, site=replace(CONFIG.site, url=url)))
    assert raw_header(mail, "List-Unsubscribe") == (
        f"<{url}/u/{TOKEN}>,\r\n <mailto:owner@example.org?subject=unsubscribe%20{TOKEN}>\r\n").encode()


def test_one_click_is_offered_only_where_the_site_has_tls():
    mail = sent(an_edition(an_item()), config=replace(CONFIG, site=Site(url="http://devdigest.example.org")))
    assert "List-Unsubscribe-Post" not in parsed(mail)
    assert raw_header(mail, "List-Unsubscribe") == f"<http://devdigest.example.org/u/{TOKEN}>\r\n".encode()
    assert "Reply-To" not in parsed(mail)


@pytest.mark.parametrize("name", ["DevDigest", "개발 소식, 매일 (베타)", 'Ada "the" Digest, Inc.', "가" * 60])
def test_the_name_of_the_site_stays_whole_in_the_headers(name):
    mail = sent(an_edition(an_item()), config=replace(CONFIG, site=Site(name=name)))
    for header, address in (("From", "digest@mail.example.org"), ("List-Id", "daily.mail.example.org")):
        before, _, after = raw_header(mail, header).decode().rpartition("\r\n <")
        assert decoded(before) == name
        assert after == f"{address}>\r\n"
    assert [one.addr_spec for one in parsed(mail)["From"].addresses] == ["digest@mail.example.org"]


@pytest.mark.parametrize(("language", "titles", "expected"), [
    ("ko", ["결제 서버 이야기", "다른 글"], "개발 블로그 글 2편: 결제 서버 이야기"),
    ("en", ["A story"], "1 developer blog post: A story"),
    ("en", ["A story"] * 2, "2 developer blog posts: A story"),
    ("ko", ["", "둘째 글"], "개발 블로그 글 2편: 둘째 글"),
    ("ko", ["  \t"], "개발 블로그 글 1편"),
    ("ko", ["동네 지도 타일을 정적 파일로 바꾸어 서버 마흔 대를 없앤 두 해 동안의 기록"],
     "개발 블로그 글 1편: 동네 지도 타일을 정적 파일로 바꾸어 서버 마흔 대를 없앤 두 해…"),
    ("en", ["=?utf-8?q?=0D=0AX?="], "1 developer blog post: =?utf-8?q?=0D=0AX?="),
    ("ko", ["가" * 300], "개발 블로그 글 1편: " + "가" * 39 + "…"),
    ("en", ["Hello\r\nBcc: eve@example.org"], "1 developer blog post: Hello Bcc: eve@example.org"),
    ("en", ["\u202egnp.exe\x00\x1b[31m"], "1 developer blog post: gnp.exe[31m"),
])
def test_the_subject_tells_how_many_posts_and_the_first_title(language, titles, expected):
    edition = an_edition(*map(an_item, titles))
    assert subject(edition, language) == expected
    assert parsed(sent(edition, language))["Subject"] == expected


def test_encoded_words_of_a_subject_are_short_and_whole_characters():
    edition = an_edition(an_item("👨‍👩‍👧 가나다라 " * 10))
    words = raw_header(sent(edition), "Subject").decode().split()
    assert len(words) > 2
    assert max(map(len, words)) <= 75                       # RFC 2047, 2
    assert "".join(map(decoded, words)) == subject(edition, "ko")


# what is said

def test_a_post_is_shown_with_title_blog_minutes_and_excerpt_in_both_parts():
    text, page = parts(sent(an_edition(an_item())))
    assert ("SQLite WAL 체크포인트가 느려지는 이유\n데이터베이스 노트 · 12분\n"
            "열린 읽기 트랜잭션 하나가 WAL을 키운다.\nhttps://db.example.dev/wal\n") in text
    assert ("[https://db.example.dev/wal] SQLite WAL 체크포인트가 느려지는 이유 데이터베이스 노트 · 12분 "
            "열린 읽기 트랜잭션 하나가 WAL을 키운다.") in page


def test_sections_come_in_order_and_what_was_found_late_has_its_date():
    edition = an_edition(an_item("팀 글", group="team"), an_item("사람 글"),
                         an_item("먼 글", group="overseas"),
                         an_item("늦은 글", group="team", late=True, day=LATE))
    in_order = ("팀 블로그", "팀 글", "개인 블로그", "사람 글", "해외 블로그", "먼 글",
                "늦게 찾은 글", "늦은 글", "11월 18일")
    for said in parts(sent(edition)):
        counts = "팀 블로그 1, 개인 블로그 1, 해외 블로그 1, 늦게 찾은 글 1"
        assert counts in said.replace("\u00a0", " ")
        places = [said.rindex(words) for words in in_order]
        assert places == sorted(places)


@pytest.mark.parametrize(("language", "oldest", "headline"), [
    ("ko", YESTERDAY, "11월 21일 토요일, 개발 블로그 글 1편"),
    ("en", YESTERDAY, "Saturday, 21 November, 1 developer blog post"),
    ("ko", date(2026, 11, 19), "11월 19일부터 21일까지, 개발 블로그 글 1편"),
    ("en", date(2026, 11, 19), "19 to 21 November, 1 developer blog post"),
    ("ko", date(2026, 10, 30), "10월 30일부터 11월 21일까지, 개발 블로그 글 1편"),
    ("en", date(2026, 10, 30), "30 October to 21 November, 1 developer blog post"),
])
def test_the_headline_tells_the_days_of_the_posts(language, oldest, headline):
    for said in parts(sent(an_edition(an_item(day=oldest)), language)):
        assert headline in said


def test_the_counts_wrap_between_sections_only():
    shown = an_edition(an_item(), an_item(late=True)).summary(KOREAN)
    assert shown == "개인\u00a0블로그\u00a01, 늦게\u00a0찾은\u00a0글\u00a01"
    assert an_edition(an_item()).summary(KOREAN) == ""


@pytest.mark.parametrize(("language", "words"), [("ko", "(제목 없음)"), ("en", "(no title)")])
def test_a_post_without_a_title_says_so(language, words):
    for said in parts(sent(an_edition(an_item("")), language)):
        assert words in said


def test_further_posts_of_one_blog_are_folded_behind_the_fifth():
    busy = [an_item(f"연재 {number}편") for number in range(8)]
    others = [an_item("남의 글", blog="배포 일기"), an_item("늦은 글", late=True)]
    for said in parts(sent(an_edition(*busy, *others))):
        assert "연재 5편" not in said
        in_order = ("연재 4편", "데이터베이스 노트의 글 3편 더 보기", "남의 글")
        places = [said.index(words) for words in in_order]
        assert places == sorted(places)
        assert "늦은 글" in said                    # another section counts anew
        assert "웹에서 3편" not in said             # folded is not left out


def test_how_many_of_a_blog_are_shown_is_a_setting():
    config = replace(CONFIG, digest=Digest(most_per_blog=1))
    _, page = parts(sent(an_edition(*map(an_item, ["첫째", "둘째"])), "en", config))
    assert f"[{WEB}] 1 more from 데이터베이스 노트" in page


@pytest.mark.parametrize(("language", "words"), [
    ("ko", "블로그 1,990곳 가운데 812곳만 읽을 수 있었습니다."),
    ("en", "Only 812 of 1,990 blogs could be read.")])
def test_an_issue_that_lacks_blogs_says_so_and_another_does_not(language, words):
    for said in parts(sent(an_edition(an_item(), lacks=True, reached=812), language)):
        assert words in said
    for said in parts(sent(an_edition(an_item(), reached=812), language)):
        assert words not in said


@pytest.mark.parametrize(("language", "since", "words"), [
    ("ko", date(2026, 3, 2),
     "ada@example.org 님이 2026년 3월 2일에 신청하셔서 매일 오전 10시에 보내 드립니다."),
    ("ko", None, "ada@example.org 님께 매일 오전 10시에 보내 드립니다."),
    ("en", date(2026, 3, 2), "Sent every day at 10:00 because ada@example.org signed up on 2 March 2026."),
    ("en", None, "Sent every day at 10:00 because ada@example.org is subscribed."),
])
def test_the_foot_tells_why_a_reader_gets_it_how_to_end_it_and_who_sends_it(language, since, words):
    mail = sent(an_edition(an_item()), language, since=since)
    for said in parts(mail):
        for wanted in (words, f"https://devdigest.example.org/u/{TOKEN}", "https://devdigest.example.org/blogs/",
                       f"https://devdigest.example.org/manage/{TOKEN}", WEB, "Awesome Devblog",
                       "https://devdigest.example.org/about",
                       "owner@example.org", "개발 소식, 서울특별시 종로구 세종대로 1"):
            assert wanted in said
    assert f'<html lang="{language}">' in part(mail, "html")


@pytest.mark.parametrize(("clock", "words"), [
    ("00:05", "매일 오전 12시 5분에"), ("09:00", "매일 오전 9시에"),
    ("12:00", "매일 오후 12시에"), ("18:30", "매일 오후 6시 30분에")])
def test_a_time_of_day_is_said_as_koreans_say_it(clock, words):
    config = replace(CONFIG, digest=Digest(time=clock, latest="23:00"))
    assert words in part(sent(an_edition(an_item()), config=config), "plain")


def test_links_to_posts_are_counted_in_the_html_part_and_work_without_us_in_the_text_part():
    text, page = parts(sent(an_edition(an_item("제목", post_id=42))))
    assert "[https://devdigest.example.org/go/42] 제목" in page
    assert "https://db.example.dev/wal" not in page
    assert "\nhttps://db.example.dev/wal\n" in text
    assert "/go/" not in text


def test_a_link_too_long_for_a_mail_is_reached_by_way_of_the_site():
    text, page = parts(sent(an_edition(an_item("제목", url="https://example.org/" + "a" * 800, post_id=42))))
    assert "[https://devdigest.example.org/go/42] 제목" in page
    assert f"\n{WEB}\n" in text


@pytest.mark.parametrize("edition", [an_edition(), a_flood(85)])
def test_one_link_that_no_reader_sees_or_hears_is_there_for_machines(edition):
    page = part(sent(edition), "html")
    [hidden] = re.findall(r'<div style="display:none;mso-hide:all" aria-hidden="true">(.*?)</div>', page)
    assert hidden == '<a href="https://devdigest.example.org/go/0" tabindex="-1"></a>'
    assert page.count("/go/0") == 1


# the weekly issue

MONDAY = date(2026, 11, 23)
WEEKLY = Edition(
    MONDAY,
    (an_item("많이 읽은 글", group="overseas", readers=1234, post_id=7, day=date(2026, 11, 17)),
     an_item("덜 읽은 글", group="team", readers=1, post_id=8, day=date(2026, 11, 15), blog="배포 일기"),
     an_item("SQLite 글", url="javascript:1", readers=1, post_id=9)),
    blogs=0, reached=0, lacks=False, kind="weekly")


@pytest.mark.parametrize(("name", "value"), [
    ("Subject", "지난주 많이 읽은 글 3편: 많이 읽은 글"),
    ("Message-ID", "<2026-11-23.weekly.17@mail.example.org>"),
    ("List-Id", "개발 소식 <daily.mail.example.org>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("Feedback-ID", "2026-11-23:weekly:ko:devdigest"),
])
def test_the_mail_of_a_weekly_issue_can_be_told_from_the_daily_one(name, value):
    assert parsed(sent(WEEKLY)).get_all(name) == [value]


@pytest.mark.parametrize(("language", "headline", "order", "why", "metas"), [
    ("ko", "11월 16일부터 22일까지, 많이 읽은 글 3편", "열어 본 독자가 많은 순서",
     "매주 월요일 오전 10시에 보내 드립니다.",
     ["데이터베이스 노트 · 11월 17일 · 12분 · 독자 1,234명", "배포 일기 · 11월 15일 · 12분 · 독자 1명"]),
    ("en", "16 to 22 November, 3 most read posts", "By number of readers",
     "Sent every Monday at 10:00 because ada@example.org signed up on 2 March 2026.",
     ["데이터베이스 노트 · 17 November · 12 min · 1,234 readers",
      "배포 일기 · 15 November · 12 min · 1 reader"]),
])
def test_a_weekly_issue_tells_its_week_and_how_many_opened_each_post(language, headline, order, why, metas):
    for said in parts(sent(WEEKLY, language)):
        said = said.replace("\u00a0", " ")
        places = [said.index(words) for words in (headline, order, *metas, why)]
        assert places == sorted(places)
        assert "https://devdigest.example.org/popular/2026-11-23" in said
        assert "/issues/" not in said
        headings = WORDINGS[language].sections.items()
        assert [name for name, heading in headings if heading in said] == ["weekly"]


def test_links_of_a_weekly_issue_are_counted_too_and_one_that_is_no_link_leads_to_its_page():
    _, page = parts(sent(WEEKLY))
    assert "[https://devdigest.example.org/go/7] 많이 읽은 글" in page
    assert "[https://devdigest.example.org/popular/2026-11-23] SQLite 글" in page


@pytest.mark.parametrize(("language", "count", "words"), [
    ("ko", 10, "지난주 많이 읽은 글 10편: 제목"), ("en", 10, "Last week’s 10 most read posts: 제목"),
    ("en", 1, "Last week’s most read post: 제목")])
def test_the_subject_of_a_weekly_issue_says_so(language, count, words):
    edition = replace(WEEKLY, items=(an_item("제목"),) * count)
    assert parsed(sent(edition, language))["Subject"] == words


# what a feed may not do

@pytest.mark.parametrize("url", [
    "javascript:alert(1)", "data:text/html,x", "", "mailto:a@example.org", "/relative",
    "https://example.org/" + "a" * 800, "https://example.org/?" + "a&" * 200])
def test_a_link_that_is_not_http_or_far_too_long_leads_to_the_issue_on_the_web(url):
    text, page = parts(sent(an_edition(an_item("제목", url=url))))
    assert f"[{WEB}] 제목" in page
    assert f"WAL을 키운다.\n{WEB}\n" in text


def test_markup_of_a_feed_is_shown_as_text():
    nasty = "<script>alert('1')</script> & {{7*7}} \"quoted\"\n% import os"
    mail = sent(an_edition(an_item(nasty, excerpt=nasty, blog=nasty)))
    page = part(mail, "html")
    assert "<script" not in page
    shown = "&lt;script&gt;alert(&#039;1&#039;)&lt;/script&gt; &amp; {{7*7}} &quot;quoted&quot; % import os"
    assert page.count(shown) == 2
    assert "<script>alert('1')</script> & {{7*7}} \"quoted\" % import os\n" in part(mail, "plain")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("count", [85, 300])
def test_however_many_posts_come_the_mail_stays_small_and_counts_the_rest(language, count):
    mail = parsed(sent(a_flood(count), language, to="'" * 64 + "@" + "a" * 189, token="t" * 200))
    for kind, most in (("html", 90 * 1024), ("plain", 60 * 1024)):
        said = mail.get_body(kind).get_content()
        assert (most // 2 if count == 300 else 0) < len(said.encode()) < most
        shown = [int(number) for number in re.findall(r"\n글 (\d+) 긴(?!.* · 글)", said)]
        assert shown == list(range(len(shown)))             # the first ones, without a gap
        rest = re.search(r"웹에서 (\d+)편 더 보기|(\d+) more on the web", said)
        assert len(shown) + (int(rest[1] or rest[2]) if rest else 0) == count


def test_headlines_come_before_excerpts_and_excerpts_go_to_the_first_posts():
    edition = an_edition(*(an_item(f"글 {number} " + "긴제목" * 50, blog=f"{number} " + "블로그" * 20,
                                   excerpt=f"요약 {number} " + "길게 " * 40,
                                   url="https://example.org/" + "a" * 750) for number in range(50)))
    page = part(sent(edition), "html")
    told = [number for number in range(50) if f"\n요약 {number} " in page]
    assert all(f"\n글 {number} " in page for number in range(50))
    assert told == list(range(len(told)))
    assert 10 < len(told) < 50


@pytest.mark.parametrize(("posts", "longest"), [(40, 130), (41, 40), (60, 40), (61, 0)])
def test_the_more_posts_there_are_the_less_is_told_of_each(posts, longest):
    edition = an_edition(*(an_item(f"글 {number}", blog=f"블로그 {number}", excerpt="요" * 400)
                           for number in range(posts)))
    for said in parts(sent(edition)):
        lengths = {len(words) for words in re.findall("요+…", said)}
        assert lengths == ({longest} if longest else set())
        assert f"글 {posts - 1}" in said


def test_what_is_folded_makes_no_excerpt_shorter():
    edition = an_edition(*(an_item(f"글 {number}", excerpt="요" * 400) for number in range(85)))
    assert part(sent(edition), "html").count("요" * 129 + "…") == 5


# bytes

def test_every_line_ends_with_crlf_and_none_is_too_long():
    edition = an_edition(an_item("가" * 300, excerpt='"' * 300, url="https://example.org/" + "a" * 750,
                                 blog="블" * 200), lacks=True)
    config = replace(CONFIG, site=replace(CONFIG.site, postal_address="서울특별시 " * 200))
    for mail in (sent(edition, config=config), seven_bit(sent(edition, config=config))):
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail)
        assert max(map(len, mail.split(b"\r\n"))) <= 998


def test_the_same_issue_is_the_same_bytes_and_readers_differ_only_in_their_places():
    edition = an_edition(an_item())
    assert sent(edition) == sent(edition)
    bob = {"to": "bob@example.net", "delivery": "18", "token": "bob", "since": None}
    as_bob = (sent(edition).replace(b"ada@example.org", b"bob@example.net").replace(TOKEN.encode(), b"bob")
              .replace(b".17@", b".18@").replace(b"Delivery: 17", b"Delivery: 18")
              .replace(" 님이 2026년 3월 2일에 신청하셔서".encode(), " 님께".encode()))
    assert sent(edition, **bob) == as_bob


def test_text_comes_before_html_in_eight_bits():
    mail = parsed(sent(an_edition(an_item())))
    assert mail.get_content_type() == "multipart/alternative"
    halves = [(half.get_content_type(), half.get_content_charset(), half["Content-Transfer-Encoding"])
              for half in mail.iter_parts()]
    assert halves == [("text/plain", "utf-8", "8bit"), ("text/html", "utf-8", "8bit")]
    assert mail["Content-Transfer-Encoding"] == "8bit"


def test_an_address_with_signs_is_escaped_in_html_only():
    mail = sent(an_edition(an_item()), to="o'neil&sons@example.org")
    assert parsed(mail)["To"].addresses[0].addr_spec == "o'neil&sons@example.org"
    assert "o&#x27;neil&amp;sons@example.org 님이" in part(mail, "html")
    assert "o'neil&sons@example.org 님이" in part(mail, "plain")


@pytest.mark.parametrize("wrong", [
    {"to": "ada@example.org\r\nBcc: eve@example.org"}, {"to": "ada@example.org\n"}, {"to": "ada"}, {"to": ""},
    {"to": "<ada@example.org>"}, {"to": "ada@example.org, eve@example.org"}, {"to": "아다@example.org"},
    {"to": "ada@example.org\x00"}, {"to": "a" * 65 + "@example.org"},
    {"token": "to ken"}, {"token": "token\r\nBcc: eve@example.org"}, {"token": '"><script>'}, {"token": ""}])
def test_what_no_header_can_carry_is_not_filled_in(wrong):
    with pytest.raises(ValueError, match="not a"):
        sent(an_edition(an_item()), **wrong)


@pytest.mark.parametrize("letter", [
    pytest.param(issue(an_edition(an_item("<제목> & 글")), CONFIG, "ko", MORNING), id="issue"),
    pytest.param(confirmation(CONFIG, "ko", MORNING, MORNING), id="confirmation")])
def test_the_mail_for_a_seven_bit_relay_says_the_same(letter):
    mail = letter.fill(**ADA)
    plain = seven_bit(mail)
    assert plain.isascii()
    for name in set(parsed(mail)) - {"Content-Transfer-Encoding"}:
        assert raw_header(plain, name) == raw_header(mail, name)
    assert "Content-Transfer-Encoding" not in parsed(plain)
    for kind in ("plain", "html"):
        before, after = (parsed(one).get_body(kind) for one in (mail, plain))
        assert after.get_content() == before.get_content()
        assert after["Content-Transfer-Encoding"] == "base64"
    assert [piece.defects for piece in parsed(plain).walk()] == [[], [], []]


def test_filling_is_a_hundred_times_faster_than_building_a_message():
    edition = an_edition(*(an_item(f"글 {number}", blog=f"블로그 {number}") for number in range(32)))
    letter = issue(edition, CONFIG, "ko", MORNING)
    model = parsed(letter.fill(**ADA))
    text, page = (model.get_body(kind).get_content() for kind in ("plain", "html"))

    def build() -> bytes:
        message = EmailMessage(policy=SMTP)
        for name in ("From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe"):
            message[name] = str(model[name])
        message.set_content(text, cte="8bit")
        message.add_alternative(page, subtype="html", cte="8bit")
        return message.as_bytes()

    filling = min(timeit.repeat(lambda: letter.fill(**ADA), number=200, repeat=10)) / 200
    building = min(timeit.repeat(build, number=2, repeat=5)) / 2
    assert building > 100 * filling


# the preview

def test_the_preview_is_the_html_part_with_no_ones_links():
    edition = an_edition(an_item())
    as_mailed = sent(edition, to="reader@example.org", token="preview", since=None)
    assert preview_html(edition, CONFIG, "ko").strip() == part(as_mailed, "html").strip()


# whatever comes

_feed_text = st.one_of(st.text(max_size=300), st.text(st.characters(), max_size=30),
                       st.text("<>&\"' 가\r\n\t=", max_size=300))
_urls = st.one_of(st.just("https://example.org/?a=1&b='2'"), _feed_text.map("https://example.org/".__add__),
                  _feed_text)
_items = st.builds(
    Item, title=_feed_text, url=_urls, excerpt=_feed_text, blog=_feed_text,
    group=st.sampled_from(["team", "people", "overseas"]), minutes=st.none() | st.integers(0, 500),
    day=st.dates(date(1995, 1, 1), YESTERDAY), published=st.none(), late=st.booleans(),
    post_id=st.integers(0, 10**9))
_addresses = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z]{1,63}\.[a-z]{2,20}", fullmatch=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(items=st.lists(_items, max_size=12), repeat=st.sampled_from([1, 1, 1, 30]), to=_addresses,
       delivery=st.integers(1, 10**12), language=st.sampled_from(["ko", "en"]))
def test_whatever_feeds_say_a_mail_is_well_formed_and_says_it(items, repeat, to, delivery, language):
    edition = an_edition(*items * repeat)
    mail = sent(edition, language, to=to, delivery=str(delivery))
    message = parsed(mail)
    assert [piece.defects for piece in message.walk()] == [[], [], []]
    assert [message[name].defects for name in ("From", "To", "Subject", "Date", "Message-ID")] == [()] * 5
    assert message["Subject"] == subject(edition, language)
    assert [one.addr_spec for one in message["To"].addresses] == [to]
    assert set(message) == set(parsed(sent(an_edition(), language)))
    assert max(map(len, mail.split(b"\r\n"))) <= 998
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail)
    page, text = (message.get_body(kind).get_content() for kind in ("html", "plain"))
    assert len(page.encode()) < 90 * 1024
    assert set(re.findall(r'href="(\w+:)', page)) <= {"https:", "http:", "mailto:"}
    for title in edition.titles(100)[:1]:
        begin = title[:50]
        assert f"\n{begin}" in text
        assert f"\n{html.escape(begin).replace('&#x27;', '&#039;')}" in page
