"""The mails in a real browser: nothing runs over the edge of a phone, dark is dark, everything can be read.

With $DEVDIGEST_SHOTS set to a folder, a picture of each page is left there.
"""
import email
import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email.policy import default
from functools import partial
from pathlib import Path

import pytest
from browser import CHROMIUM, DRIVER, WORDS, started

from devdigest.compose import issue
from devdigest.config import Config, Mail, Site
from devdigest.edition import Edition, Item
from devdigest.notices import account, confirmation, move
from devdigest.owner_mails import Line, Told, Week, preview, summary, trouble

pytestmark = [pytest.mark.browser,
              pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromium-driver")]

CONFIG = Config(site=Site(url="https://devdigest.example.org", owner="owner@example.org",
                          postal_address="서울특별시 종로구 세종대로 1"),
                mail=Mail(sender="digest@mail.example.org"))
MORNING = datetime(2026, 11, 22, 1, tzinfo=UTC)
YESTERDAY, LATE = date(2026, 11, 21), date(2026, 11, 18)

# title, blog, excerpt
POSTS = [
    ("결제 서버의 p99를 절반으로 줄인 커넥션 풀 이야기", "가나 기술 블로그",
     "연결을 오래 들고 있는 쿼리 하나가 풀 전체를 굶기는 과정을 계측으로 따라가고, "
     "대기열을 둘로 나눈 뒤 달라진 분포를 보여준다."),
    ("동네 지도 타일을 정적 파일로: 서버 40대를 없앤 기록", "다라 테크 블로그",
     "요청이 몰리는 구역만 미리 굽고 나머지는 첫 요청에 굽는 방식으로 바꾸며 겪은 캐시 무효화의 함정들."),
    ("장애 회고를 쓰는 다섯 가지 질문", "마바 엔지니어링",
     "누가 틀렸는지가 아니라 무엇이 보이지 않았는지를 묻는 회고 양식과, 반년 동안 써 본 결과."),
    ("사내 검색을 Elasticsearch에서 SQLite FTS5로 옮긴 이유", "사아 개발팀",
     "문서 30만 건이면 충분했다. 색인 크기와 응답 시간, 운영에서 사라진 일들을 숫자로 비교한다."),
    ("프런트엔드 빌드를 9분에서 50초로", "자차 프런트엔드",
     "캐시가 깨지는 지점을 하나씩 찾아낸 기록. 가장 큰 범인은 날짜가 박힌 환경 변수였다."),
    ("SQLite WAL 체크포인트가 느려지는 이유", "데이터베이스 노트",
     "열린 읽기 트랜잭션 하나가 WAL을 끝없이 키우는 모습을 재현하고, "
     "언제 TRUNCATE 체크포인트가 통하는지 정리했다."),
    ("쿠버네티스 없이 무중단 배포하기", "배포 일기",
     "systemd 소켓 활성화와 배포 스크립트 80줄이면 요청을 하나도 잃지 않는다."),
    ("타입스크립트의 새 추론 규칙 정리", "타입 수첩", ""),
    ("Rust로 작은 메일 서버를 만들며 배운 것", "녹슨 톱니",
     "SMTP는 간단하다는 말을 믿지 마세요. 마침표 하나 때문에 밤을 새운 이야기입니다."),
    ("나의 첫 오픈소스 기여기", "첫걸음",
     "문서의 오타 하나에서 시작해 첫 코드 리뷰를 받기까지 한 달 동안의 기록."),
]


def an_item(number: int, group: str = "people", late: bool = False, **changes) -> Item:
    title, blog, excerpt = POSTS[number % len(POSTS)]
    again = f" {number // len(POSTS) + 1}" if number >= len(POSTS) else ""
    values = {"title": title + again, "url": f"https://blog{number}.example.com/posts/1", "excerpt": excerpt,
              "blog": blog + again, "group": group, "minutes": 3 + number * 5 % 11,
              "day": LATE if late else YESTERDAY, "published": None, "late": late}
    return Item(**values | changes)


def an_edition(*items: Item, lacks: bool = False) -> Edition:
    return Edition(date(2026, 11, 22), items, blogs=1990, reached=812, lacks=lacks)


def a_day_of(people: int) -> Edition:
    """Five posts of teams, `people` of people, one from abroad, two late."""
    return an_edition(
        *(an_item(number, "team") for number in range(5)),
        *(an_item(number) for number in range(5, 5 + people)),
        an_item(0, "overseas", title="What every programmer should know about memory, ten years on",
                blog="The Slow Computer", url="https://overseas.example.com/",
                excerpt="Caches have grown, cores have multiplied, and locality still decides who wins."),
        an_item(8, late=True, title="퇴사 후 석 달, 혼자 만든 앱을 닫으며", blog="작은 배포",
                excerpt="사용자 40명에게 마지막 공지를 보내고, 서버를 끄기 전에 남긴 기록."),
        an_item(9, late=True, title="라즈베리 파이로 집 안 전력 재기", blog="납땜하는 오후", excerpt=""))


EDITIONS = {
    "typical": a_day_of(24),
    "one": an_edition(an_item(5)),
    "long": an_edition(an_item(0, title="아주 긴 제목은 " * 33),
                       an_item(1, title="Donaudampfschifffahrt" * 12),
                       an_item(2, title="가" * 300, excerpt="https://example.org/" + "a" * 180),
                       an_item(3, blog="이름이길어서두줄을넘기는어느개발자의블로그" * 3), lacks=True),
    "untitled": an_edition(an_item(0, title="", excerpt=""), an_item(1, title=""),
                           *(an_item(5, title=f"연재 {number}편", minutes=None) for number in range(8))),
    "busy": a_day_of(40),
    "weekly": replace(an_edition(*(an_item(number, readers=1200 - 70 * number, post_id=1 + number)
                                   for number in range(10))), day=date(2026, 11, 23), kind="weekly"),
    "many": an_edition(*(an_item(number, excerpt="길게 이어지는 요약입니다. " * 13) for number in range(85))),
    "flood": an_edition(*(an_item(number, title="긴 제목 " * 60) for number in range(300))),
}


FIRST, SECOND = (Told("relay", "smtp.example.org:465: refuses the login of digest: 535 5.7.8 bad "
                      "credentials; check [mail] user, from and the password: Gmail and Naver want an app "
                      "password",
                      "mend [mail]; the outbox waits meanwhile", datetime(2026, 11, 22, 0, 10, tzinfo=UTC)),
                 Told("disk", "120 MB free at /var/lib/devdigest",
                      "make room: `sudo journalctl --vacuum-size=50M`, `sudo apt clean`",
                      datetime(2026, 11, 21, 18, tzinfo=UTC)))
STILL = replace(SECOND, name="backup", fact="the newest is 3 days old", cure="sudo devdigest backup")
OVER = Told("name", "digest.example.org leads to 203.0.113.9, this machine is at 203.0.113.7",
            "sudo systemctl restart devdigest-ddns", datetime(2026, 11, 18, 5, 30, tzinfo=UTC),
            datetime(2026, 11, 18, 9, tzinfo=UTC))
WELL = Week(monday=date(2026, 11, 23), issues=7, empty=1, posts=153, sent=8412, refused=0, given_up=0,
            readers=1204, new=31, lost=4, blogs=1990, failing=34, failing_new=0, free=12_400_000_000,
            backup=MORNING, power="", hands=(), hints=(), over=())
WANTING = replace(WELL, refused=3, given_up=1, failing_new=5, backup=None, over=(OVER,),
                  power="the power was low once since boot",
                  hands=(Line("relay", FIRST.fact, cure=FIRST.cure),
                         Line("disk", SECOND.fact, cure=SECOND.cure)), hints=("power", "journal"))

TO_OWNER = {
    "trouble": lambda config: trouble(config, [FIRST], [], [], MORNING),
    "troubles": lambda config: trouble(config, [FIRST, SECOND], [STILL], [OVER], MORNING),
    "week-well": lambda config: summary(config, WELL, MORNING),
    "week-wanting": lambda config: summary(config, WANTING, MORNING),
    "preview": lambda config: preview(EDITIONS["typical"], config,
                                      f"{config.site.url}/hold/20261122-mfxw3mfxw3mfxw3mfxw3", 1204, MORNING),
}
NOTICES = {"confirmation": partial(confirmation, network="203.0.113.7"), "account": account, "move": move}


def page(name: str, language: str) -> str:
    """The HTML part as Ada gets it."""
    if name in TO_OWNER:
        letter = TO_OWNER[name](replace(CONFIG, site=replace(CONFIG.site, language=language)))
    else:
        letter = (issue(EDITIONS[name], CONFIG, language, MORNING) if name in EDITIONS
                  else NOTICES[name](CONFIG, language, MORNING, MORNING))
    mail = letter.fill(to="ada@example.org", delivery="1",
                       token="Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE",
                       since=date(2026, 3, 2))
    return email.message_from_bytes(mail, policy=default).get_body("html").get_content()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with started(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("name", [*EDITIONS, *NOTICES, *TO_OWNER])
def test_a_mail_can_be_read_on_a_phone_and_on_a_desk(browser, tmp_path, name, language, dark):
    file = tmp_path / "mail.html"
    file.write_text(page(name, language), encoding="utf-8")
    shots = os.environ.get("DEVDIGEST_SHOTS")
    for width in (375, 800):
        browser.show(file.as_uri(), width, dark, scale=2 if shots else 1)
        if shots:
            colours = "dark" if dark else "light"
            Path(shots, f"mail-{name}-{language}-{width}-{colours}.png").write_bytes(browser.picture())
        assert browser.ask("document.documentElement.scrollWidth") == width
        assert browser.ask("document.querySelectorAll('h1').length") == 1
        assert browser.ask("document.querySelector('h1').checkVisibility()")
        words = browser.ask(WORDS)
        assert len(words) > 5
        assert [one for one in words if one["pixels"] < 14] == []
        assert [one for one in words if one["contrast"] < 4.5] == []
    paper = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(21, 23, 26)" if dark else "rgb(244, 242, 236)")


@pytest.mark.parametrize("name", ["busy", "many"])
def test_a_mail_of_very_many_posts_has_an_end_on_a_phone(browser, tmp_path, name):
    file = tmp_path / "mail.html"
    file.write_text(page(name, "ko"), encoding="utf-8")
    browser.show(file.as_uri(), 375, dark=False)
    assert browser.ask("document.documentElement.scrollHeight") < 12 * 700      # a dozen screens


def test_a_mail_keeps_its_shape_where_the_style_element_is_dropped(browser, tmp_path):
    file = tmp_path / "mail.html"
    bare = re.sub(r"<style>.*?</style>", "", page("typical", "ko"), flags=re.DOTALL)
    file.write_text(bare, encoding="utf-8")
    browser.show(file.as_uri(), 375, dark=False)
    assert browser.ask("document.documentElement.scrollWidth") == 375
    assert [one for one in browser.ask(WORDS) if one["pixels"] < 14 or one["contrast"] < 4.5] == []
