"""Who keeps names: what each wants to be asked, and what its answers mean. No files, no clock.

Certificates are verified, no redirect is followed (a password would go along), and all is over in seconds.
"""
import base64
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPException
from urllib.parse import quote, urlsplit

_PATIENCE = 15                  # seconds for each step of a connection
_WHOLE = 25                     # seconds for all of it, however slowly the other side speaks
_MOST = 65_536                  # bytes of an answer that are read
_LONGEST = 120                  # characters of it that are shown
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Verdict(Enum):
    GOOD = "good"               # the name has this address
    LATER = "later"             # nothing is wrong on our side: try again
    REFUSED = "refused"         # it will be refused again until the owner changes something


@dataclass(frozen=True)
class Answer:
    """`words` as the provider said them, or why it could not be asked."""
    verdict: Verdict
    words: str


@dataclass(frozen=True)
class Account:
    """A name and what proves that it is ours. `base` is where its provider listens."""
    provider: str
    name: str
    secret: str = field(repr=False)
    user: str = ""
    base: str = ""
    agent: str = "DevDigest"    # dyndns2 wants the program and whom to write to in it


class _AsItCame(urllib.request.HTTPErrorProcessor):
    """Every status is an answer; none leads elsewhere."""

    def http_response(self, request: urllib.request.Request, response: object) -> object:
        return response

    https_response = http_response


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _AsItCame)

BASES = {"freedns": "https://freedns.afraid.org", "duckdns": "https://www.duckdns.org",
         "noip": "https://dynupdate.no-ip.com", "cloudflare": "https://api.cloudflare.com",
         "dynv6": "https://dynv6.com"}


def base_of(server: str) -> str:
    """Where a dyndns2 server listens, given as a name or a URL. Raises ValueError where a password would go
    over the net as plain text."""
    url = server if "://" in server else f"https://{server}"
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ValueError(f"{server}: without https the password could be read on its way")
    if not parts.hostname or parts.query or parts.username:
        raise ValueError(f"{server}: expected a name, as in update.example.org")
    return url.rstrip("/")


def register(account: Account, address: str) -> Answer:
    """Asks the provider to give the name this address."""
    try:
        answer = _WAYS[account.provider](account, address)
    except (OSError, HTTPException, ValueError) as error:
        host = urlsplit(account.base).hostname
        answer = Answer(Verdict.LATER, f"{host} does not answer: {getattr(error, 'reason', error)}")
    return Answer(answer.verdict, _shown(answer.words, account.secret))


def fetch(url: str, method: str = "GET", body: bytes | None = None, seconds: float = _WHOLE,
          **headers: str) -> tuple[int, str]:
    """Status and text. Raises OSError, HTTPException, ValueError."""
    request = urllib.request.Request(url, body, {k.replace("_", "-"): v for k, v in headers.items()},
                                     method=method)
    said: Future[tuple[int, str]] = Future()

    def ask() -> None:
        try:
            said.set_result(_said(request))
        except (OSError, HTTPException, ValueError) as error:
            said.set_exception(error)
    # in a thread of its own: a socket's time-out begins anew with every byte
    threading.Thread(target=ask, daemon=True).start()
    try:
        return said.result(seconds)
    except TimeoutError as error:
        raise TimeoutError(f"no whole answer within {seconds:g} s") from error


def _said(request: urllib.request.Request) -> tuple[int, str]:
    with _opener.open(request, timeout=_PATIENCE) as response:
        return response.status, response.read(_MOST).decode("utf-8", "replace")


def _shown(words: str, secret: str) -> str:
    line = next((line.strip() for line in words.splitlines() if line.strip()), "nothing")
    if secret:
        line = line.replace(secret, "…")
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:_LONGEST]


def _judged(status: int, words: str, good: bool, refused: bool) -> Answer:
    """By the body where it is known, else by the status."""
    if status < 400 and good:
        return Answer(Verdict.GOOD, words)
    if refused or (400 <= status < 500 and status not in (408, 425, 429)):
        return Answer(Verdict.REFUSED, words.strip() or f"HTTP {status}")
    return Answer(Verdict.LATER, f"HTTP {status} {words.strip()}" if status >= 400 else words)


