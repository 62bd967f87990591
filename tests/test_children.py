"""What the installer is told by the programs that it runs, and in which words it passes a failure on."""
import sys

import pytest
from installer.children import ask, must
from installer.tell import Refused


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


def test_a_program_that_takes_too_long_is_ended_and_named() -> None:
    assert ask("sleep", "30", seconds=0.1) == (124, "sleep: no answer in 0 s")


def test_a_program_that_is_not_there_is_named() -> None:
    assert ask("no-such-program") == (127, "no-such-program: no such program")


@pytest.mark.parametrize(("printed", "reason"), [
    ("ERROR: No matching distribution\n[notice] a new release of pip", "ERROR: No matching distribution"),
    ("something\nthe last word", "the last word"), ("", "exit status 3")])
def test_of_a_failed_program_the_line_that_tells_why_is_passed_on(printed: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        must("look", *python(f"import sys; print({printed!r}, file=sys.stderr); sys.exit(3)"))
    assert str(refused.value).endswith(f": {reason}")
    assert refused.value.cure == "look"


def test_nothing_is_asked_at_the_terminal_and_more_may_be_told_in_the_environment() -> None:
    said = "import os, sys; print(sys.stdin.read(), os.environ['MORE'], os.environ['DEBIAN_FRONTEND'])"
    assert ask(*python(said), MORE="more") == (0, " more noninteractive\n")
