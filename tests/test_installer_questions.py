"""The eight questions, on a terminal that says what a script says, with a real relay to try."""
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import relay as relays
from installer import acceptance, relay_trial
from installer.answers import Answers
from installer.questions import Dialogue
from installer.tell import Refused


class Script:
    """An owner who types these lines; `prompts` is what was asked."""

    def __init__(self, *lines: str) -> None:
        self._lines, self.prompts = iter(lines), []

    def ask(self, prompt: str) -> str:
        self.prompts.append(prompt)
        try:
            return next(self._lines)
        except StopIteration:
            raise EOFError from None

    ask_unseen = ask


@pytest.fixture
def relay() -> Iterator[relays.FakeRelay]:
    with relays.FakeRelay(user="me@example.org", password="secret") as server:
        yield server


def held(*lines: str, known: Answers | None = None) -> tuple[Answers, Dialogue, Script]:
    owner, known = Script(*lines), known or Answers()
    dialogue = Dialogue(owner, known, acceptance.detected(known, "UTC"), "", "")
    return dialogue.hold(), dialogue, owner


def test_a_trial_in_the_house_is_a_few_times_enter() -> None:
    answers, _, owner = held("digest@example.org", "maildir", "", "", "", "")
    assert answers == Answers(sender="digest@example.org", relay="maildir", relay_user="digest@example.org",
                              ddns="none", owner="digest@example.org", blogs="awesome-devblog",
                              zone="Asia/Seoul", language="ko", time="10:00", keep_logs="yes")
    assert len(owner.prompts) == 6          # no login without a relay, nobody to keep a name that is none


def test_a_relay_is_tried_to_its_login_and_asked_about_until_it_is_right(
        relay: relays.FakeRelay, capsys: pytest.CaptureFixture[str]) -> None:
    here = f"{relay.host}:{relay.port}"
    answers, dialogue, _ = held("digest@example.org", "127.0.0.1:1", here, "me@example.org", "wrong", "",
                                "secret", "", "", "", "go")
    assert (answers.relay, answers.relay_user, dialogue.password) == (here, "me@example.org", "secret")
    said = capsys.readouterr().out
    assert "127.0.0.1:1: Connection refused" in said
    assert "535 5.7.8" in said                                          # the relay's reply as it came
    assert 'example.org. TXT "v=spf1 a:127.0.0.1 ~all"' in said
    assert "logged in as me@example.org" in said


def test_an_address_that_cannot_send_is_asked_for_again(capsys: pytest.CaptureFixture[str]) -> None:
    answers, *_ = held("digest@mine.duckdns.org", "digest@example.org", "maildir", "", "", "", "")
    assert answers.sender == "digest@example.org"
    assert "duckdns.org is its provider's" in capsys.readouterr().out


def test_a_question_mark_explains_and_asks_again(capsys: pytest.CaptureFixture[str]) -> None:
    held("?", "digest@example.org", "maildir", "", "", "", "")
    assert "SPF and DKIM" in capsys.readouterr().out


def test_the_summary_takes_a_number_to_change_what_was_found() -> None:
    answers, *_ = held("digest@example.org", "maildir", "", "", "", "3", "08:15", "1", "Europe/Berlin", "go")
    assert (answers.time, answers.zone) == ("08:15", "Europe/Berlin")


def test_asked_again_what_was_answered_stands_in_the_brackets() -> None:
    before = Answers(sender="digest@example.org", relay="maildir", owner="me@example.org", time="07:00")
    answers, _, owner = held("", "", "", "", "", "", known=before)
    assert (answers.sender, answers.owner, answers.time) == ("digest@example.org", "me@example.org", "07:00")
    assert owner.prompts[0] == "1/8  Address the digest is sent from [digest@example.org]: "


def test_an_owner_who_leaves_before_go_has_answered_nothing() -> None:
    with pytest.raises(EOFError):
        held("digest@example.org", "maildir", "", "", "")


def test_a_relay_whose_certificate_names_another_gets_no_password(tmp_path: Path) -> None:
    pem = relays.certificate(tmp_path, "DNS:other.example.org")
    with relays.FakeRelay(certificate=pem) as server, pytest.raises(Refused, match="certificate is not good"):
        relay_trial.greet(server.host, server.port, ssl.create_default_context(cafile=pem), security="tls")


def test_a_relay_with_a_good_certificate_tells_until_when(tmp_path: Path) -> None:
    pem = relays.certificate(tmp_path)
    trusted = ssl.create_default_context(cafile=pem)
    for how in ("tls", "starttls"):
        with (relays.FakeRelay(certificate=pem, starttls=how == "starttls") as server,
              relay_trial.greet(server.host, server.port, trusted, security=how) as line):
            assert relay_trial.certificate(line).startswith("TLS, certificate good until 20")


def test_unattended_a_wrong_password_stops_and_a_relay_that_is_away_does_not(relay: relays.FakeRelay) -> None:
    there = Answers(relay=f"{relay.host}:{relay.port}", relay_user="me@example.org")
    assert relay_trial.verdict(there, "secret")[0] == "ok"
    with pytest.raises(relay_trial.NotLoggedIn):
        relay_trial.verdict(there, "wrong")
    assert relay_trial.verdict(Answers(relay="127.0.0.1:1"), "")[0] == "warn"
