"""The mails that someone asked for on a page: one question or one link each, and nothing else."""
from datetime import UTC, datetime

import pytest
from test_compose import ADA, CONFIG, MORNING, TOKEN, parsed, parts

from devdigest import notices
from devdigest.letter import Letter

ASKED = datetime(2026, 11, 21, 14, 58, tzinfo=UTC)


def a_notice(purpose: str, language: str) -> Letter:
    make = {"confirm": notices.confirmation, "account": notices.account, "move": notices.move}[purpose]
    return make(CONFIG, language, MORNING, ASKED)


@pytest.mark.parametrize(("purpose", "language", "title", "asked", "good_for", "path"), [
    ("confirm", "ko", "개발 소식 구독을 확인해 주세요",
     "11월 21일 오후 11시 58분, ada@example.org 주소로 개발 소식 구독 신청이 들어왔습니다.", "48시간",
     "confirm"),
    ("confirm", "en", "Please confirm your subscription to 개발 소식",
     "On 21 November at 23:58, someone asked for 개발 소식 to be sent to ada@example.org.", "48 hours",
     "confirm"),
    ("account", "ko", "개발 소식 내 정보를 여는 링크입니다",
     "11월 21일 오후 11시 58분, 개발 소식에서 요청하셨습니다.", "1시간", "account"),
    ("account", "en", "The link to your data at 개발 소식",
     "You asked 개발 소식 for this link on 21 November at 23:58.", "one hour", "account"),
    ("move", "ko", "개발 소식 메일을 받을 새 주소를 확인해 주세요",
     "11월 21일 오후 11시 58분, 개발 소식 메일을 ada@example.org 주소로 받겠다는 요청이 들어왔습니다.",
     "48시간", "account/move"),
    ("move", "en", "Please confirm your new address for 개발 소식",
     "On 21 November at 23:58, a reader of 개발 소식 asked to get it at ada@example.org from now on.",
     "48 hours", "account/move"),
])
def test_a_notice_says_one_thing_and_carries_no_digest(purpose, language, title, asked, good_for, path):
    mail = a_notice(purpose, language).fill(**ADA | {"since": None})
    message = parsed(mail)
    assert message["Subject"] == title
    assert message["Message-ID"] == f"<{purpose}.17@mail.example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert [name for name in message if name.startswith(("List-", "Precedence", "Feedback"))] == []
    for said in parts(mail):
        assert asked in said
        assert good_for in said
        assert f"https://devdigest.example.org/{path}/{TOKEN}" in said
        assert f"/u/{TOKEN}" not in said
        assert "Awesome Devblog" not in said


@pytest.mark.parametrize(("network", "language", "told"), [
    ("203.0.113.7", "ko", "신청이 들어온 IP 주소: 203.0.113.x"),
    ("203.0.113.7", "en", "IP address of the request: 203.0.113.x"),
    ("2001:db8:1:2::/64", "ko", "신청이 들어온 IP 주소: 2001:db8:…"),
    ("::1", "en", "IP address of the request: 0:0:…"),
])
def test_a_confirmation_mail_says_from_where_it_was_asked_and_not_too_exactly(network, language, told):
    for said in parts(notices.confirmation(CONFIG, language, MORNING, ASKED, network).fill(**ADA)):
        assert told in said
        assert network not in said


@pytest.mark.parametrize("language", ["ko", "en"])
def test_where_nobody_knows_from_where_it_was_asked_nothing_is_said_of_it(language):
    for said in parts(a_notice("confirm", language).fill(**ADA)):
        assert "IP" not in said
