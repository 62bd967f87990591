"""What the owner sees over SSH: aligned tables, one line of progress, JSON for scripts."""
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_SCREEN = 80        # cells, as an SSH terminal has them
_WORD = re.compile(r"[^\s`]*`[^`]+`\S*|\S+")        # a command that is quoted stands whole, to be copied
_COLUMN = 60        # cells; the widest a column gets, but for the last: reasons and addresses stand whole


def table(rows: Sequence[Sequence[Any]], head: Sequence[str] = ()) -> str:
    """Rows in aligned columns; Korean letters take two cells."""
    cells = [[*map(_cut, row[:-1]), str(row[-1])] for row in ([head, *rows] if head else rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell + " " * (wide - width(cell))
                               for cell, wide in zip(row, widths, strict=True)).rstrip() for row in cells)


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cut(cell: Any) -> str:
    text = str(cell)
    while width(text) > _COLUMN:
        text = text[:-2] + "…"
    return text


def wrapped(head: str, text: str, indent: int) -> Iterator[str]:
    """Lines of at most 80 cells: `head`, the text, and the rest of it `indent` cells from the left.

    A word that is longer stands whole, as somebody may want to copy it.
    """
    line = head.ljust(indent)
    for word in _WORD.findall(text):
        if line.strip() and width(line) + width(word) > _SCREEN and line.strip() != head.strip():
            yield line.rstrip()
            line = " " * indent
        line += f"{word} "
    yield line.rstrip()


def sheet(facts: Sequence[tuple[str, str]]) -> str:
    """What is told, each after its name, in lines of at most 80 cells."""
    indent = max(width(name) for name, _ in facts) + 2
    return "\n".join(line for name, text in facts for line in wrapped(name, text, indent))


def dump(document: Any) -> str:
    """One JSON document."""
    return json.dumps(document, ensure_ascii=False, indent=2, default=str)


def counts(numbers: dict[str, int]) -> str:
    """'1,978 active, 12 paused'; 'none' for nothing."""
    return ", ".join(f"{count:,} {name}" for name, count in numbers.items() if count) or "none"


def progress(name: str) -> Callable[..., None]:
    """Reports `done, of, failed …` on one line of a terminal; in a journal it stays silent.

    The fourth, where given, says what is to be said of the rest; it is asked only where that is shown.
    """
    if not sys.stderr.isatty():
        return lambda *_: None

    def report(done: int, of: int, failed: int = 0, rest: Callable[[], str] = str) -> None:
        told = f", {failed:,} failed" if failed else ""
        if done < of and (more := rest()):
            told += f", {more}"
        end = "\n" if done >= of else ""
        print(f"\r{name}: {done:,} of {of:,}{told}\x1b[K", end=end, file=sys.stderr, flush=True)
    return report


def saying(name: str) -> Callable[[str], None]:
    """Says on a terminal what is being done now; in a journal it stays silent."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda doing: print(f"\r{name}: {doing} …\x1b[K", end="\r", file=sys.stderr, flush=True)


def complain(text: str) -> None:
    for line in text.splitlines():
        print(f"devdigest: {line}", file=sys.stderr)
