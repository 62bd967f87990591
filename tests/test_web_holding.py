"""The link in a preview, over a socket: looking holds nothing, a button does, until the issue is out."""
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import a_blog
from web_site import Visitor, a_post, an_issue, everything, visiting

from devdigest import agenda, holding, tokens
from devdigest.config import Config
from devdigest.memory import BY_LINK, HOLD_REASON, Setting
from devdigest.subscribers import link_key


@pytest.fixture
def config(config: Config) -> Config:
    """In a zone in which it is between 08:00 and 09:00 now."""
    hours = 8 - datetime.now(UTC).hour
    return replace(config, site=replace(config.site, zone=f"Etc/GMT{-hours:+d}"))       # POSIX: east is minus


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(config) as visitor:
        yield visitor


@pytest.fixture
def path(config: Config, records: None) -> str:
    day = agenda.next_issue(config, datetime.now(UTC))
    a_post(a_blog(), "글", day - timedelta(days=1))
    return holding.link(config, day).removeprefix(config.site.url)


def test_looking_holds_nothing(visitor: Visitor, path: str) -> None:
    before = everything()
    for method in ("GET", "HEAD", "GET"):
        answer = visitor.ask(method, path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
    assert "글 1편" in answer.text
    assert "오전 10시" in answer.text
    assert everything() == before


def test_the_button_holds_and_pressing_it_again_changes_nothing(visitor: Visitor, path: str) -> None:
    first = visitor.post(path)
    held = everything()
    again = visitor.post(path)
    assert (first.status_code, again.status_code) == (200, 200)
    assert "sudo devdigest resume" in first.text
    assert (Setting.read(HOLD_REASON), everything()) == (BY_LINK, held)
    assert "<button" not in visitor.get(path).text


def test_a_hold_that_stands_keeps_its_reason(visitor: Visitor, path: str) -> None:
    Setting.hold(datetime(2026, 11, 20, tzinfo=UTC), "60 of 100 mails bounced")
    assert visitor.post(path).status_code == 200
    assert Setting.read(HOLD_REASON) == "60 of 100 mails bounced"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_once_the_issue_is_out_the_link_is_good_no_more(visitor: Visitor, config: Config, path: str,
                                                        method: str) -> None:
    an_issue(day=agenda.next_issue(config, datetime.now(UTC)))
    answer = visitor.ask(method, path)
    assert answer.status_code == 404
    assert "쓸 수 없는 링크입니다" in answer.text
    assert Setting.held_since() is None


@pytest.mark.parametrize("token", ["20261121-x", "x", "0-aaaaaaaaaaaaaaaaaaaa", "%FF", "1", "99999999999999"])
def test_nobody_guesses_it(visitor: Visitor, token: str) -> None:
    for method in ("GET", "POST"):
        assert visitor.ask(method, f"/hold/{token}").status_code == 404
    assert Setting.held_since() is None


def test_no_other_link_of_ours_holds_and_that_of_yesterday_neither(visitor: Visitor, config: Config,
                                                                   path: str) -> None:
    day = agenda.next_issue(config, datetime.now(UTC))
    number = int(day.strftime("%Y%m%d"))
    for purpose in ("link", "unsubscribe", "undo", "delivery"):
        assert visitor.post(f"/hold/{tokens.sign(link_key(), purpose, number)}").status_code == 404
    yesterday = holding.link(config, day - timedelta(days=1)).removeprefix(config.site.url)
    assert visitor.post(yesterday).status_code == 404
    assert Setting.held_since() is None


def test_what_the_owner_follows_in_a_preview_is_not_counted(visitor: Visitor, path: str) -> None:
    before = everything()
    answer = visitor.get("/go/1?uncounted")
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://example.org/1")
    assert visitor.get("/go/0?uncounted").headers["Location"] == "/"
    assert visitor.get("/go/999?uncounted").status_code == 404
    assert everything() == before
