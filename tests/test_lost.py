"""What the owner hears of a database that is lost, by a real relay; and that it ends with a restore."""
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from relay import FakeRelay, free_port

from devdigest import lost
from devdigest.config import Config

FACT = "devdigest.db is damaged"
HOUR, WEEK = 3600, 7 * 86_400


@pytest.fixture
def mailed(by_relay: Config) -> Config:
    return replace(by_relay, site=replace(by_relay.site, owner="owner@example.org"))


def aged(config: Config, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(lost.note_of(Path(config.database.path)), (then, then))


def test_the_owner_is_told_once_and_again_after_a_week(mailed: Config, relay: FakeRelay) -> None:
    for _ in range(3):
        lost.tell_owner(mailed, "", FACT)
    assert [recipient for _, recipient, _ in relay.messages] == ["owner@example.org"]
    assert FACT.encode() in relay.messages[0][2]
    aged(mailed, WEEK + 1)
    lost.tell_owner(mailed, "", FACT)
    assert len(relay.messages) == 2


def test_where_no_relay_took_it_the_next_try_is_an_hour_later(mailed: Config, relay: FakeRelay) -> None:
    lost.tell_owner(replace(mailed, mail=replace(mailed.mail, port=free_port())), "", FACT)
    lost.tell_owner(mailed, "", FACT)
    assert relay.messages == []
    aged(mailed, HOUR + 1)
    lost.tell_owner(mailed, "", FACT)
    assert len(relay.messages) == 1


def test_without_an_owner_nothing_is_noted(mailed: Config, relay: FakeRelay) -> None:
    lost.tell_owner(replace(mailed, site=replace(mailed.site, owner="")), "", FACT)
    assert (relay.messages, lost.note_of(Path(mailed.database.path)).exists()) == ([], False)
