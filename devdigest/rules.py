"""What the value of a setting must be beyond its type, and how that is said."""
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from devdigest import days
from devdigest.relays import PRESETS
from devdigest.urls import http_url

PROVIDERS = ("ses", "mailgun", "sendgrid", "brevo", "postmark")      # whose events are understood
_ADDRESS = re.compile(r"[^@\s<>\"\x00-\x1f]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_SELECTOR = re.compile(r"([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?")


def is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (ValueError, OSError, KeyError):     # ZoneInfoNotFoundError is a KeyError
        return False


def is_clock(text: str) -> bool:
    try:
        days.clock(text)
    except ValueError:
        return False
    return True


def is_address(text: str) -> bool:
    return bool(_ADDRESS.fullmatch(text)) and text.isascii() and text.isprintable() and len(text) <= 254


def _is_listen(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(host and colon and port.isdecimal() and 0 <= int(port) <= 65535)


# section, key, test, words for the fault
Rule = tuple[str, str, Callable[[Any], bool], str]
RULES: tuple[Rule, ...] = (
    ("site", "name", lambda v: v.strip() == v != "" and v.isprintable() and len(v) <= 60,
     "a name on one line"),
    ("site", "url", lambda v: http_url(v) == v and not urlsplit(v).path and len(v) <= 200,
     "an http(s) URL of a host, without a path"),
    ("site", "zone", is_zone, "a time zone such as Asia/Seoul"),
    ("site", "language", lambda v: v in ("ko", "en"), "ko or en"),
    ("site", "owner", lambda v: v == "" or is_address(v), "an e-mail address"),
    ("site", "postal_address", lambda v: v.isprintable() and len(v) <= 200, "an address on one line"),
    ("site", "clock", lambda v: v in ("check", "trust"), "check or trust"),
    ("site", "heartbeat_url", lambda v: v == "" or bool(http_url(v)), "an http(s) URL, or nothing"),
    ("collect", "times", lambda v: bool(v) and all(map(is_clock, v)), "local times, each HH:MM"),
    ("collect", "ports", lambda v: bool(v) and all(0 < port < 65_536 for port in v), "ports, as [80, 443]"),
    ("collect", "retry_until", is_clock, "a local time, HH:MM"),
    ("collect", "total_seconds", lambda v: 1 <= v <= 300, "1 to 300 seconds"),
    ("collect", "max_bytes", lambda v: 10_000 <= v <= 50_000_000, "10,000 to 50,000,000 bytes"),
    ("collect", "connections", lambda v: 1 <= v <= 64, "1 to 64"),
    ("collect", "per_operator", lambda v: 1 <= v <= 16, "1 to 16"),
    ("collect", "gap", lambda v: 0 <= v <= 60, "0 to 60 seconds"),
    ("digest", "time", is_clock, "a local time, HH:MM"),
    ("digest", "latest", is_clock, "a local time, HH:MM"),
    ("digest", "late_days", lambda v: 1 <= v <= 365, "1 to 365 days"),
    ("digest", "most_per_blog", lambda v: 1 <= v <= 100, "1 to 100"),
    ("digest", "preview", lambda v: v == "" or is_clock(v), "a local time, HH:MM, or nothing"),
    ("mail", "preset", lambda v: v == "" or v in PRESETS, f"nothing, or one of {', '.join(PRESETS)}"),
    ("mail", "transport", lambda v: v in ("maildir", "smtp"), "maildir or smtp"),
    ("mail", "maildir", bool, "a folder"),
    ("mail", "from", is_address, "an e-mail address"),
    ("mail", "port", lambda v: 1 <= v <= 65535, "1 to 65535"),
    ("mail", "security", lambda v: v in ("tls", "starttls", "none"), "tls, starttls or none"),
    ("mail", "connections", lambda v: 1 <= v <= 50, "1 to 50"),
    ("mail", "window", lambda v: 1 <= v <= 32, "1 to 32"),
    ("mail", "per_second", lambda v: v == 0 or 0.1 <= v <= 1_000, "0, or 0.1 to 1,000 mails a second"),
    ("mail", "per_day", lambda v: v == 0 or 20 <= v <= 10_000_000, "0, or 20 to 10,000,000 mails"),
    ("mail", "per_connection", lambda v: 0 <= v <= 1_000_000, "0 to 1,000,000 mails"),
    ("mail", "timeout", lambda v: 1 <= v <= 600, "1 to 600 seconds"),
    ("mail", "dkim_selector", _SELECTOR.fullmatch, "a name such as s1"),
    ("bounces", "address", lambda v: v == "" or is_address(v), "an e-mail address"),
    ("bounces", "port", lambda v: 1 <= v <= 65535, "1 to 65535"),
    ("bounces", "webhook", lambda v: v in ("", *PROVIDERS), f"nothing, or one of {', '.join(PROVIDERS)}"),
    ("web", "listen", _is_listen, "HOST:PORT"),
    ("web", "threads", lambda v: 1 <= v <= 64, "1 to 64"),
    ("web", "proxy", lambda v: v in ("", "127.0.0.1"), "127.0.0.1, or nothing"),
    ("backup", "keep", lambda v: 2 <= v <= 365, "2 to 365 backups"),
    ("check", "own_address", lambda v: all(http_url(one) for one in v), "http(s) URLs"),
    ("database", "path", bool, "a file"),
)
