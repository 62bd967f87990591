"""URLs as keys: when two links are the same article, which links may be shown, who operates a host.

Pure text; nothing here looks up a name or opens a connection.
"""
import ipaddress
import re
from urllib.parse import quote, unquote, urljoin, urlsplit

LONGEST = 2000      # characters; no article needs more, and a link must fit a database row and a mail

# What a feed adds to tell where readers come from; the page is the same without it.
_TRACKING = re.compile(r"(utm_\w*|fromrss|trackingcode)(=.*)?|source=rss.*", re.IGNORECASE | re.DOTALL)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")        # a name, with the underscores that some have; or IPv6
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# As most links are written: nothing in it is to be resolved, quoted or refused.
_FINISHED = re.compile(r"https?://[a-z0-9._-]*[a-z0-9_-](?:/[\w.~%!$&'()*+,=:@/-]*(?:\?[\w.~%!$&'()*+,;=:@/?-]+)?)?",
                       re.ASCII)
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
# Names under which a registry sells names, where that is not the last label alone; enough for our lists.
_SECOND_LEVEL = re.compile(r"(^|\.)(co|or|ne|re|pe|go|ac|com|net|org|gov|edu)\.[a-z]{2}$")

# Platforms that have several such names, by the first label of each; 88 of our feeds are on blogspot.
_PLATFORMS = {"blogspot": "blogspot.com",
              "hatenablog": "hatenablog.com", "hateblo": "hatenablog.com", "hatenadiary": "hatenablog.com"}


def canonical(url: str) -> str:
    """The key by which two URLs are the same page: no scheme, default port, trailing slash or tracking.

    A fragment stays only where it is a route (`#/…`, `#!…`). "" for what is no http(s) URL.
    """
    try:
        parts = urlsplit(_printable(url))
        port = parts.port
    except ValueError:
        return ""
    host = _ascii_host(parts.hostname or "")
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return ""
    if port and port != _DEFAULT_PORTS[parts.scheme]:
        host += f":{port}"
    path = _same_escapes(parts.path).rstrip("/")
    query = _without_tracking(parts.query)
    fragment = f"#{_same_escapes(parts.fragment)}" if parts.fragment.startswith(("/", "!")) else ""
    return host + path + (f"?{query}" if query else "") + fragment


def _ascii_host(host: str) -> str:
    host = host.rstrip(".").lower()
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return ""
    return host if _HOST.fullmatch(host) else ""


def _same_escapes(text: str) -> str:
    """One spelling of the same path (RFC 3986, 6.2.2): `/글`, `/%ea%b8%80` and `/%EA%B8%80` agree."""
    def one(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return char if _UNRESERVED.match(char) else match[0].upper()
    return _ESCAPE.sub(one, quote(text, safe="%/:?#[]@!$&'()*+,;=~"))


def _without_tracking(query: str) -> str:
    # Not decoded and encoded again: words that are not UTF-8 (%B0%A1 on an old site) would become alike.
    kept = (piece for piece in query.split("&") if piece and not _TRACKING.fullmatch(unquote(piece)))
    return _same_escapes("&".join(kept))


def _printable(url: str) -> str:
    url = url.strip()
    return url if url.isprintable() else "".join(filter(str.isprintable, url))


def http_url(link: str, base: str = "") -> str:
    """`link` as an absolute http(s) URL in ASCII, resolved against `base`; "" where it is or becomes none."""
    link = _printable(link)
    if _FINISHED.fullmatch(link) and len(link) <= LONGEST:
        return link
    if not link:
        return ""       # and not the base, to which urljoin would resolve it
    try:
        absolute = urljoin(base, link)
        parts = urlsplit(absolute)
        parts.port      # noqa: B018  (raises where the port is no number)
    except ValueError:
        return ""
    host = _ascii_host(parts.hostname or "")
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return ""
    netloc = (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port else "")
    absolute = quote(parts._replace(netloc=netloc).geturl(), safe="%/:?#[]@!$&'()*+,;=~")
    return absolute if len(absolute) <= LONGEST else ""


def operator(url: str) -> str:
    """Who answers for a host: the platform, or the registrable part of its name; for an address itself.

    A blog's own name at a platform counts as itself. Of 1,994 feeds at most 339 have one (those whose
    name has one or two feeds); as many are asked at once as there are connections in all, eight by default.
    """
    host = _ascii_host(urlsplit(url).hostname or "")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        labels = host.split(".")[-3 if _SECOND_LEVEL.search(host) else -2:]
        return _PLATFORMS.get(labels[0], ".".join(labels))


def parents(key: str) -> list[str]:
    """The canonical keys of every site that the page with canonical `key` may lie under, longest first."""
    path = key.partition("?")[0].partition("#")[0].split("/")
    return [key, *("/".join(path[:length]) for length in range(len(path), 0, -1))]
