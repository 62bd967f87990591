"""HTTP: a GET of a feed or page, conditional where it can be, with limits on time, size and addresses.

Says what came or why nothing did; what that means for a blog is decided elsewhere.
"""
import http.client
import re
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import requests
import urllib3

from devdigest.connections import Adapter, NoSuchHost, NotPublic, Unreachable, authorities
from devdigest.deadline import Deadline
from devdigest.inflate import Inflate
from devdigest.text import tidy
from devdigest.urls import http_url

MOST_REDIRECTS = 5
_PERMANENT = (301, 308)
_REDIRECTS = (*_PERMANENT, 302, 303, 307)                       # RFC 9110, 15.4
_LONGEST_WAIT = 7 * 86_400      # seconds; whoever asks for more is asked again after a week
_ACCEPT = ("application/atom+xml, application/rss+xml, application/feed+json, "
           "application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5")
# Why nothing came, in one word each: what a blog's page tells its writer goes by it.
FAULTS = ("slow", "tls", "host", "silent", "broken", "gone", "refused", "busy", "server", "moved", "not_feed",
          "big", "address", "ours")
_BY_STATUS = {404: "gone", 410: "gone", 429: "busy"}
_BY_CLASS = {2: "not_feed", 3: "moved", 4: "refused"}           # else "server"
# RFC 9110, 5.5; servers refuse requests with headers of a few kilobytes, and would go on refusing
_SENDABLE = re.compile(r"[!-~\x80-\xff][\t -~\x80-\xff]{,999}")
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError,
             ValueError, zlib.error, Unreachable,
             AttributeError)            # urllib3's, for the socket of a connection cut off meanwhile


@dataclass(frozen=True, kw_only=True)
class Limits:
    total: float = 10.0             # seconds for all of a fetch: look-up, redirects, headers, body
    max_bytes: int = 5_000_000      # of a body as sent, and of the same decompressed
    ports: tuple[int, ...] = (80, 443)
    allow_private: bool = False     # also lifts the rule of ports
    home: str = ""                  # name of this site, whose addresses are refused too
    redirects: int = MOST_REDIRECTS


@dataclass(frozen=True, kw_only=True)
class Fetched:
    status: int                     # 200 or 304
    url: str                        # after redirects
    body: bytes = b""               # decompressed; empty for 304
    headers: Mapping[str, str]      # names in lower case
    etag: str = ""                  # as received; "" where it cannot be sent back
    modified: str = ""
    moved_to: str = ""              # where permanent redirects lead, from the first up to a temporary one


class FetchError(Exception):
    """Nothing came: from which URL, why in words for the owner, and what the server said to it."""

    def __init__(self, url: str, reason: str, kind: str, status: int | None = None,
                 retry_after: int | None = None) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.reason = url, reason
        self.kind = kind                    # one of FAULTS
        self.status = status                # None where no answer came, or not all of it
        self.retry_after = retry_after      # seconds


# Before each request of a fetch: its URL, and the seconds within which it must be allowed. See turns.Turn.
Move = Callable[[str, float], None]


class _Redirect(NamedTuple):
    url: str
    status: int


