"""What the owner sees: tables that stay in line with Korean names, progress, JSON."""
import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devdigest.terminal import complain, counts, dump, progress, sheet, table, width, wrapped


@pytest.mark.parametrize(("text", "cells"), [
    ("", 0), ("blog", 4), ("블로그", 6), ("Ａ", 2), ("b로g", 4), ("…", 1)])
def test_a_korean_letter_takes_two_cells(text: str, cells: int) -> None:
    assert width(text) == cells


def test_columns_stay_in_line_whatever_script_they_are_in() -> None:
    rows = [("1", "우아한형제들", "people"), ("12", "Ada", "team")]
    lines = table(rows, ("id", "name", "group")).splitlines()
    assert lines == ["id  name          group",
                     "1   우아한형제들  people",
                     "12  Ada           team"]
    starts = [width(line[:line.rindex(" ")]) for line in lines]
    assert starts == [17, 17, 17]


@pytest.mark.parametrize("letter", ["x", "긴"])
def test_a_long_name_is_cut_but_the_last_column_stands_whole(letter: str) -> None:
    name, reason = table([(letter * 100, "y" * 100)]).split("  ")
    assert name.endswith("…")
    assert 59 <= width(name) <= 60
    assert reason == "y" * 100


def test_a_table_of_nothing_is_empty_and_one_of_numbers_is_none_the_worse() -> None:
    assert table([]) == ""
    assert table([(1, None)]) == "1  None"


def test_numbers_are_told_by_state_and_nothing_is_told_as_none() -> None:
    assert counts({"active": 1978, "paused": 12, "excluded": 0}) == "1,978 active, 12 paused"
    assert counts({"active": 0}) == counts({}) == "none"


def test_a_document_is_json_with_korean_letters_as_they_are() -> None:
    text = dump({"name": "블로그", "when": datetime(2026, 11, 22, tzinfo=UTC)})
    assert json.loads(text) == {"name": "블로그", "when": "2026-11-22 00:00:00+00:00"}
    assert "블로그" in text


def test_a_complaint_goes_to_stderr_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    complain("first\nsecond")
    assert capsys.readouterr() == ("", "devdigest: first\ndevdigest: second\n")


def test_in_a_journal_there_is_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    progress("collect")(1, 2, 0)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_progress_stays_on_one_line() -> None:
    ours, theirs = pty.openpty()
    script = """from devdigest.terminal import progress as p; r = p('collect')
r(1, 2000); r(2, 2000, 1, lambda: '9 lanes, about 4 min left'); r(2000, 2000, 3, lambda: 'all is done')"""
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[1], stderr=theirs, check=True)
    seen = os.read(ours, 1000).decode()
    os.close(ours)
    os.close(theirs)
    assert seen == ("\rcollect: 1 of 2,000\x1b[K"
                    "\rcollect: 2 of 2,000, 1 failed, 9 lanes, about 4 min left\x1b[K"
                    "\rcollect: 2,000 of 2,000, 3 failed\x1b[K\r\n")


def test_a_long_text_goes_on_below_where_it_began() -> None:
    text = "한글로 쓴 긴 " * 8 + "/a/path/that/is/longer/than/all/others/" * 3
    lines = list(wrapped(" ok   disk", text, 12))
    assert [width(line) <= 80 for line in lines] == [True, True, False]
    assert lines[0].startswith(" ok   disk  한글로")
    assert {line[:12] for line in lines[1:]} == {" " * 12}
    assert list(wrapped(" ok   disk", "", 12)) == [" ok   disk"]


def test_a_command_is_never_parted() -> None:
    head, command = "x" * 60, "`devdigest blogs list --failing`;"
    assert list(wrapped("blogs", f"{head} {command} more", 7)) == [f"blogs  {head}", f"       {command} more"]
    assert list(wrapped("blogs", "a ` that opens nothing", 7)) == ["blogs  a ` that opens nothing"]


def test_facts_stand_under_each_other_each_after_its_name() -> None:
    assert sheet([("on", "one"), ("a name", "two " * 20)]).split("\n") == [
        "on      one", "a name  " + " ".join(["two"] * 18), "        two two"]
