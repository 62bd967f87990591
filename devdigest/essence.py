"""What of a document can hold news: a hash of it less dates, comments and whatever else a build writes anew.

Where two documents have it in common, every entry has the guid, link, title and text that it had: no post is
new, as a date of its own makes none. So it may be told from bytes, before anybody reads the document.
"""
import base64
import hashlib
import re

from devdigest import __version__

# Nothing that is left out can hold another element, so no entry goes with it, however broken the document or
# whatever its CDATA quotes. All parts are bounded, so that the time is linear.
_VOLATILE = re.compile(rb"""<(?:
    (?:[\w.-]{1,40}:)?
        (?P<name>(?i:lastBuildDate|pubDate|date|updated|published|modified|created|issued|generator|ttl))
        (?:\s[^<>]{0,300})?>
        (?:\s{0,20}<!\[CDATA\[)? [^<]{0,200}
    </(?:[\w.-]{1,40}:)? (?P=name) \s{0,20}>
    | !--[^<]{0,2000}?-->)
    """, re.VERBOSE)
# Held against one other only, the same feed's last one, so few are enough: each blog has one in a row that
# every collect writes.
_BYTES = 6
_JSON_DATE = re.compile(rb'"date_(?:published|modified)"\s{0,20}:\s{0,20}"[^"\\]{0,100}"(?:\s{0,20},)?')


def essence(body: bytes, content_type: str, url: str) -> str:
    """The hash of a feed as it came from `url` (after redirects), to be compared and not understood.

    With the header and the URL, by which characters and links are read; with the release, as a new one may
    see more in the same document.
    """
    salt = "\n".join((__version__, content_type, url, "")).encode("utf-8", "replace")
    volatile = _JSON_DATE if body[:100].lstrip()[:1] == b"{" else _VOLATILE
    kept, end, whole = hashlib.blake2b(salt, digest_size=_BYTES), 0, memoryview(body)
    for part in volatile.finditer(body):        # no copy: it may be megabytes
        kept.update(whole[end:part.start()])
        end = part.end()
    kept.update(whole[end:])
    return base64.b64encode(kept.digest()).decode()
