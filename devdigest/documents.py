"""XML → what feedparser makes of it, in as little time and memory as it can. Opens and fetches nothing."""
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import feedparser
import feedparser.api
import feedparser.mixin

from devdigest.text import excerpt, tidy

_MOST_CHARACTERS = 20_000   # that are remembered; a Korean blog has two thousand
# Also within CDATA; no matter, as only a document that cannot be read is cut by it.
_ENTRY = re.compile(rb"<((?:[\w.-]+:)?(?:item|entry))(?=[\s>]).*?</\1\s*>", re.IGNORECASE | re.DOTALL)

# Not the one it prefers, for which it would look in vain at each document.
feedparser.api.PREFERRED_XML_PARSERS[:] = ["devdigest.expat_driver"]


class _Remembering(dict[int, int | str]):
    """A table for `str.translate` that raises no KeyError for each character it leaves alone."""

    def __missing__(self, character: int) -> int:
        if len(self) < _MOST_CHARACTERS:
            self[character] = character
        return character


# A tenth of its time goes into looking for what stands in no text but some of the nineties.
feedparser.mixin._cp1252 = _Remembering(feedparser.mixin._cp1252)


def read(source: bytes) -> dict[str, Any]:
    """What feedparser gives; an entry over which it raises what Python can is left out, by halves."""
    try:
        return _feedparser(source)
    except (MemoryError, SystemError) as error:     # expat's binding has no words for it
        raise MemoryError from error
    except Exception as error:
        halves = list(_readable(_halves(source)))
        if not halves:
            said = excerpt(tidy(str(error)), 100)
            raise ValueError(f"unreadable: {type(error).__name__} {said}") from error
    document = halves[0]
    document["entries"] = [entry for half in halves for entry in half["entries"]]
    return document


def _feedparser(source: bytes) -> dict[str, Any]:
    # A stream: feedparser opens bytes that are the name of a file. Without the URL: it would make guids
    # absolute, and they are to outlive a blog's move to https.
    return feedparser.parse(io.BytesIO(source), sanitize_html=False, resolve_relative_uris=False,
                            response_headers={"content-type": "application/xml; charset=utf-8"})


def _halves(source: bytes) -> list[bytes]:
    """Two documents, each with the channel and half of the entries; none where there are not two."""
    spans = [entry.span() for entry in _ENTRY.finditer(source)]
    if len(spans) < 2:
        return []
    begin, middle, end = spans[0][0], spans[len(spans) // 2][0], spans[-1][1]
    return [source[:middle] + source[end:], source[:begin] + source[middle:]]


def _readable(sources: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for source in sources:
        with suppress(ValueError):
            yield read(source)
