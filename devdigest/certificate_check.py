"""The certificate of the site: how much of its life is left, and why it was not renewed.

No fixed number of days counts: the lives of certificates shrink, from 90 days to 45 in 2028.
"""
import json
import re
from datetime import datetime
from typing import Any

from devdigest.finding import OK, RED, WARN, Finding
from devdigest.front_door import Seen
from devdigest.machine import Machine, ToolError

_WARN_BELOW, _RED_BELOW = 1 / 4, 1 / 8      # of its life; Caddy renews at a third
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CADDY = "sudo systemctl restart caddy"
_FORWARD = "in the router: forward TCP 80 and 443 to this machine"
# What an authority's last error means (Let's Encrypt's words), and what is to be done.
_MEANINGS = (
    (r"dial tcp", "the authority cannot be reached from here", "see `network` above"),
    (r"rateLimited|too many", "too many certificates were asked for", "wait until the date that it names"),
    (r"NXDOMAIN|SERVFAIL|no valid A|DNS problem", "the name was not found", "see `name` above"),
    (r"[Tt]imeout|timed out", "the authority met silence on port 80 or 443", _FORWARD),
    (r"[Cc]onnection refused", "the authority was refused: the ports lead to another machine", _FORWARD),
    (r"unauthorized|Invalid response|wrong", "another machine answered the authority", _FORWARD),
)


def certificate(seen: Seen, now: datetime, machine: Machine) -> Finding:
    """`seen`: the site under its name, on this machine."""
    if seen.begins is None or seen.ends is None:
        return _none(seen, machine)
    left = (seen.ends - now) / (seen.ends - seen.begins)
    told = f"good until {seen.ends:%Y-%m-%d}, by {seen.issuer}"
    if left >= _WARN_BELOW:
        return Finding("certificate", OK, told)
    why, cure = _last_error(machine)
    return Finding("certificate", RED if left < _RED_BELOW else WARN,
                   f"{told}, and not renewed" + (f": {why}" if why else ""), cure)


def _none(seen: Seen, machine: Machine) -> Finding:
    if seen.trouble == "refused":
        return Finding("certificate", RED, "nothing takes visitors with https on this machine", _CADDY)
    if seen.trouble == "silent":
        return Finding("certificate", RED, f"https on this machine: {seen.words}", _CADDY)
    why, cure = _last_error(machine)
    told = f"browsers warn of it: {seen.words}"
    return Finding("certificate", RED, f"{told}; {why}" if why else told, cure)


def _last_error(machine: Machine) -> tuple[str, str]:
    """Why Caddy has no newer certificate, in our words, and the cure."""
    try:
        said = machine.ask("journalctl", "--unit=caddy", "--lines=500", "--output=cat", "--no-pager")
    except ToolError:
        said = ""
    for line in reversed(said.splitlines()):
        if error := _error_in(line):
            for pattern, meaning, cure in _MEANINGS:
                if re.search(pattern, error):
                    return meaning, cure
            return error[:200], "journalctl -u caddy -n 50"
    return "", "journalctl -u caddy -n 50"


def _error_in(line: str) -> str:
    """What a line of Caddy's log says went wrong with a certificate, as "console" writes it, or as JSON."""
    level, about, told = _parts(_COLOUR.sub("", line))
    if level != "error" or not re.search(r"tls|acme|obtain", about):
        return ""
    return f"{told.get('error', '')} {told.get('problem', '')}".strip()


def _parts(line: str) -> tuple[str, str, dict[str, Any]]:
    """(level, who says what, the rest by name)."""
    *before, last = line.split("\t")
    try:
        told = json.loads(last)
    except ValueError:
        return "", "", {}
    if not isinstance(told, dict):
        return "", "", {}
    if len(before) > 1:
        return before[1].lower(), " ".join(before[2:]), told
    return told.get("level", ""), f"{told.get('logger', '')} {told.get('msg', '')}", told
