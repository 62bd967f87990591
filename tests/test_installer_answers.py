"""Answers: from where they come, which is believed first, and which cannot be."""
from pathlib import Path

import pytest
from installer import acceptance, answers, options
from installer.answers import Answers
from installer.tell import Refused


def given(*words: str, environ: dict[str, str] | None = None) -> list[dict[str, str]]:
    return options.given(options.parser().parse_args(words), environ or {})


def test_a_flag_counts_before_the_environment_before_the_file_before_what_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "answers"
    file.write_text("DEVDIGEST_TIME=08:00\nDEVDIGEST_ZONE=Europe/Berlin\nDEVDIGEST_LANGUAGE='en'\n")
    sources = given("--answers", str(file), "--time", "06:00",
                    environ={"DEVDIGEST_TIME": "07:00", "DEVDIGEST_ZONE": "Asia/Tokyo", "PATH": "/bin"})
    chosen = answers.first_of([*sources, {"language": "ko", "owner": "me@example.org"}])
    assert chosen == Answers(time="06:00", zone="Asia/Tokyo", language="en", owner="me@example.org")


def test_an_empty_flag_is_an_answer() -> None:
    assert answers.first_of([*given("--name", ""), {"name": "digest.example.org"}]).name == ""


def test_what_was_kept_is_read_again_as_it_was() -> None:
    kept = Answers(sender="digest@example.org", relay="smtp.example.org:587", copy_to="/mnt/a b=c")
    assert answers.first_of([answers.parse(answers.as_text(kept), "answers")]) == kept


@pytest.mark.parametrize("row", ["DEVDIGEST_SENDR=a@example.org", "rm -rf /", "PATH=/tmp"])
def test_a_file_of_answers_is_parsed_and_never_run(row: str) -> None:
    with pytest.raises(Refused, match="line 2") as refused:
        answers.parse(f"# answers\n{row}\n", "answers")
    assert refused.value.status == 2


def test_all_that_is_missing_is_told_together() -> None:
    known = answers.first_of([acceptance.detected(Answers(), "UTC")])
    assert [flag for flag, _ in acceptance.faults(known, "", "")] == ["--sender", "--relay"]


def test_a_sender_at_naver_brings_its_relay_and_login_but_not_its_password() -> None:
    known = Answers(sender="ada@naver.com")
    chosen = answers.first_of([{"sender": known.sender}, acceptance.detected(known, "UTC")])
    assert (chosen.relay, chosen.relay_user, chosen.owner, chosen.zone) == (
        "smtp.naver.com:465", "ada@naver.com", "ada@naver.com", "Asia/Seoul")
    assert [flag for flag, _ in acceptance.faults(chosen, "", "")] == ["--relay-password-file"]
    assert acceptance.faults(chosen, "secret", "") == []


def test_a_trial_needs_no_answer_but_that_it_is_one() -> None:
    known = Answers(relay="maildir")
    assert acceptance.faults(answers.first_of([{"relay": "maildir"}, acceptance.detected(known, "UTC")]),
                             "", "") == []


@pytest.mark.parametrize(("field", "value"), [
    ("sender", "digest@mydigest.duckdns.org"), ("sender", "digest@me.iptime.org"), ("sender", "digest"),
    ("relay", "smtp.example.org:"), ("relay", "smtp.example.org:smtp"), ("name", "https://example.org"),
    ("name", "localhost"), ("owner", "me"), ("zone", "Seoul"), ("language", "fr"), ("time", "10"),
    ("blogs", "gone.yml"),
    ("keep_logs", "maybe")])
def test_an_answer_that_cannot_be_is_refused_with_its_flag(field: str, value: str) -> None:
    good = {"sender": "digest@example.org", "relay": "maildir"}
    chosen = answers.first_of([{field: value}, good, acceptance.detected(Answers(**good), "UTC")])
    assert [flag for flag, _ in acceptance.faults(chosen, "secret", "")] == [answers.flag(field)]


def test_passwords_come_by_file_by_standard_input_or_by_environment(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from a file\n")
    parsed = options.parser().parse_args(["--relay-password-file", str(tmp_path / "password"),
                                          "--ddns-secret-file", "-"])
    assert options.secrets(parsed, iter(["typed\n"]), {}) == ("from a file", "typed")
    unnamed = options.parser().parse_args([])
    assert options.secrets(unnamed, iter([]), {"DEVDIGEST_SMTP_PASSWORD": "set"}) == ("set", "")


def test_a_password_file_that_is_missing_is_named(tmp_path: Path) -> None:
    parsed = options.parser().parse_args(["--relay-password-file", str(tmp_path / "none")])
    with pytest.raises(Refused, match="none: cannot be read: No such file"):
        options.secrets(parsed, iter([]), {})


@pytest.mark.parametrize("name", [name for name in answers.NAMES if name != "ddns"])
def test_no_answer_may_begin_a_line_of_its_own_in_a_file_of_lines(name: str) -> None:
    good = {"sender": "digest@example.org", "relay": "maildir", "zone": "Asia/Seoul", "language": "ko",
            "blogs": "none", "time": "10:00", "keep_logs": "no", "ddns": "none"}
    asked = Answers(**{**good, name: f"{good.get(name, 'a')}\nDEVDIGEST_OWNER=b@example.org"})
    assert acceptance.faults(asked, "", "")[0][0] == answers.flag(name)
