"""What mails to the owner say, and that nothing a relay or a feed says becomes anything but words."""
from dataclasses import replace
from datetime import timedelta

import pytest
from test_compose import CONFIG, MORNING, parsed, parts
from test_mail_look import FIRST, OVER, SECOND, STILL, WANTING, WELL

from devdigest.config import Config
from devdigest.letter import Letter
from devdigest.owner_mails import Told, summary, trouble

OWNER = {"to": "owner@example.org", "delivery": "1", "token": "preview", "since": None}


def speaking(language: str) -> Config:
    return replace(CONFIG, site=replace(CONFIG.site, language=language))


def both(letter: Letter) -> tuple[str, ...]:
    return tuple(parts(letter.fill(**OWNER)))


@pytest.mark.parametrize(("language", "subject", "still", "over"), [
    ("ko", "개발 소식: 확인이 필요합니다: relay, disk", "아직 그대로인 일", "해결된 일"),
    ("en", "개발 소식: Needs a hand: relay, disk", "Still as it was", "Over")])
def test_a_trouble_is_told_with_its_cure_and_what_stands_or_is_over_below(language, subject, still, over):
    letter = trouble(speaking(language), [FIRST, SECOND], [STILL], [OVER], MORNING)
    assert parsed(letter.fill(**OWNER))["Subject"] == subject
    for said in both(letter):
        new, _, rest = said.partition(still)
        assert "535 5.7.8 bad credentials" in new
        assert "sudo apt clean" in new
        assert "sudo devdigest backup" in rest.partition(over)[0]
        assert "203.0.113.9" in rest.partition(over)[2]
        assert "systemctl restart devdigest-ddns" not in said           # it is over: nothing is to be done


def test_many_troubles_have_a_short_subject():
    many = [replace(FIRST, name=f"check{number}") for number in range(9)]
    message = parsed(trouble(speaking("en"), many, [], [], MORNING).fill(**OWNER))
    assert message["Subject"] == "개발 소식: Needs a hand: check0, check1, check2, …"


def test_what_a_relay_says_is_shown_as_words():
    told = Told("relay", "550 <script>alert(1)</script> & {{evil}} http://evil.example/", "mend", MORNING)
    mail = parsed(trouble(speaking("en"), [told], [], [], MORNING).fill(**OWNER))
    text, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "<script>alert(1)</script> & {{evil}}" in text
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{evil}}" in page
    assert 'href="http://evil' not in page


@pytest.mark.parametrize(("language", "headline"), [("ko", "지난주는 아무 문제 없었습니다"),
                                                    ("en", "Last week all went well")])
def test_of_a_good_week_the_subject_tells_it_all(language, headline):
    letter = summary(speaking(language), WELL, MORNING)
    assert headline in parsed(letter.fill(**OWNER))["Subject"]
    for said in both(letter):
        assert len([line for line in said.splitlines() if "sudo devdigest" in line]) == 0


def test_a_week_that_wants_a_look_begins_with_it_and_has_a_command_for_each():
    for said in both(summary(speaking("en"), WANTING, MORNING)):
        assert said.index("2 things want a look") < said.rindex("535 5.7.8") < said.index("8,412 sent")
        for command in ("deliveries --failed", "blogs list --failing", "backup", "check"):
            assert f"sudo devdigest {command}" in said


def test_the_same_mail_made_again_has_the_same_name():
    letters = [summary(speaking("en"), WELL, MORNING + timedelta(minutes=minutes)) for minutes in (0, 5)]
    assert len({parsed(letter.fill(**OWNER))["Message-ID"] for letter in letters}) == 1
