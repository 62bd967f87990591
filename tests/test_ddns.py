"""The name's address: a try at a provider on loopback, what the updater makes of each answer, its files."""
import json
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dyndns import LOGIN, OWN, SECRET, Dyndns
from installer import ddns, public_address, updater
from installer.answers import Answers
from installer.layout import Layout
from installer.providers import Account, Verdict, base_of, fetch, register
from installer.updater import State, turn
from machines import dripping

NAMES = {"dyndns2": "ada.example.org", "noip": "ada.ddns.net", "duckdns": "ada.duckdns.org",
         "freedns": "ada.mooo.com", "dynv6": "ada.dynv6.net", "cloudflare": "blog.ada.example.org"}
ELSEWHERE = "8.8.8.8"
DAY = 24 * 3600.0


@pytest.fixture
def provider() -> Iterator[Dyndns]:
    with Dyndns() as server:
        yield server


def account(provider: Dyndns, kind: str = "dyndns2", secret: str = SECRET) -> Account:
    return Account(kind, NAMES[kind], secret, LOGIN, provider.url, "DevDigest/0.1.0 ada@example.org")


def answers(provider: Dyndns, **given: str) -> Answers:
    return Answers(**{"name": NAMES["dyndns2"], "ddns": "dyndns2", "ddns_server": provider.url,
                      "ddns_user": LOGIN, "owner": "ada@example.org", **given})


@pytest.mark.parametrize("kind", NAMES)
def test_every_provider_takes_an_address_then_a_new_one_and_the_same_again(
        provider: Dyndns, kind: str) -> None:
    for address in (OWN, ELSEWHERE, ELSEWHERE):
        answer = register(account(provider, kind), address)
        assert (answer.verdict, provider.world.registered) == (Verdict.GOOD, address), answer.words


@pytest.mark.parametrize("kind", NAMES)
def test_a_wrong_secret_is_refused_in_the_providers_words_without_the_secret(
        provider: Dyndns, kind: str) -> None:
    answer = register(account(provider, kind, "wr0ng-secret"), OWN)
    assert answer.verdict is Verdict.REFUSED
    assert answer.words
    assert "wr0ng-secret" not in answer.words
    assert not provider.world.registered


@pytest.mark.parametrize(("mode", "verdict"), [
    ("nohost", Verdict.REFUSED), ("abuse", Verdict.REFUSED), ("badauth", Verdict.REFUSED),
    ("911", Verdict.LATER), ("dnserr", Verdict.LATER), ("500", Verdict.LATER), ("babble", Verdict.LATER)])
def test_what_the_owner_must_mend_is_told_from_what_passes(
        provider: Dyndns, mode: str, verdict: Verdict) -> None:
    provider.world.mode = mode
    assert register(account(provider), OWN).verdict is verdict


def test_a_provider_that_is_not_there_is_asked_later() -> None:
    with Dyndns() as gone:
        nobody = account(gone)
    answer = register(nobody, OWN)
    assert answer.verdict is Verdict.LATER
    assert "127.0.0.1 does not answer" in answer.words


def test_a_provider_that_answers_byte_by_byte_is_not_listened_to_for_ever() -> None:
    begun = time.monotonic()
    with dripping() as (host, port), pytest.raises(TimeoutError, match=r"within 0.3 s"):
        fetch(f"http://{host}:{port}/", seconds=0.3)
    assert time.monotonic() - begun < 2


def test_what_is_no_http_is_told_in_plain_letters_and_without_the_secret() -> None:
    with dripping(f"\x1b[2J {SECRET}\r\n".encode()) as (host, port):
        said = register(Account("dyndns2", "digest.example.org", SECRET, "ada", f"http://{host}:{port}"),
                        "203.0.113.7")
    assert said.verdict is Verdict.LATER
    assert said.words.isprintable()
    assert SECRET not in said.words


def test_the_program_and_its_owner_are_named_as_dyndns2_wants(provider: Dyndns) -> None:
    register(account(provider), OWN)
    assert provider.world.agents == ["DevDigest/0.1.0 ada@example.org"]


@pytest.mark.parametrize("server", ["http://update.example.org", "https://ada@update.example.org",
                                    "update.example.org?x=1", "https://"])
