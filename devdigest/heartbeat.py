"""One GET that tells a service elsewhere that the day is done; its silence is the alarm."""
from urllib.parse import urlsplit

import requests

_PATIENCE = 10          # seconds
_LONGEST = 80           # characters of what is told of an answer


class NoAnswer(Exception):
    """It was not told: who was asked, and why not. Without the URL's path, which is a password."""


def tell(url: str) -> str:
    """What was answered, "200 OK". Follows no redirect; any address will do, it is the owner's own choice.

    Raises NoAnswer, also for an answer that is not of the 2xx.
    """
    host = urlsplit(url).hostname
    try:
        with requests.get(url, timeout=_PATIENCE, allow_redirects=False, stream=True,
                          headers={"User-Agent": "DevDigest"}) as answer:
            said = f"{answer.status_code} {answer.reason or ''}".strip()[:_LONGEST]
    except requests.RequestException as error:
        raise NoAnswer(f"{host}: {_cause(error)}") from error
    if not 200 <= answer.status_code < 300:
        raise NoAnswer(f"{host}: {said}")
    return said


def _cause(error: requests.RequestException) -> str:
    match error:
        case requests.Timeout():
            return f"no answer in {_PATIENCE} s"
        case requests.exceptions.SSLError():
            return "its certificate is not good"
        case requests.ConnectionError():
            return "cannot be reached"
    return type(error).__name__
