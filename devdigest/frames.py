"""What goes between `parsing` and its child: frames, each its length and then so many bytes; packed feeds."""
import json
from datetime import date, datetime
from operator import methodcaller

from devdigest.feed import Entry, Feed

READY, FEED, FAULT = b"R", b"F", b"N"       # what an answer begins with
SIZE = 4                                    # bytes of a length, the highest first


def frame(content: bytes) -> tuple[bytes, bytes]:
    """The content after its length: in two pieces, as it may be megabytes."""
    return len(content).to_bytes(SIZE, "big"), content


def pack(feed: Feed) -> bytes:
    """JSON, as whoever unpacks it need not trust who packed it."""
    return json.dumps(feed, default=methodcaller("isoformat")).encode()


def unpack(packed: bytes) -> Feed:
    """The feed that `pack` was given."""
    title, site, entries = json.loads(packed)
    return Feed(title, site, tuple(_entry(Entry(*values)) for values in entries))


def _entry(packed: Entry) -> Entry:
    written = packed.published
    if written is not None:
        written = (datetime if "T" in written else date).fromisoformat(written)
    return packed._replace(published=written, tags=tuple(packed.tags))
