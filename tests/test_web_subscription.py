"""The links in mails over a socket: confirm, leave, come back, settings. Looking changes nothing."""
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from conftest import NOW
from web_site import (
    Visitor,
    a_confirmation,
    a_week,
    an_issue,
    everything,
    link,
    new_mails,
    visiting,
)

from devdigest import subscribers
from devdigest.config import Config
from devdigest.days import local_day
from devdigest.models import Issue
from devdigest.readers import Consent, Subscriber
from devdigest.web import subscription
from devdigest.web.visit import Visit


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(config) as visitor:
        yield visitor


def now_of(subscriber: Subscriber) -> Subscriber:
    return Subscriber.get_by_id(subscriber.id)


def state(subscriber: Subscriber) -> str:
    return now_of(subscriber).state


def settings(**fields: str) -> dict[str, str]:
    """What the page of settings sends."""
    return {"frequency": "daily", "language": "ko", "pause": ""} | fields


# leaving

@pytest.mark.parametrize("body", ["List-Unsubscribe=One-Click", "", "%FF=&&", "x" * 200_000])
def test_one_click_ends_a_subscription_at_once(visitor: Visitor, ada: Subscriber, body: str) -> None:
    answer = visitor.post(f"/u/{link(ada)}", body)
    assert (answer.status_code, state(ada)) == (200, "cancelled")
    assert not {"Location", "Set-Cookie"} & set(answer.headers)
    assert answer.headers["Cache-Control"] == "no-store"


def test_one_click_may_come_as_a_multipart_form(visitor: Visitor, ada: Subscriber) -> None:
    answer = visitor.ask("POST", f"/u/{link(ada)}", files={"List-Unsubscribe": (None, "One-Click")})
    assert (answer.status_code, state(ada)) == (200, "cancelled")


def test_the_page_to_leave_has_one_button_and_waits_for_it(visitor: Visitor, ada: Subscriber) -> None:
    path = f"/u/{link(ada)}"
    page = visitor.get(path)
    assert re.findall(r'<form method="post" action="([^"]*)"', page.text) == [path]
    assert (page.text.count("<button"), state(ada)) == (1, "active")
    assert page.headers["Cache-Control"] == "no-store"


def test_who_thinks_of_leaving_may_have_less_but_who_has_left_is_left_alone(visitor: Visitor,
                                                                            ada: Subscriber) -> None:
    less = f'href="/manage/{link(ada)}"'
    assert less in visitor.get(f"/u/{link(ada)}").text
    assert less not in visitor.post(f"/u/{link(ada)}").text


def test_leaving_can_be_undone(visitor: Visitor, ada: Subscriber) -> None:
    left = visitor.post(f"/u/{link(ada)}")
    [undo] = re.findall(r'action="([^"]*)"', left.text)
    back = visitor.post(undo)
    assert (back.status_code, state(ada)) == (200, "active")
    assert "되돌렸습니다" in back.text
    visitor.post(f"/u/{link(ada)}")
    assert (visitor.post(undo).status_code, state(ada)) == (404, "cancelled"), "it was good for that one time"


def test_only_who_has_left_is_shown_how_to_undo_it(visitor: Visitor, ada: Subscriber) -> None:
    """A digest is forwarded: whoever has it must not bring back who has left, however often they look."""
    visitor.post(f"/u/{link(ada)}")
    for page in (visitor.get(f"/u/{link(ada)}"), visitor.post(f"/u/{link(ada)}"),
                 visitor.get(f"/manage/{link(ada)}")):
        assert (page.status_code, "undo" in page.text) == (200, False)
    assert (visitor.post(f"/u/{link(ada)}/undo").status_code, state(ada)) == (404, "cancelled")


def test_who_left_longer_ago_is_shown_the_way_to_sign_up_again(visitor: Visitor, ada: Subscriber) -> None:
    subscribers.cancel(ada, datetime.now(UTC) - timedelta(hours=2), UTC)
    page = visitor.get(f"/manage/{link(ada)}").text
    assert (f"/u/{link(ada)}" in page, 'href="/subscribe"' in page) == (False, True)
    late = visitor.post(f"/u/{subscribers.undo_token(now_of(ada))}/undo")
    assert ("되돌렸습니다" in late.text, state(ada)) == (False, "cancelled")


