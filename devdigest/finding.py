"""One line of `check`: what was looked at, how it stands, and the cure."""
from dataclasses import dataclass

OK, WARN, RED = "ok", "warn", "RED"


@dataclass(frozen=True)
class Finding:
    """`cure` is what to type or do, "" where nothing is wrong."""
    name: str
    state: str
    fact: str
    cure: str = ""
