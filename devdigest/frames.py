"""What goes between `parsing` and its child: frames, each its length and then so many bytes; packed feeds."""
import json
from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter, methodcaller

from devdigest.feed import Entry, Feed

READY, FEED, FAULT = b"R", b"F", b"N"       # what an answer begins with
SIZE = 4                                    # bytes of a length, the highest first


def frame(content: bytes) -> bytes:
    """The content after its length."""
    return len(content).to_bytes(SIZE, "big") + content


_NAMES = [field.name for field in fields(Entry)]
_values = attrgetter(*_NAMES)


def pack(feed: Feed) -> bytes:
    """JSON, as whoever unpacks it need not trust who packed it."""
    return json.dumps([feed.title, feed.site, [_values(entry) for entry in feed.entries]],
                      default=methodcaller("isoformat")).encode()


def unpack(packed: bytes) -> Feed:
    """The feed that `pack` was given."""
    title, site, entries = json.loads(packed)
    return Feed(title, site, tuple(_entry(dict(zip(_NAMES, values, strict=True))) for values in entries))


def _entry(values: dict) -> Entry:
    written = values["published"]
    if written is not None:
        values["published"] = (datetime if "T" in written else date).fromisoformat(written)
    return Entry(**values | {"tags": tuple(values["tags"])})
