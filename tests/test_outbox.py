"""When a row of the outbox is due again, and when it is not worth another try."""
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import NOW
from desk import SEOUL
from relay import ScriptedRelay, settings
from test_deliver import TEN, published, row, send

from devdigest import subscribers
from devdigest.config import Config
from devdigest.readers import Delivery

pytestmark = pytest.mark.usefixtures("records")

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_a_mail_whose_content_was_refused_is_due_again_only_after_an_hour(config: Config) -> None:
    with ScriptedRelay({".": ["554 5.7.1 looks like spam", "250 queued"]}) as relay:
        config = replace(config, mail=settings(relay, connections=1))
        published(config, "ada")
        assert send(config).states == {"queued": 1}
        assert row("ada").due - row("ada").changed == HOUR
        assert send(config, TEN + HOUR - MINUTE).rows == 0
        assert send(config, TEN + HOUR + MINUTE).states == {"sent": 1}
        assert len(relay.messages) == 2


@pytest.mark.parametrize(("age", "state"), [
    (44 * HOUR - MINUTE, "waiting"),        # the next try, four hours later, is still within the 48
    (44 * HOUR + MINUTE, "given_up"),
])
def test_a_confirmation_is_tried_no_longer_than_its_first_link_is_good(by_relay: Config, age: timedelta,
                                                                       state: str) -> None:
    subscribers.add("full@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
    Delivery.update(attempts=2, state="waiting").execute()
    assert send(by_relay, NOW + age).states == {state: 1}
    assert row("full").reply.startswith("452 4.2.2")


def test_a_confirmation_that_was_given_up_is_left_alone(by_relay: Config) -> None:
    subscribers.add("full@example.org", NOW, SEOUL, confirmed=False, source="", language="ko")
    assert send(by_relay, NOW + 48 * HOUR).states == {"given_up": 1}
    assert send(by_relay, NOW + 96 * HOUR).rows == 0