def test_a_password_is_sent_nowhere_in_plain_text(server: str) -> None:
    with pytest.raises(ValueError, match=r"https|expected a name"):
        base_of(server)


def test_a_dyndns2_server_is_a_name_or_a_url() -> None:
    assert base_of("update.example.org") == "https://update.example.org"
    assert base_of("https://example.org/dyn/") == "https://example.org/dyn"


def test_one_try_shows_what_the_provider_says(provider: Dyndns) -> None:
    own = (f"{provider.url}/ip",)
    assert ddns.try_once(answers(provider), SECRET, own) == (
        True, f"{provider.url} says: good {OWN}")
    ok, words = ddns.try_once(answers(provider), "wrong", own)
    assert (ok, words) == (False, f"{provider.url} says: badauth")


def test_without_its_own_address_nothing_is_registered(provider: Dyndns) -> None:
    provider.world.own = "192.168.0.23"
    ok, words = ddns.try_once(answers(provider), SECRET, (f"{provider.url}/ip",))
    assert not ok
    assert "own address is not known" in words
    assert "192.168.0.23" in words
    assert provider.world.asked == ["/ip"]


@pytest.mark.parametrize(("given", "words"), [
    ({"ddns": "dnsomatic"}, "expected one of router, duckdns"),
    ({"ddns_user": ""}, "needs the user name"),
    ({"ddns_server": "http://example.org"}, "without https"),
])
def test_what_is_missing_is_said_before_anybody_is_asked(
        provider: Dyndns, given: dict[str, str], words: str) -> None:
    ok, said = ddns.try_once(answers(provider, **given), SECRET, (f"{provider.url}/ip",))
    assert not ok
    assert words in said
    assert not provider.world.asked


def test_two_voices_are_needed_for_a_new_address(provider: Dyndns) -> None:
    with Dyndns() as other:
        both = (f"{provider.url}/ip", f"{other.url}/ip")
        assert public_address.ask(both) == OWN
        assert public_address.ask(both, known=OWN) == OWN
        assert len(other.world.asked) == 1, "a known address needs no second voice"
        other.world.own = ELSEWHERE
        with pytest.raises(public_address.Unknown, match=ELSEWHERE):
            public_address.ask(both)
    assert public_address.ask(both) == OWN, "the other one is silent"


def test_an_address_is_registered_once_and_again_only_when_it_changed(provider: Dyndns) -> None:
    state = turn(account(provider), State(), OWN, set(), 100.0)
    assert state.verdict == "good"
    assert turn(account(provider), state, OWN, set(), 400.0) == state
    state = turn(account(provider), state, ELSEWHERE, {OWN}, 700.0)
    assert provider.world.registered == state.address == ELSEWHERE
    assert len(provider.world.asked) == 2


def test_a_name_that_points_here_already_is_left_alone(provider: Dyndns) -> None:
    state = turn(account(provider), State(), OWN, {OWN}, 100.0)
    assert (state.verdict, state.address, provider.world.asked) == ("good", OWN, [])


def test_a_name_that_went_astray_is_registered_again_after_six_hours(provider: Dyndns) -> None:
    state = turn(account(provider), State(), OWN, set(), 0.0)
    assert turn(account(provider), state, OWN, {ELSEWHERE}, 5 * 3600.0) == state
    assert turn(account(provider), state, OWN, {ELSEWHERE}, 7 * 3600.0).at == 7 * 3600.0


def test_a_refusal_is_repeated_once_a_day_and_at_once_when_the_settings_change(provider: Dyndns) -> None:
    wrong, now, state = account(provider, secret="wrong"), 0.0, State()
    for now in range(0, 2 * int(DAY), 300):
        state = turn(wrong, state, OWN, set(), float(now))
    assert len(provider.world.asked) == 2
    state = turn(account(provider), state, OWN, set(), now + 300.0)
    assert state.verdict == "good"


@pytest.mark.parametrize(("mode", "most"), [("911", 4), ("500", 6)])
def test_a_provider_in_trouble_is_asked_ever_more_seldom_and_heals_within_the_hour(
        provider: Dyndns, mode: str, most: int) -> None:
    provider.world.mode, state = mode, State()
    for now in range(0, 2 * 3600, 300):
        state = turn(account(provider), state, OWN, set(), float(now))
    assert 3 <= len(provider.world.asked) <= most
    provider.world.mode = "good"
    for now in range(2 * 3600, 3 * 3600 + 301, 300):
        state = turn(account(provider), state, OWN, set(), float(now))
    assert state.verdict == "good"


