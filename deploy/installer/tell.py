"""Lines for the owner on an SSH terminal: 80 columns, signs with words, nothing that scrolls away."""
import sys
import textwrap
from typing import TextIO

OK, WARN, FAIL = "ok", "warn", "FAIL"
_FELT = 2           # seconds
_COLUMNS = 80


class Refused(Exception):
    """What cannot be done, and why; `cure` is one thing to do. Nothing half done is left behind."""

    def __init__(self, what: str, cure: str, status: int = 1) -> None:
        super().__init__(what)
        self.cure, self.status = cure, status


def line(state: str, name: str, fact: str, cure: str = "", stream: TextIO | None = None) -> None:
    """` ok    relay     TLS, logged in`, and below it the cure."""
    stream = stream or sys.stdout
    fact, cure = _plain(fact), _plain(cure)
    # a fact is wrapped, a cure is not: it may be a command, to be copied
    head = f" {state:<5} {name:<9} "
    print(textwrap.fill(fact, _COLUMNS, initial_indent=head, subsequent_indent=" " * len(head),
                        break_long_words=False, break_on_hyphens=False) if fact else head, file=stream)
    if cure:
        print(f"       → {cure}", file=stream)
    stream.flush()


def _plain(text: str) -> str:
    """A relay or a provider may be quoted, and must not steer root's terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def timed(state: str, name: str, fact: str, seconds: float) -> None:
    """The same, and at the end of the line how long it took, where that was felt."""
    line(state, name, fact if seconds < _FELT else f"{fact}, {seconds:.0f} s")
