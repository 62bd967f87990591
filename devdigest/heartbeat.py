"""One GET that tells a service elsewhere that the day is done; its silence is the alarm."""
from urllib.parse import urlsplit

import requests

from devdigest.connections import Adapter, Unreachable, authorities
from devdigest.deadline import Deadline

_PATIENCE = 10          # seconds
_LONGEST = 80           # characters of what is told of an answer


class NoAnswer(Exception):
    """It was not told: who was asked, and why not. Without the URL's path, which is a password."""


def tell(url: str, seconds: float = _PATIENCE) -> str:
    """What was answered, "200 OK". Follows no redirect; any address will do, it is the owner's own choice.
    An answer that only drips in is none after these seconds: the worker would be ended for it.

    Raises NoAnswer, also for an answer that is not of the 2xx.
    """
    host = urlsplit(url).hostname
    with Deadline(seconds) as deadline:
        try:
            status, reason = _asked(url, deadline)
            deadline.check()
        except (requests.RequestException, Unreachable, OSError) as error:
            late = deadline.passed or isinstance(error, (TimeoutError, requests.Timeout))
            raise NoAnswer(f"{host}: {f'no answer in {seconds:g} s' if late else _cause(error)}") from error
    said = f"{status} {reason}".strip()[:_LONGEST]
    if not 200 <= status < 300:
        raise NoAnswer(f"{host}: {said}")
    return said


def _asked(url: str, deadline: Deadline) -> tuple[int, str]:
    adapter = Adapter(allow_private=True, trust=authorities())
    adapter.deadline = deadline
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        with session.get(url, timeout=deadline.left(), allow_redirects=False, stream=True,
                         headers={"User-Agent": "DevDigest"}) as answer:
            return answer.status_code, answer.reason or ""


def _cause(error: Exception) -> str:
    match error:
        case requests.exceptions.SSLError():
            return "its certificate is not good"
        case requests.ConnectionError() | Unreachable():
            return "cannot be reached"
    return type(error).__name__
