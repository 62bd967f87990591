"""When what came back ends in silence: the rules as tables."""
from datetime import date, timedelta

import pytest

from devdigest.feedback import NO_FAULT_OF_THE_READER, Kind
from devdigest.points import Mark, alarm, verdict

TODAY = date(2026, 11, 22)


def mark(kind: Kind, back: int = 0, reason: str = "user-unknown", **values: object) -> Mark:
    return Mark(day=TODAY - timedelta(days=back), kind=kind, reason=reason, **values)


def hard(back: int = 0, status: str = "", **values: object) -> Mark:
    return mark(Kind.HARD, back, **{"reason": "undetermined", "status": status} | values)


def soft(back: int = 0, reason: str = "mailbox-full", **values: object) -> Mark:
    return mark(Kind.SOFT, back, reason, status="5.2.2", **values)


def delivered(back: int = 0, **values: object) -> Mark:
    return mark(Kind.OTHER, back, "delivered", **values)


def week(last: int = 0, days: int = 7) -> list[Mark]:
    """Soft ones on so many days in a row, the last `last` days ago."""
    return [soft(back) for back in range(last + days - 1, last - 1, -1)]


COMPLAINT, OPT_OUT = mark(Kind.COMPLAINT, 0, "abuse"), mark(Kind.UNSUBSCRIBE, 0, "opt-out")


@pytest.mark.parametrize(("history", "reason"), [
    ([], ""),
    # at once
    ([COMPLAINT], "complaint"),
    ([OPT_OUT], "complaint"),
    ([hard(status="5.1.1")], "bounce"),
    ([hard(status="5.1.6")], "bounce"),
    ([hard(status="5.1.10")], "bounce"),
    ([hard(permanent=True)], "bounce"),
    ([hard(9, "5.1.1"), COMPLAINT], "complaint"),
    # on another day
    ([hard(status="5.1.2")], ""),
    ([hard(0, "5.4.4"), hard(0, "5.4.4")], ""),
    ([hard(1, "5.1.2"), hard(0, "5.1.2")], "bounce"),
    ([hard(40, "5.2.1"), hard(0, "5.0.0")], "bounce"),
    ([hard(1), hard(0)], "bounce"),
    ([hard(status="5.1.11")], ""),
    ([hard(status="5.1.16")], ""),
    # a point a day
    (week(), "bounce"),
    (week(days=6), ""),
    ([soft() for _ in range(20)], ""),
    (week(last=23), "bounce"),              # the first is 29 days old
    (week(last=24), ""),
    ([*week(days=6), hard()], ""),          # of the same day
    ([*week(last=1, days=6), hard()], "bounce"),
    # cleared
    ([*week(last=1), delivered(1), soft()], ""),
    ([hard(1, "5.1.2"), delivered(1), hard(0, "5.1.2")], ""),
    ([hard(1, "5.1.1"), delivered()], ""),
    ([COMPLAINT, delivered()], "complaint"),
    ([hard(2), delivered(1), hard(1), hard(0)], "bounce"),
    # our relay accepts what later bounces
    ([hard(1, by_relay=True), delivered(1, by_relay=True), hard(0, by_relay=True)], ""),
    ([hard(1), delivered(1, by_relay=True), hard(0)], "bounce"),
    ([*week(last=1, days=6), delivered(1, by_relay=True), soft()], "bounce"),
    # nobody proves it
    ([hard(status="5.1.1", proven=False)], ""),
    ([hard(permanent=True, proven=False)], ""),
    ([hard(1, proven=False), hard(0)], ""),
    ([mark(Kind.COMPLAINT, 0, "abuse", proven=False)], ""),
    ([mark(Kind.UNSUBSCRIBE, 0, "opt-out", proven=False)], ""),
    ([*week(last=1, days=6), hard(proven=False)], "bounce"),
    ([*week(last=1), delivered(1, proven=False)], "bounce"),
    ([soft(back, proven=False) for back in range(29, -1, -1)], ""),
    ([hard(back, "5.1.1", proven=False) for back in range(29, -1, -1)], ""),
    ([soft(31), *(soft(back, proven=False) for back in range(29, -1, -1))], ""),     # the proven one is old
    ([soft(6), *(soft(back, proven=False) for back in range(5, -1, -1))], "bounce"),
    # says nothing of the reader
    ([mark(Kind.AUTO_REPLY, back, "vacation") for back in range(20)], ""),
])
def test_what_came_back_of_an_address_decides(history: list[Mark], reason: str) -> None:
    assert verdict(history, TODAY) == reason


@pytest.mark.parametrize("reason", NO_FAULT_OF_THE_READER)
@pytest.mark.parametrize("kind", [Kind.HARD, Kind.SOFT])
def test_what_is_no_fault_of_the_reader_costs_no_point(kind: Kind, reason: str) -> None:
    assert verdict([mark(kind, back, reason, status="5.1.1") for back in range(29, -1, -1)], TODAY) == ""


@pytest.mark.parametrize(("mailed", "hard", "complaints", "ours", "said"), [
    (10_000, 500, 30, 500, ""),
    (10_000, 501, 0, 0, "501 of 10,000 mails bounced"),
    (10_000, 0, 31, 0, "31 of 10,000 mails were called spam"),
    (10_000, 0, 0, 501, "501 of 10,000 mails were refused for what we are or how we send"),
    # a few are no sign of anything
    (80, 5, 0, 0, ""),
    (80, 6, 0, 0, "6 of 80 mails bounced"),
    (20, 0, 2, 0, ""),
    (900, 0, 3, 0, "3 of 900 mails were called spam"),
    # but all of a few are
    (3, 3, 0, 0, "3 of 3 mails bounced"),
    (3, 2, 0, 0, ""),
    (1, 1, 1, 0, ""),
    (0, 0, 0, 0, ""),
])
def test_too_much_of_one_issue_is_an_alarm(mailed: int, hard: int, complaints: int, ours: int,
                                           said: str) -> None:
    assert alarm(mailed, hard, complaints, ours) == said