def test_a_name_is_touched_before_a_month_has_passed(provider: Dyndns) -> None:
    state = turn(account(provider), State(), OWN, {OWN}, 0.0)
    state = turn(account(provider), state, OWN, {OWN}, 26 * DAY)
    assert len(provider.world.asked) == 1


def test_the_files_are_roots_alone_and_the_updater_reads_what_was_written(
        provider: Dyndns, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout, own = Layout(tmp_path), (f"{provider.url}/ip",)
    assert ddns.write(layout, answers(provider), SECRET, own) == ["devdigest-ddns.timer"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in layout.ddns.iterdir()} == {0o600}
    assert stat.S_IMODE(layout.ddns.stat().st_mode) == 0o700
    assert SECRET not in (layout.ddns / "settings").read_text(encoding="utf-8")
    for _ in range(2):
        updater.run(layout.ddns, tmp_path / "state.json")
    assert provider.world.registered == OWN
    said = capsys.readouterr()
    assert said.err == f"<5>ada.example.org: good {OWN}\n", "a line where something changed"
    told = {"verdict": "good", "words": f"good {OWN}", "address": OWN, "blind": ""}
    assert [json.loads(line) for line in said.out.splitlines()] == [told] * 2, "for check, at every turn"


def test_the_journal_hears_once_that_the_own_address_is_not_known_and_once_that_it_is(
        provider: Dyndns, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout, memory = Layout(tmp_path), tmp_path / "state.json"
    ddns.write(layout, answers(provider), SECRET, (f"{provider.url}/ip",))
    updater.run(layout.ddns, memory)
    for own in ("", "", OWN, OWN):
        provider.world.own = own
        updater.run(layout.ddns, memory)
    said = capsys.readouterr().err.splitlines()
    assert [line[:3] for line in said] == ["<5>", "<4>", "<5>"]
    assert sum("/nic/update" in path for path in provider.world.asked) == 1, "nothing was registered for it"


def test_by_hand_nothing_is_waited_for(provider: Dyndns, tmp_path: Path) -> None:
    layout, memory = Layout(tmp_path), tmp_path / "state.json"
    ddns.write(layout, answers(provider), "wrong", (f"{provider.url}/ip",))
    for by_hand in (False, False, True):
        updater.run(layout.ddns, memory, by_hand)
    assert sum("/nic/update" in path for path in provider.world.asked) == 2


def test_a_second_writing_without_a_secret_keeps_the_one_that_is_there(
        provider: Dyndns, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    ddns.write(layout, answers(provider), SECRET)
    ddns.write(layout, replace(answers(provider), name="bob.example.org"), "")
    assert ddns.saved_secret(layout) == SECRET
    assert updater.read_account(layout.ddns)[0].name == "bob.example.org"


@pytest.mark.parametrize("kind", ["router", "none"])
def test_where_nothing_has_to_run_nothing_of_it_is_left(provider: Dyndns, tmp_path: Path, kind: str) -> None:
    layout = Layout(tmp_path)
    ddns.write(layout, answers(provider), SECRET)
    assert ddns.write(layout, answers(provider, ddns=kind), "") == []
    assert not list(layout.units.iterdir())
    assert not layout.ddns.exists()
    assert ddns.try_once(answers(provider, ddns=kind), "")[0]


@pytest.mark.parametrize(("name", "kind"), [("ada.iptime.org", "router"), ("ada.duckdns.org", "duckdns"),
                                            ("Ada.Mooo.com", "freedns"), ("ada.example.org", "")])
def test_the_ending_of_a_name_tells_who_keeps_it(name: str, kind: str) -> None:
    assert ddns.suggested(name) == kind


@pytest.mark.parametrize(("name", "noted"), [("ada.mooo.com", True), ("ada.iptime.org", True),
                                             ("ada.duckdns.org", False), ("ada.example.org", False),
                                             ("", False)])
def test_the_owner_hears_where_a_zones_certificates_are_shared(name: str, noted: bool) -> None:
    assert bool(ddns.note(Answers(name=name))) is noted