_ENDED = {"nohost", "badauth", "notfqdn", "numhost", "abuse", "badagent", "!donator", "!yours", "!active"}


def _dyndns2(account: Account, address: str) -> Answer:
    base = account.base if urlsplit(account.base).path else f"{account.base}/nic/update"
    login = base64.b64encode(f"{account.user}:{account.secret}".encode()).decode()
    status, said = fetch(f"{base}?hostname={quote(account.name)}&myip={address}",
                         Authorization=f"Basic {login}", User_Agent=account.agent)
    word = (said.split() or [""])[0].lower()
    return _judged(status, said, word in ("good", "nochg"), word in _ENDED)


def _duckdns(account: Account, address: str) -> Answer:
    label = account.name.removesuffix(".duckdns.org")
    status, said = fetch(f"{account.base}/update?domains={quote(label)}"
                         f"&token={quote(account.secret, safe='')}&ip={address}")
    refused = said.strip() == "KO"
    return _judged(status, "KO (wrong name or token)" if refused else said, said.strip() == "OK", refused)


def _freedns(account: Account, address: str) -> Answer:
    """By the key of this one name: the other way keeps the whole account's password here."""
    status, said = fetch(f"{account.base}/dynamic/update.php?{quote(account.secret, safe='=')}"
                         f"&address={address}")
    return _judged(status, said, address in said, said.startswith("ERROR") and address not in said)


def _dynv6(account: Account, address: str) -> Answer:
    status, said = fetch(f"{account.base}/api/update?hostname={quote(account.name)}"
                         f"&token={quote(account.secret, safe='')}&ipv4={address}")
    return _judged(status, said, "updated" in said or "unchanged" in said, False)


def _cloudflare(account: Account, address: str) -> Answer:
    """A token that may read zones and edit their DNS; the record is made where there is none."""
    labels = account.name.split(".")
    for start in range(len(labels) - 1):
        zone = ".".join(labels[start:])
        status, said, found = _cloudflare_says(account, f"zones?name={quote(zone)}")
        if status != 200:
            return _judged(status, said, False, False)
        if found:
            return _record(account, f"zones/{found[0]['id']}/dns_records", address)
    return Answer(Verdict.REFUSED, f"no zone of this token holds {account.name}")


def _record(account: Account, records: str, address: str) -> Answer:
    status, said, found = _cloudflare_says(account, f"{records}?type=A&name={quote(account.name)}")
    if status != 200:
        return _judged(status, said, False, False)
    if found and found[0].get("content") == address:
        return Answer(Verdict.GOOD, f"{address} stands there already{_cloud(found[0])}")
    if found:
        status, said, _ = _cloudflare_says(account, f"{records}/{found[0]['id']}", "PATCH", content=address)
        return _judged(status, f"set to {address}{_cloud(found[0])}" if status == 200 else said, True, False)
    # not proxied: 80 and 443 would arrive from Cloudflare, and the certificate be theirs
    status, said, _ = _cloudflare_says(account, records, "POST", type="A", name=account.name, content=address,
                                       ttl=120, proxied=False)
    return _judged(status, f"record made, {address}" if status == 200 else said, True, False)


def _cloud(record: dict[str, object]) -> str:
    return "; it is proxied: turn its cloud grey" if record.get("proxied") else ""


def _cloudflare_says(account: Account, path: str, method: str = "GET",
                     **fields: object) -> tuple[int, str, list[dict[str, object]]]:
    """(status, its complaint, what was found)."""
    body = json.dumps(fields).encode() if fields else None
    status, said = fetch(f"{account.base}/client/v4/{path}", method, body, Content_Type="application/json",
                         Authorization=f"Bearer {account.secret}")
    if not isinstance(told := json.loads(said), dict):
        raise ValueError(f"no answer of the API: {said[:40]!r}")
    complaints = "; ".join(str(error.get("message")) for error in told.get("errors") or [])
    result = told.get("result") or []
    return status, complaints, result if isinstance(result, list) else [result]


_WAYS: dict[str, Callable[[Account, str], Answer]] = {
    "dyndns2": _dyndns2, "noip": _dyndns2, "duckdns": _duckdns, "freedns": _freedns, "dynv6": _dynv6,
    "cloudflare": _cloudflare,
}
