"""Which of its validators a feed is asked with, by what came of it: "both", "etag", "modified" or "none".

Nothing tells beforehand: some servers compare one alone, some say 304 for ever to a date that never changes
although the ETag has (against RFC 9110, 13.2.2). So a 304 is doubted once a week, by asking for all of it at
once, and what hid a post is not sent again; and where both are answered in full, each is tried alone.
"""
from datetime import date

SENDS = ("both", "etag", "modified", "none")
_NEXT = {"both": "etag", "etag": "modified", "modified": "both"}
_DOUBTED_EVERY = 7      # days: for so long at most a post is hidden, at one request more in fourteen


def sent(sends: str, etag: str, modified: str) -> tuple[str, str]:
    """What is sent of the two, "" for what is not."""
    return etag if sends in ("both", "etag") else "", modified if sends in ("both", "modified") else ""


def is_doubted(number: int, day: date) -> bool:
    """Whether a 304 of the blog with this number is doubted that day: another seventh of all each day."""
    return (number + day.toordinal()) % _DOUBTED_EVERY == 0


def after_a_lie(sends: str, etag: str, modified: str) -> str:
    """What to send from now on, after a 304 that hid a post."""
    return "etag" if sends == "both" and etag and modified else "none"


def after_vain(sends: str, had: tuple[str, str], given: tuple[str, str]) -> str:
    """What to send next, after the same document came with the validators `given` to who had it."""
    return _NEXT.get(sends, sends) if all(had) and had == given else sends
