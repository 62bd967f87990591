"""One line of `check`: what was looked at, how it stands, and the cure."""
from dataclasses import dataclass

OK, WARN, RED = "ok", "warn", "RED"
NOT_ASKED = "–"             # it stands on something that failed, or there is no such thing here
IGNORED = "ignored"         # warn or RED, but the owner knows: check.ignore


@dataclass(frozen=True)
class Finding:
    """`cure` is what to type or do, "" where nothing is wrong."""
    name: str
    state: str
    fact: str
    cure: str = ""
