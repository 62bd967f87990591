"""One line of `check`: what was looked at, how it stands, and the cure."""
from dataclasses import dataclass

from devdigest.text import excerpt, tidy

OK, WARN, RED = "ok", "warn", "RED"
NOT_ASKED = "–"             # it stands on something that failed, or there is no such thing here
IGNORED = "ignored"         # warn or RED, but the owner knows: check.ignore
_LONGEST = 1_000            # characters


@dataclass(frozen=True)
class Finding:
    """`cure` is what to type or do, "" where nothing is wrong."""
    name: str
    state: str
    fact: str
    cure: str = ""

    def __post_init__(self) -> None:
        # it may quote a stranger, and goes to a terminal and into a mail
        object.__setattr__(self, "fact", excerpt(tidy(self.fact), _LONGEST))
