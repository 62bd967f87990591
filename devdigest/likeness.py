"""By what an entry is known to be a post that is stored already: eight bytes over all that tells it apart."""
import hashlib
from datetime import UTC, date, datetime

_SIZE = 8       # bytes of each
JOINT = "\n"    # between a shared guid and the title in a stored one; no guid, link or title holds it


def likeness(guid: str, link: str, title: str, published: str) -> bytes:
    """Equal where all four are; `published` as it is stored, or ""."""
    told = JOINT.join((guid, link, title, published))
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()


def apart(together: bytes) -> frozenset[bytes]:
    """Likenesses that stand one after the other."""
    return frozenset(together[place:place + _SIZE] for place in range(0, len(together), _SIZE))


def stored(published: datetime | date | None) -> str:
    """The declared date as `columns.WhenField` stores it."""
    if isinstance(published, datetime):
        return published.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return published.isoformat() if published else ""