def test_leaving_twice_is_leaving_once(visitor: Visitor, ada: Subscriber) -> None:
    visitor.post(f"/u/{link(ada)}")
    first = now_of(ada).cancelled
    assert visitor.post(f"/u/{link(ada)}").status_code == 200
    assert now_of(ada).cancelled == first


def test_who_never_confirmed_cannot_begin_by_undoing(visitor: Visitor, bob: Subscriber) -> None:
    left = visitor.post(f"/u/{link(bob)}")
    assert (state(bob), "<form" in left.text) == ("cancelled", False)
    answer = visitor.post(f"/u/{subscribers.undo_token(now_of(bob))}/undo")
    assert (answer.status_code, state(bob)) == (200, "cancelled")
    assert "되돌렸습니다" not in answer.text


@pytest.mark.parametrize("path", ["/u/{}", "/u/{}/undo", "/manage/{}", "/manage/{}/account", "/confirm/{}"])
def test_a_wrong_token_is_a_page_that_is_not_there(visitor: Visitor, ada: Subscriber, path: str) -> None:
    before = everything()
    methods = ("POST",) if path.count("/") > 2 else ("GET", "POST")
    for token in ("1-aaaaaaaaaaaaaaaaaaaa", "x", "1", "%EA%B8%80", "1-%00", "%D9%A1-a",
                  "999999999999999999-a", "9999999999999999999999-a"):
        for method in methods:
            answer = visitor.ask(method, path.format(token))
            assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
            assert "쓸 수 없는" in answer.text
    assert everything() == before


def test_a_link_is_good_for_its_own_reader_only(visitor: Visitor, ada: Subscriber, bob: Subscriber) -> None:
    forged = f"{bob.id}-{link(ada).partition('-')[2]}"
    assert visitor.post(f"/u/{forged}").status_code == 404
    assert (state(ada), state(bob)) == ("active", "pending")


@pytest.mark.parametrize("who", ["ada", "bob", "carol"])
def test_looking_changes_nothing(visitor: Visitor, request: pytest.FixtureRequest, who: str) -> None:
    subscriber = request.getfixturevalue(who)
    token, confirmation = link(subscriber), a_confirmation(subscriber)
    before = everything()
    for path in (f"/u/{token}", f"/u/{token}/undo", f"/manage/{token}", f"/manage/{token}/account",
                 f"/manage/{token}?frequency=both&language=en&pause=7", f"/confirm/{confirmation}"):
        for method in ("GET", "HEAD", "OPTIONS"):
            visitor.ask(method, path)
    assert everything() == before


# settings

@pytest.mark.parametrize(("who", "says"), [("ada", "2026년 11월 21일부터 받고 계십니다"),
                                           ("bob", "확인 메일의 버튼"), ("carol", "에 취소하셨습니다")])
def test_the_settings_say_how_it_stands_and_since_when(visitor: Visitor, request: pytest.FixtureRequest,
                                                       who: str, says: str) -> None:
    subscriber = request.getfixturevalue(who)
    page = visitor.get(f"/manage/{link(subscriber)}")
    assert says in page.text
    assert (f'href="/u/{link(subscriber)}"' in page.text) == (who != "carol")
    assert ("저장" in page.text) == (who == "ada")
    assert page.headers["Cache-Control"] == "no-store"


def test_no_page_tells_whose_link_it_is(visitor: Visitor, ada: Subscriber) -> None:
    for path, form in ((f"/manage/{link(ada)}", settings()), (f"/manage/{link(ada)}/account", {}),
                       (f"/u/{link(ada)}", {})):
        assert "ada" not in visitor.get(path).text + visitor.post(path, form).text


