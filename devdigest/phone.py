"""The owner's phone as the witness that the site is reached from outside, by a link that is good once."""
from datetime import datetime

from devdigest import tokens
from devdigest.addresses import is_public
from devdigest.memory import Setting

_WANTED, _SEEN, _NEARBY = "phone wanted", "phone seen", "phone nearby"      # settings; the first is a hash


def begin() -> str:
    """The last part of the link. An older one is not good any more."""
    token, hashed = tokens.random_token()
    Setting.clear(_NEARBY)
    Setting.write(_WANTED, hashed)
    return token


def arrived(token: str, address: str, now: datetime) -> bool | None:
    """Whether it came from outside, by the visitor's address, which is not kept; None for a strange link."""
    if Setting.read(_WANTED) != tokens.hashed(token):
        return None
    if not is_public(address):
        Setting.write(_NEARBY, now.isoformat())
        return False
    Setting.write(_SEEN, now.isoformat())
    Setting.clear(_WANTED)
    return True


def is_wanted() -> bool:
    """Whether nobody has come from outside since begin()."""
    return Setting.read(_WANTED) is not None


def was_nearby() -> bool:
    """Whether somebody came since begin(), by the Wi-Fi at home."""
    return Setting.read(_NEARBY) is not None


def give_up() -> None:
    Setting.clear(_WANTED)


def seen() -> datetime | None:
    """When somebody last came from outside by such a link."""
    text = Setting.read(_SEEN)
    return datetime.fromisoformat(text) if text else None
