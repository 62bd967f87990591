"""The sign-up form over a socket: who asks gets a mail, who tries learns nothing, and nobody is flooded."""
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import urlencode

import pytest
from web_site import Visitor, a_week, everything, new_mails, path_in, visiting

from devdigest import suppressions
from devdigest.config import Config
from devdigest.counts import Attempt
from devdigest.readers import Consent, Delivery, Subscriber, Suppression
from devdigest.web import joining
from devdigest.web.network import agent, network

ASKED = "/subscribe/asked"


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(config) as visitor:
        yield visitor


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def a_form(email: str = "dora@example.org", **fields: str) -> dict[str, str]:
    """What a browser sends that has shown the form for ten seconds."""
    return {"email": email, "website": "", "language": "ko", "stamp": joining.stamp(ago(seconds=10))} | fields


def inputs(page: str) -> dict[str, str]:
    """The fields of the form, as a browser would send them."""
    tags = [dict(re.findall(r'([a-z-]+)="([^"]*)"', tag)) for tag in re.findall(r"<input [^>]*>", page)]
    return {tag["name"]: tag.get("value", "") for tag in tags}


# the form

@pytest.mark.parametrize("path", ["/", "/subscribe"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_form_stands_on_the_front_page_and_alone(visitor: Visitor, path: str, language: str) -> None:
    a_week()
    page = visitor.get(path, Accept_Language=language).text
    assert page.count('<form class="join" method="post" action="/subscribe">') == 1
    fields = inputs(page)
    assert (fields["email"], fields["website"], fields["language"]) == ("", "", language)
    assert timedelta() <= joining.age(fields["stamp"], datetime.now(UTC)) < timedelta(seconds=30)


def test_the_field_for_programs_is_out_of_the_way_of_people(visitor: Visitor) -> None:
    trap = re.search(r'<p class="trap" aria-hidden="true">.*?</p>', visitor.get("/subscribe").text)[0]
    assert 'tabindex="-1"' in trap
    assert 'autocomplete="off"' in trap
    assert "비워 두세요" in trap                 # for who sees the page without its style


def test_the_address_field_helps_a_phone_to_fill_it(visitor: Visitor) -> None:
    page = visitor.get("/subscribe").text
    field = re.search(r'<input id="join-email"[^>]*>', page)[0]
    for attribute in ('type="email"', 'autocomplete="email"', 'inputmode="email"', " required"):
        assert attribute in field
    assert '<label for="join-email">' in page


# a request

def test_a_request_becomes_a_mail_and_the_mail_a_subscription_with_its_proof(visitor: Visitor,
                                                                             config: Config) -> None:
    answer = visitor.ask("POST", "/subscribe", data=a_form(language="en"),
                         headers={"User-Agent": "Browser/1" + "x" * 300, "X-Forwarded-For": "192.0.2.7"})
    assert (answer.status_code, answer.headers["Location"], answer.headers["Cache-Control"]) == (
        303, ASKED, "no-store")

    mail = new_mails(config)["dora@example.org"]
    asked = visitor.get(ASKED, Accept_Language="en")
    assert (asked.status_code, asked.headers["Cache-Control"]) == (200, "no-store")
    assert mail["Subject"] in asked.text
    assert config.mail.sender in asked.text

    path = path_in(mail, "/confirm/")
    assert visitor.ask("POST", path, headers={"User-Agent": "Browser/2"}).status_code == 200
    dora = Subscriber.of("dora@example.org")
    assert (dora.state, dora.language) == ("active", "en")
    proof = Consent.get(Consent.subscriber == dora)
    assert proof.asked < proof.mailed < proof.given
    assert (proof.source, proof.language, proof.asked_from, proof.given_from, proof.given_by) == (
        "form", "en", "127.0.0.1", "127.0.0.1", "Browser/2")
    assert proof.asked_by == "Browser/1" + "x" * 191
    assert proof.form == f"{config.site.url}/subscribe"
    assert proof.wording.splitlines()[1:3] == ["Your e-mail address", "Subscribe"]


def test_the_form_as_the_page_gives_it_is_taken_once_two_seconds_have_passed(visitor: Visitor) -> None:
    fields = inputs(visitor.get("/subscribe").text) | {"email": "dora@example.org"}
    again = visitor.post("/subscribe", fields)
    assert (again.status_code, Subscriber.of("dora@example.org")) == (400, None)
    later = datetime.now(UTC) + timedelta(seconds=2)
    assert joining.age(inputs(again.text)["stamp"], later) >= timedelta(seconds=2)


def test_the_answer_is_the_same_whoever_asks(visitor: Visitor, config: Config, ada: Subscriber,
                                             bob: Subscriber, carol: Subscriber) -> None:
    now = datetime.now(UTC)
    for reason in ("erased", "complaint"):
        Suppression.create(address=suppressions.known_by(f"{reason}@example.org"), reason=reason, since=now)
    answers = set()
    for name in ("dora", "ada", "bob", "carol", "erased", "complaint"):
        Attempt.update(asked=ago(hours=2)).execute()        # six in an hour are too many
        answer = visitor.post("/subscribe", a_form(f"{name}@example.org"))
        headers = {key: value for key, value in answer.headers.items() if key != "Date"}
        answers.add((answer.status_code, str(headers), answer.content, visitor.get(ASKED).content))
    assert len(answers) == 1
    assert set(new_mails(config)) == {f"{name}@example.org" for name in ("dora", "bob", "carol", "erased")}


def test_a_second_request_within_a_day_is_answered_alike_but_sends_no_second_mail(visitor: Visitor,
                                                                                  config: Config) -> None:
    first, second = (visitor.post("/subscribe", a_form()) for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (second.status_code, second.headers["Location"])
    assert Delivery.select().where(Delivery.state == "queued").count() == 1


def test_who_left_comes_back_by_asking_and_confirming(visitor: Visitor, config: Config,
                                                      carol: Subscriber) -> None:
    visitor.post("/subscribe", a_form("carol@example.org"))
    path = path_in(new_mails(config)["carol@example.org"], "/confirm/")
    assert Subscriber.get_by_id(carol.id).state == "cancelled", "whoever asked may be anyone"
    assert f'action="{path}"' in visitor.get(path).text
    visitor.post(path)
    assert Subscriber.get_by_id(carol.id).state == "active"


# programs

def test_a_program_that_fills_every_field_is_told_the_same_and_nothing_happens(visitor: Visitor) -> None:
    before = everything()
    answer = visitor.post("/subscribe", a_form(website="https://spam.example/"))
    assert (answer.status_code, answer.headers["Location"]) == (303, ASKED)
    assert everything() == before


def forged(stamp: str) -> str:
    return stamp[:-1] + ("0" if stamp[-1] != "0" else "1")


STAMPS = {
    "none": "", "a word": "x", "another's": f"{'1' * 13}-{'0' * 64}", "no signature": "1764000000000",
    "not ASCII": "１-가", "never filled": joining.STAMP,
    "forged": forged(joining.stamp(ago(seconds=10))),
    "of tomorrow": joining.stamp(ago(days=-1)),
    "49 hours old": joining.stamp(ago(hours=49)),
}


@pytest.mark.parametrize("stamp", STAMPS.values(), ids=STAMPS)
def test_a_form_with_a_stamp_that_is_not_right_is_shown_again_with_the_address(visitor: Visitor,
                                                                                stamp: str) -> None:
    before = everything()
    answer = visitor.post("/subscribe", a_form(stamp=stamp))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (400, "no-store")
    assert inputs(answer.text)["email"] == "dora@example.org"
    assert "한 번만 더 눌러" in answer.text
    assert everything() == before


@pytest.mark.parametrize(("told", "status"), [("same-origin", 303), ("none", 303), ("cross-site", 400),
                                              ("same-site", 400)])
def test_no_other_site_has_its_visitors_sign_strangers_up(visitor: Visitor, told: str, status: int) -> None:
    answer = visitor.ask("POST", "/subscribe", data=a_form(), headers={"Sec-Fetch-Site": told})
    assert answer.status_code == status
    assert (Subscriber.of("dora@example.org") is None) is (status == 400)


def test_a_form_that_comes_too_soon_is_shown_again(visitor: Visitor) -> None:
    assert visitor.post("/subscribe", a_form(stamp=joining.stamp(datetime.now(UTC)))).status_code == 400


@pytest.mark.parametrize("hours", [0.001, 1, 47.9])
def test_a_form_may_lie_open_for_two_days(visitor: Visitor, hours: float) -> None:
    assert visitor.post("/subscribe", a_form(stamp=joining.stamp(ago(hours=hours)))).status_code == 303


# addresses

LOOK_AGAIN = "다시 확인해 주세요", "Please check the address"
REFUSED = {
    "": LOOK_AGAIN, "dora": LOOK_AGAIN, "dora@": LOOK_AGAIN, "x" * 5000 + "@example.org": LOOK_AGAIN,
    "dora@example.org\r\nBcc: eve@example.org": LOOK_AGAIN,
    '"><script>alert(1)</script>@example.org': LOOK_AGAIN,
    "dora@-example.org": ("도메인", "domain"), "도라@example.org": ("영문자", "Latin letters"),
    "Postmaster@example.org": ("공용 주소", "Shared addresses"),
}


@pytest.mark.parametrize("email", REFUSED)
def test_what_is_no_address_is_refused_in_words_and_may_be_corrected(visitor: Visitor, email: str) -> None:
    korean, english = REFUSED[email]
    before = everything()
    for language, words in (("ko", korean), ("en", english)):
        answer = visitor.post("/subscribe", a_form(email, language=language))
        assert (answer.status_code, answer.headers["Content-Language"]) == (400, language)
        assert words in re.search(r'<p class="fault"[^>]*>(.*?)</p>', answer.text)[1]
        assert answer.text.count(f'value="{escape(" ".join(email.split()))[:320]}"') == 1
        assert "<script" not in answer.text
    assert everything() == before


def test_an_address_in_hangul_behind_the_at_sign_is_taken(visitor: Visitor) -> None:
    assert visitor.post("/subscribe", a_form(" dora@한국.example ")).status_code == 303
    assert Subscriber.of("dora@xn--3e0b707e.example").state == "pending"


@pytest.mark.parametrize("body", ["", "email=%C7%D1%B1%B9@example.org", "email=%FF%FE", "&&&=", "%",
                                  urlencode({"email[]": "dora@example.org"})])
def test_a_form_that_is_none_of_ours_is_shown_ours(visitor: Visitor, body: str) -> None:
    for stamp in ("", f"&stamp={joining.stamp(ago(seconds=10))}"):
        answer = visitor.post("/subscribe", body + stamp)
        assert (answer.status_code, "join-email" in answer.text) == (400, True)


def test_a_form_may_come_as_multipart(visitor: Visitor) -> None:
    parts = {name: (None, value) for name, value in a_form("도라@example.org").items()}
    answer = visitor.ask("POST", "/subscribe", files=parts)
    assert (answer.status_code, "영문자" in answer.text) == (400, True)
    parts = {name: (None, value) for name, value in a_form().items()}
    assert visitor.ask("POST", "/subscribe", files=parts).status_code == 303


def test_a_language_that_is_none_of_ours_becomes_the_visitors(visitor: Visitor) -> None:
    visitor.ask("POST", "/subscribe", data=a_form(language="tlh"), headers={"Accept-Language": "en"})
    assert Subscriber.of("dora@example.org").language == "en"


# limits

def test_the_sixth_request_of_a_network_in_an_hour_is_too_many(visitor: Visitor) -> None:
    statuses = [visitor.post("/subscribe", a_form(f"dora{number}@example.org")).status_code
                for number in range(5)]
    assert statuses == [303] * 5
    full = visitor.post("/subscribe", a_form("dora5@example.org", language="en"))
    assert (full.status_code, full.headers["Retry-After"], full.headers["Cache-Control"]) == (
        429, "3600", "no-store")
    assert "Your network" in full.text
    assert Subscriber.of("dora5@example.org") is None


def test_a_forwarded_address_that_nobody_vouches_for_is_no_way_around_the_limit(visitor: Visitor) -> None:
    statuses = [visitor.ask("POST", "/subscribe", data=a_form(f"dora{number}@example.org"),
                            headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
                for number in range(6)]
    assert statuses == [303] * 5 + [429]


def test_when_all_networks_together_are_too_many_the_site_says_so(visitor: Visitor) -> None:
    now = datetime.now(UTC)
    Attempt.insert_many([{"asked": now, "address": f"{number}", "network": f"{number}", "mailed": True}
                         for number in range(100)]).execute()
    full = visitor.post("/subscribe", a_form())
    assert (full.status_code, "신청이 몰려" in full.text) == (429, True)


# from where

@pytest.mark.parametrize(("address", "told"), [
    ("203.0.113.9", "203.0.113.9"), ("127.0.0.1", "127.0.0.1"), ("::ffff:203.0.113.9", "203.0.113.9"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"), ("localhost", ""), ("", ""), ("unix", ""), ("1.2.3", ""),
    ("203.0.113.9:80", "")])
def test_a_network_is_an_ipv4_address_or_the_ipv6_network_of_a_household(address: str, told: str) -> None:
    assert network(address) == told


@pytest.mark.parametrize(("said", "told"), [
    ("", ""), ("Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"), ("x" * 999, "x" * 200), ("a\r\nb\0c", "abc")])
def test_a_program_is_told_on_one_line_and_not_at_any_length(said: str, told: str) -> None:
    assert agent(said) == told


# where the site has no certificate

@pytest.mark.parametrize(("language", "words"), [("ko", "HTTPS로 열리지 않아"),
                                                 ("en", "cannot be reached by HTTPS")])
def test_nobody_signs_up_where_others_could_read_along(
        config: Config, records: None, language: str, words: str) -> None:
    in_the_lan = replace(config, site=replace(config.site, url="http://192.168.0.23"))
    with visiting(in_the_lan) as visitor:
        for path in ("/", "/subscribe"):
            page = visitor.get(path, Accept_Language=language)
            assert (page.status_code, words in page.text) == (200, True)
            assert "<form" not in page.text
        refused = visitor.post("/subscribe", a_form(language=language))
        assert (refused.status_code, words in refused.text) == (403, True)
    assert not Subscriber.select().where(Subscriber.email == "dora@example.org").exists()


@pytest.mark.parametrize(("url", "taken"), [
    ("https://ada.example.org", True), ("http://127.0.0.1:8080", True), ("http://localhost:8080", True),
    ("http://[::1]:8080", True), ("http://192.168.0.23", False), ("http://ada.example.org", False),
    ("http://localhost.example.org", False)])
def test_an_address_travels_by_https_or_not_at_all(config: Config, url: str, taken: bool) -> None:
    assert replace(config.site, url=url).takes_sign_ups is taken
