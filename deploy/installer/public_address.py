"""The address under which the world sees this home, told by services of others: two have to agree."""
from collections.abc import Iterable
from http.client import HTTPException
from ipaddress import IPv4Address

from devdigest.addresses import is_public
from installer.providers import fetch


class Unknown(Exception):
    """Nobody told it, or not the same; says who said what. Nothing is registered then."""


def ask(services: Iterable[str], known: str = "") -> str:
    """An IPv4 address. One service will do where it says what was `known`; a new one needs a second voice,
    unless all others are silent.

    Raises Unknown.
    """
    said: dict[str, str] = {}
    for service in services:
        said[service] = _told(service)
        voices = [word for word in said.values() if _is_address(word)]
        if voices and (voices[-1] == known or voices.count(voices[-1]) > 1):
            return voices[-1]
    if len(set(voices := [word for word in said.values() if _is_address(word)])) == 1:
        return voices[0]
    raise Unknown("; ".join(f"{service}: {word}" for service, word in said.items()) or "nobody is asked")


def _is_address(word: str) -> bool:
    try:
        return is_public(str(IPv4Address(word)))
    except ValueError:
        return False


def _told(service: str) -> str:
    try:
        status, words = fetch(service)
    except (OSError, HTTPException, ValueError) as error:
        return str(getattr(error, "reason", error))
    return words.strip()[:60] if status == 200 else f"HTTP {status}"
