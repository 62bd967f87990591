"""What becomes of RED: told once it is seen twice, forgotten where it vanishes, over where it stays away."""
from datetime import datetime, timedelta

import pytest
from conftest import NOW

from devdigest import lookout
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.lookout import SURE
from devdigest.memory import HOLD_REASON, Setting
from devdigest.records_check import RESTORE
from devdigest.troubles import AGAIN, Trouble

pytestmark = pytest.mark.usefixtures("records")

HOUR = timedelta(hours=1)
RELAY = Finding("relay", RED, "smtp.example.org: timed out", "mend [mail]")
DISK = Finding("disk", RED, "120 MB free", "make room: 80 MB at least")
WELL = [Finding("relay", OK, "smtp.example.org"), Finding("disk", OK, "3,000 MB free")]


def look(at: datetime, *red: Finding) -> None:
    names = {one.name for one in red}
    lookout.note([*red, *(one for one in WELL if one.name not in names)], at)


def to_tell(now: datetime) -> list[str]:
    return [one.name for one in Trouble.to_tell(now, SURE)]


def test_what_is_red_is_told_once_a_second_look_saw_it_too() -> None:
    look(NOW, RELAY)
    assert to_tell(NOW) == []
    look(NOW + SURE, RELAY)
    assert to_tell(NOW + SURE) == ["relay"]


def test_two_looks_at_one_time_are_one() -> None:
    look(NOW, RELAY)
    look(NOW + SURE - timedelta(seconds=1), RELAY)
    assert to_tell(NOW + SURE) == []


def test_what_a_second_look_does_not_see_never_was() -> None:
    look(NOW, RELAY)
    look(NOW + SURE)
    assert not Trouble.select().exists()


@pytest.mark.parametrize("finding", [Finding("relay", WARN, "slow", "wait"), WELL[0]])
def test_only_red_is_a_trouble(finding: Finding) -> None:
    look(NOW, finding)
    look(NOW + SURE, finding)
    assert not Trouble.select().exists()


def test_a_number_that_changes_is_no_new_trouble_and_the_newest_is_told() -> None:
    for minutes, free in ((0, 120), (15, 90), (75, 60)):
        look(NOW + timedelta(minutes=minutes),
             Finding("disk", RED, f"{free} MB free", f"make room: {200 - free} MB at least"))
    [disk] = Trouble.open()
    assert (disk.fact, disk.since) == ("60 MB free", NOW)


def test_another_thing_to_do_is_another_trouble() -> None:
    look(NOW, DISK)
    look(NOW + SURE, Finding("disk", RED, "cannot be written", "is the card read-only?"))
    assert [one.fact for one in Trouble.open()] == ["cannot be written"]


def test_told_it_is_told_again_only_after_a_week_or_when_it_comes_back() -> None:
    look(NOW, RELAY)
    look(NOW + SURE, RELAY)
    Trouble.update(told=NOW + SURE).execute()
    look(NOW + 2 * HOUR, RELAY)
    assert to_tell(NOW + 2 * HOUR) == []
    assert to_tell(NOW + SURE + AGAIN) == ["relay"]
    look(NOW + 3 * HOUR)
    assert [one.name for one in Trouble.open()] == ["relay"]       # one look without it proves nothing
    look(NOW + 4 * HOUR)
    assert Trouble.open() == []
    assert [one.gone for one in Trouble.over_untold()] == [NOW + 3 * HOUR]
    look(NOW + 5 * HOUR, RELAY)
    look(NOW + 6 * HOUR, RELAY)
    assert to_tell(NOW + 6 * HOUR) == ["relay"]


def test_one_that_comes_and_goes_is_one_trouble() -> None:
    look(NOW, RELAY)
    look(NOW + HOUR, RELAY)
    Trouble.update(told=NOW + HOUR).execute()
    look(NOW + 2 * HOUR)
    look(NOW + 3 * HOUR, RELAY)
    assert (len(Trouble.open()), to_tell(NOW + 3 * HOUR)) == (1, [])


def test_what_was_not_looked_at_is_not_over() -> None:
    look(NOW, RELAY)
    look(NOW + HOUR, RELAY)
    for hours in (2, 3, 4):
        lookout.note([Finding("database", RED, "damaged", "restore")], NOW + hours * HOUR)
        lookout.note([Finding("relay", "–", "no network")], NOW + hours * HOUR)
    assert next(one.name for one in Trouble.open() if one.gone is None) == "relay"


def test_a_check_that_there_is_no_more_ends_its_trouble() -> None:
    look(NOW, RELAY)
    look(NOW + HOUR, RELAY)
    for hours in (2, 3):
        lookout.note([WELL[1]], NOW + hours * HOUR)
    assert Trouble.open() == []


def test_no_address_is_kept_of_what_is_wrong() -> None:
    look(NOW, Finding("mailing", RED, "550 5.1.1 <ada@example.org> unknown\nuser", "devdigest status"))
    assert [one.fact for one in Trouble.open()] == ["550 5.1.1 … unknown user"]


def test_by_a_database_that_a_look_finds_damaged_nobody_is_mailed() -> None:
    look(NOW, Finding("database", RED, "devdigest.db: database is locked", "sudo reboot"))
    assert Setting.held_since() is None
    look(NOW + SURE, Finding("database", RED, "devdigest.db is damaged: page 7", RESTORE))
    assert Setting.held_since() == NOW + SURE
    assert Setting.read(HOLD_REASON) == f"the database is damaged; {RESTORE}"