@pytest.mark.parametrize("frequency", ["daily", "weekly", "both"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_reader_chooses_how_often_and_in_which_language(visitor: Visitor, ada: Subscriber, frequency: str,
                                                          language: str) -> None:
    path = f"/manage/{link(ada)}"
    saved = visitor.post(path, settings(frequency=frequency, language=language))
    assert (saved.status_code, saved.headers["Content-Language"]) == (200, language)
    assert re.findall(r'value="(\w*)" checked', saved.text) == [frequency, language, ""]
    assert (now_of(ada).frequency, now_of(ada).language) == (frequency, language)
    other = "en" if language == "ko" else "ko"
    assert visitor.get(f"/u/{link(ada)}", Accept_Language=other).headers["Content-Language"] == language


@pytest.mark.parametrize("days", subscription.PAUSES)
def test_a_reader_pauses_sees_until_when_and_ends_it(visitor: Visitor, config: Config, ada: Subscriber,
                                                     days: int) -> None:
    path, today = f"/manage/{link(ada)}", local_day(datetime.now(UTC), config.site.timezone)
    paused = visitor.post(path, settings(language="en", pause=str(days)))
    until = now_of(ada).paused_until
    assert until - today in (timedelta(days=days), timedelta(days=days + 1))    # today's may be out
    assert f"mails come again from {until:%A}, {until.day} {until:%B}" in paused.text

    visitor.post(path, settings(language="en", frequency="both"))
    assert (now_of(ada).paused_until, now_of(ada).frequency) == (until, "both")
    assert "come again" not in visitor.post(path, settings(language="en", pause="0")).text
    assert now_of(ada).paused_until is None


def test_who_pauses_after_todays_issue_misses_no_fewer(visitor: Visitor, config: Config,
                                                       ada: Subscriber) -> None:
    today = local_day(datetime.now(UTC), config.site.timezone)
    an_issue(day=today)
    visitor.post(f"/manage/{link(ada)}", settings(pause="7"))
    assert now_of(ada).paused_until == today + timedelta(days=8)


def test_who_reads_on_mondays_is_told_of_a_monday(config: Config, ada: Subscriber) -> None:
    ada.frequency, ada.language, ada.paused_until = "weekly", "en", date(2026, 11, 26)
    ada.save()
    page = subscription.manage(Visit(config, "en", NOW), link(ada))
    assert "mails come again from Monday, 30 November" in page
    assert "Until 30 November" in page


def test_a_pause_that_is_over_is_not_told_any_more(visitor: Visitor, ada: Subscriber) -> None:
    ada.paused_until = date(2020, 1, 1)
    ada.save()
    page = visitor.get(f"/manage/{link(ada)}").text
    assert ("지금은 쉬고" in page, "쉬지 않음" in page) == (False, True)


@pytest.mark.parametrize("form", [
    "", "frequency=daily", "language=ko", "frequency=daily&language=", "frequency=daily&language=fr",
    "frequency=hourly&language=ko", "frequency=daily&language=%C7%D1%B1%B9", "frequency=daily&language=ko%00",
    "frequency=daily&language=en&pause=8", "frequency=daily&language=en&pause=-7",
    "frequency=daily&language=en&pause=" + "9" * 30])
def test_a_choice_that_is_none_of_ours_is_refused_whole(visitor: Visitor, ada: Subscriber, form: str) -> None:
    before = everything()
    assert visitor.post(f"/manage/{link(ada)}", form).status_code == 400
    assert everything() == before


@pytest.mark.parametrize("who", ["bob", "carol"])
def test_who_does_not_read_has_nothing_to_choose(visitor: Visitor, request: pytest.FixtureRequest,
                                                 who: str) -> None:
    subscriber = request.getfixturevalue(who)
    before = everything()
    answer = visitor.post(f"/manage/{link(subscriber)}", settings(frequency="both", pause="7"))
    assert (answer.status_code, "저장했습니다" in answer.text) == (200, False)
    assert everything() == before


def test_a_site_without_a_weekly_issue_does_not_offer_one(config: Config, ada: Subscriber) -> None:
    daily = replace(config, digest=replace(config.digest, weekly=False))
    with visiting(daily) as visitor:
        path = f"/manage/{link(ada)}"
        assert 'name="frequency"' not in visitor.get(path).text
        assert visitor.post(path, {"language": "en"}).status_code == 200
    assert (now_of(ada).frequency, now_of(ada).language) == ("daily", "en")


def test_who_chose_the_weekly_mail_may_leave_it_where_there_is_none_any_more(config: Config,
                                                                            ada: Subscriber) -> None:
    ada.frequency = "weekly"
    ada.save()
    daily = replace(config, digest=replace(config.digest, weekly=False))
    with visiting(daily) as visitor:
        page = visitor.get(f"/manage/{link(ada)}").text
        assert re.findall(r'name="frequency" value="(\w+)"', page) == ["daily", "weekly"]
        assert visitor.post(f"/manage/{link(ada)}", settings(frequency="daily")).status_code == 200
    assert now_of(ada).frequency == "daily"


# confirming

def test_a_subscription_begins_with_the_button_and_not_before(visitor: Visitor, bob: Subscriber) -> None:
    path = f"/confirm/{a_confirmation(bob)}"
    page = visitor.get(path)
    assert re.findall(r'<form method="post" action="([^"]*)"', page.text) == [path]
    assert state(bob) == "pending"
    begun = visitor.ask("POST", path, headers={"User-Agent": "Browser/2"})
    assert (begun.status_code, state(bob), begun.headers["Cache-Control"]) == (200, "active", "no-store")
    assert "<form" not in visitor.get(path).text
    assert visitor.post(path).text == begun.text
    [proof] = Consent.select().where(Consent.subscriber == bob, Consent.given.is_null(False))
    assert (proof.given_from, proof.given_by) == ("127.0.0.1", "Browser/2")


def test_who_has_confirmed_can_begin_to_read(visitor: Visitor, bob: Subscriber) -> None:
    a_week()
    page = visitor.post(f"/confirm/{a_confirmation(bob)}").text
    assert page.count("<h3>") == 5
    assert "결제 서버의 p99를" in page
    assert re.search(r'<a href="/issues/2026-11-21">글 6편 모두 보기', page)


def test_a_confirmation_that_is_too_old_changes_nothing(visitor: Visitor, bob: Subscriber) -> None:
    token = subscribers.new_confirmation(bob, datetime.now(UTC) - timedelta(hours=49))
    for method in ("GET", "POST"):
        answer = visitor.ask(method, f"/confirm/{token}")
        assert (answer.status_code, "48시간" in answer.text) == (404, True)
    assert state(bob) == "pending"


def test_a_link_to_confirm_is_good_for_nothing_else(visitor: Visitor, bob: Subscriber) -> None:
    token = a_confirmation(bob)
    for path in (f"/account/{token}", f"/account/move/{token}", f"/manage/{token}", f"/u/{token}"):
        assert visitor.get(path).status_code == 404


def test_who_left_does_not_come_back_by_an_old_confirmation(visitor: Visitor, bob: Subscriber) -> None:
    path = f"/confirm/{a_confirmation(bob)}"
    visitor.post(path)
    visitor.post(f"/u/{link(bob)}")
    assert visitor.get(path).status_code == 404
    assert (visitor.post(path).status_code, state(bob)) == (404, "cancelled")


def test_who_takes_a_request_back_gets_no_mail_that_asks(visitor: Visitor, config: Config,
                                                         bob: Subscriber) -> None:
    subscribers.queue(bob, subscribers.CONFIRM, datetime.now(UTC))
    assert set(new_mails(config)) == {bob.email}
    subscribers.queue(bob, subscribers.CONFIRM, datetime.now(UTC))
    visitor.post(f"/u/{link(bob)}")
    assert new_mails(config) == {}


# Saturday 21 November in Seoul, where mails go out from 10 to 20 o'clock, and on Mondays what was read most
@pytest.mark.parametrize(("hour", "frequency", "issued", "first"), [
    (9, "daily", "", "Saturday, 21 November"), (11, "daily", "", "Saturday, 21 November"),
    (11, "daily", "daily", "Sunday, 22 November"), (21, "daily", "", "Sunday, 22 November"),
    (9, "both", "", "Saturday, 21 November"), (9, "weekly", "", "Monday, 23 November"),
    (11 + 48, "weekly", "", "Monday, 23 November"), (11 + 48, "weekly", "weekly", "Monday, 30 November"),
    (21 + 48, "weekly", "", "Monday, 30 November")])
def test_the_page_says_when_the_first_mail_comes(config: Config, bob: Subscriber, hour: int, frequency: str,
                                                 issued: str, first: str) -> None:
    now = NOW + timedelta(hours=hour - 9)
    if issued:
        Issue.create(kind=issued, day=local_day(now, config.site.timezone), created=now, state="empty")
    bob.frequency, bob.language, bob.state, bob.confirmed = frequency, "en", "active", now
    bob.save()
    page = subscription.ask_to_confirm(Visit(config, "ko", now), subscribers.new_confirmation(bob, now))
    assert re.search(r"first mail comes on (\w+, \d+ \w+)\.", page)[1] == first
