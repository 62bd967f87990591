"""Files that may be absent, tools that may not answer."""
from pathlib import Path

import pytest
from machines import a_machine, says

from devdigest.machine import ToolError


def test_a_file_is_read_without_the_end_of_its_line(tmp_path: Path) -> None:
    machine = a_machine(tmp_path, {"proc/version": "Linux\n"})
    assert (machine.text("proc/version"), machine.has("proc/version")) == ("Linux", True)
    assert (machine.text("proc/none"), machine.has("proc/none"), machine.text("proc")) == ("", False, "")


def test_a_tool_is_given_its_arguments_and_says_something(tmp_path: Path) -> None:
    machine = a_machine(tmp_path, tools={"vcgencmd": 'echo "got $1"'})
    assert machine.ask("vcgencmd", "get_throttled") == "got get_throttled"


@pytest.mark.parametrize(("script", "words"), [
    ("echo 'no bus' >&2; exit 1", "systemctl: no bus"), ("exit 3", "systemctl: exit status 3"),
    (None, "there is no systemctl here")])
def test_a_tool_that_fails_says_why(tmp_path: Path, script: str | None, words: str) -> None:
    machine = a_machine(tmp_path, tools={"systemctl": script} if script else {})
    with pytest.raises(ToolError, match=f"^{words}$"):
        machine.ask("systemctl", "show")


def test_words_with_quotes_are_said_as_they_stand(tmp_path: Path) -> None:
    assert a_machine(tmp_path, tools={"tool": says("it's $HOME")}).ask("tool") == "it's $HOME"
