"""Documents with some of their entries, as small as feedparser is to get them: with root and header.

By scan.py's measure feedparser makes of an entry the same, whichever others stand beside it.
"""
from collections.abc import Iterable, Iterator, Sequence

from devdigest.scan import Scanned


def portions(source: bytes, entries: Sequence[Scanned], wanted: Sequence[int],
             size: int) -> Iterator[tuple[list[int], bytes]]:
    """Places of `wanted` in their order, about `size` bytes of entries at a time, and a document of those."""
    outside = len(source) - sum(entry.end - entry.begin for entry in entries)
    # what stands outside is read each time
    for places in _together(entries, wanted, max(size, 4 * outside)):
        yield places, _of(source, entries, set(places))


def _together(entries: Sequence[Scanned], wanted: Iterable[int], size: int) -> Iterator[list[int]]:
    places, bytes_so_far = list[int](), 0
    for place in wanted:
        places.append(place)
        bytes_so_far += entries[place].end - entries[place].begin
        if bytes_so_far >= size:
            yield places
            places, bytes_so_far = [], 0
    if places:
        yield places


def _of(source: bytes, entries: Sequence[Scanned], places: set[int]) -> bytes:
    whole, kept, end = memoryview(source), list[memoryview](), 0
    for place, entry in enumerate(entries):
        if place not in places:
            kept.append(whole[end:entry.begin])
            end = entry.end
    return b"".join((*kept, whole[end:]))