class Fetcher:
    """Fetches one URL after the other, for one thread, over a connection that is kept until `close`.

    May be used again after that. `trust`: shared by several, see `connections.authorities`.
    """

    # Without a session of requests': no proxy, ~/.netrc or cookie can come in, and no redirect is read and
    # inflated, to prepare a request that nobody sends (psf/requests#5529).
    def __init__(self, limits: Limits, user_agent: str, trust: ssl.SSLContext | None = None) -> None:
        self._limits = limits
        self._adapter = Adapter(limits.allow_private, trust or authorities(), limits.home)
        self._headers = {"User-Agent": user_agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate",
                         "Connection": "keep-alive"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._adapter.close()

    def get(self, url: str, now: datetime, etag: str = "", modified: str = "",
            move: Move = lambda *_: None) -> Fetched:
        """What `url` gives, after the redirects allowed; the validators go to each of them.

        `now` is what a date in Retry-After is measured against. Raises FetchError alone, as `move` may.
        """
        given = {"If-None-Match": etag, "If-Modified-Since": modified}
        validators = {name: value for name, value in given.items() if _sendable(value)}
        moved_to, permanent = "", True
        with Deadline(self._limits.total) as deadline:
            self._adapter.deadline = deadline
            hop = _Redirect(self._allowed(url), 0)
            for _ in range(self._limits.redirects + 1):
                answer = self._ask(hop.url, validators, now, move)
                if isinstance(answer, Fetched):
                    return replace(answer, moved_to=moved_to)
                hop = answer
                deadline.let_go()
                permanent = permanent and hop.status in _PERMANENT
                moved_to = hop.url if permanent else moved_to
        raise FetchError(url, f"more than {self._limits.redirects} redirects", "moved", hop.status)

    def _allowed(self, link: str, base: str = "", status: int | None = None) -> str:
        if not (url := http_url(link, base)):
            shown = tidy(re.sub(r"//[^/]*@", "//…@", link))[:100]
            if base:
                raise FetchError(base, f"redirects to {shown}", "moved", status)
            raise FetchError(link, "not an http(s) URL", "address")
        parts, allowed = urlsplit(url), self._limits.ports
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if port not in allowed and not self._limits.allow_private:
            raise FetchError(url, f"port {port} is none of {', '.join(map(str, allowed))}", "address", status)
        return url

    def _ask(self, url: str, validators: Mapping[str, str], now: datetime, move: Move) -> Fetched | _Redirect:
        deadline, seconds = self._adapter.deadline, self._limits.total
        try:
            move(url, deadline.left())
            request = requests.Request("GET", url, self._headers | validators).prepare()
            with self._send(request) as response:
                deadline.check()
                headers = {name.lower(): value for name, value in response.headers.items()}
                status = response.status_code
                if status in _REDIRECTS and (location := headers.get("location")):
                    # some forget to escape it; what they send is UTF-8
                    target = location.encode("latin-1").decode("utf-8", "replace")
                    return _Redirect(self._allowed(target, url, status), status)
                if status not in (200, 304):
                    raise _refused(url, status, headers, now)
                if status == 304 and not validators:
                    raise FetchError(url, "HTTP 304 without a question", "broken", status)
                return Fetched(status=status, url=url, body=self._body(url, response.raw), headers=headers,
                               etag=_sendable(headers.get("etag", "")),
                               modified=_sendable(headers.get("last-modified", "")))
        except _FAILURES as error:
            late = deadline.passed or any(isinstance(cause, TimeoutError) for cause in _causes(error))
            kind, reason = ("slow", f"timeout after {seconds:g} s") if late else _told(error)
            raise FetchError(url, reason, kind) from error

    def _send(self, request: requests.PreparedRequest) -> requests.Response:
        self._adapter.connected = False
        try:
            return self._adapter.send(request, stream=True, timeout=self._limits.total)
        except requests.ConnectionError:
            # one that was kept may end while the request is on its way (RFC 9112, 9.3.1)
            if self._adapter.connected or self._adapter.deadline.passed:
                raise
            return self._adapter.send(request, stream=True, timeout=self._limits.total)

    def _body(self, url: str, raw: urllib3.HTTPResponse) -> bytes:
        most = self._limits.max_bytes
        if (raw.length_remaining or 0) > most:
            raise _too_long(url, most)
        body, inflate = bytearray(), Inflate(raw.headers.get("content-encoding", ""))
        while chunk := raw.read1(65_536, decode_content=False):
            self._adapter.deadline.check()
            body += inflate(chunk, most + 1 - len(body))
            if max(len(body), raw.tell()) > most:
                raise _too_long(url, most)
        self._adapter.deadline.check()
        inflate.end()
        return bytes(body)


def _sendable(validator: str) -> str:
    return validator if _SENDABLE.fullmatch(validator) else ""


def _too_long(url: str, most: int) -> FetchError:
    return FetchError(url, f"more than {most:,} bytes", "big", 200)


def _refused(url: str, status: int, headers: Mapping[str, str], now: datetime) -> FetchError:
    wait = _wait(headers.get("retry-after", ""), now)
    said = f" {http.client.responses.get(status, '')}" if wait is None else f", asks to wait {wait} s"
    kind = _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, "server")
    if kind == "server" and wait is not None:       # 503, as a rule
        kind = "busy"
    return FetchError(url, f"HTTP {status}{said}".rstrip(), kind, status, wait)


def _wait(text: str, now: datetime) -> int | None:
    """Seconds that a Retry-After asks for: a number of them or a date (RFC 9110, 10.2.3).

    None where it asks for none, as by a clock that is behind: a server that refuses means less than it says.
    """
    try:
        if text.isdecimal():
            seconds = int(text)
        else:
            when = parsedate_to_datetime(text)
            seconds = round(((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds())
    except (ValueError, OverflowError):
        return None
    return min(seconds, _LONGEST_WAIT) if seconds > 0 else None


# What of an error's causes tells most, in this order of preference: of which kind it is, how it is said.
_WORDS: tuple[tuple[type[BaseException], str, Callable[[Any], str]], ...] = (
    (NoSuchHost, "host", str),
    (NotPublic, "address", str),
    (Unreachable, "silent", str),
    (ssl.SSLCertVerificationError, "tls", lambda error: f"TLS: {error.verify_message.rstrip('.')}"),
    (ssl.SSLError, "tls",
     lambda error: f"TLS: {(error.reason or 'connection closed').replace('_', ' ').lower()}"),
    (zlib.error, "broken", lambda error: f"cannot be decompressed: {error}"),
    (http.client.IncompleteRead, "broken", lambda _: "the body breaks off"),
    (http.client.RemoteDisconnected, "silent", lambda _: "connection closed without an answer"),
    (ConnectionResetError, "silent", lambda _: "connection reset"),
    (ConnectionRefusedError, "silent", lambda _: "connection refused"),
    (http.client.HTTPException, "broken", lambda _: "the answer is not HTTP"),
    (urllib3.exceptions.InvalidHeader, "broken", lambda _: "the answer has two lengths"),
    (ValueError, "address", lambda _: "not a URL that can be asked"),
    (OSError, "silent", lambda error: (error.strerror or type(error).__name__).lower()),
)


def _told(error: Exception) -> tuple[str, str]:
    """(kind, reason)"""
    causes = _causes(error)
    for cause_type, kind, words in _WORDS:
        for cause in causes:
            if isinstance(cause, cause_type):
                return kind, words(cause)
    return "broken", type(error).__name__


def _causes(error: BaseException | None) -> list[BaseException]:
    if error is None:
        return []
    context = [] if error.__context__ is error.__cause__ else _causes(error.__context__)
    return [*_causes(error.__cause__), *context, error]
