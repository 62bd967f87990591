"""Answers → config.toml. What the owner wrote there stays: only keys that were asked about are changed."""
import json
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from devdigest import relays
from devdigest.config import LOOPBACK, Config, ConfigError, load
from installer import front
from installer.answers import Answers
from installer.layout import Layout
from installer.tell import Refused

MAILDIR = "maildir"         # in place of a relay
_HEAD = """\
# DevDigest's settings, written by setup.sh from your answers. Every key is told of in
# /opt/devdigest/current/devdigest/config.example.toml. After a change: sudo devdigest check,
# then sudo systemctl restart devdigest-web devdigest-worker. Passwords lie in credentials/.
"""
_BY_PORT = {465: "tls"}     # else starttls
_SECTION = re.compile(r"\s*\[\s*([a-z_]+)\s*\]")

Settings = dict[str, dict[str, Any]]        # section → key → value


def of(answers: Answers, address: str) -> Settings:
    """The settings that the answers decide; `address` is the machine's in the LAN."""
    return {
        "site": {"url": f"https://{answers.name}" if answers.name else f"http://{address}",
                 "zone": answers.zone, "language": answers.language, "owner": answers.owner},
        "digest": {"time": answers.time},
        "mail": {"from": answers.sender, **_relay(answers)},
        "web": {"listen": front.LISTEN, "proxy": front.PROXY},
        "backup": {"copy_to": answers.copy_to},
    }


def paths(layout: Layout) -> Settings:
    """Where all lies: whole, as a service has no folder to count from; only for a new file."""
    return {"mail": {"maildir": str(layout.data / "mail")}, "backup": {"where": str(layout.data / "backups")},
            "database": {"path": str(layout.database)}}


def joined(one: Settings, other: Settings) -> Settings:
    return {section: {**one.get(section, {}), **other.get(section, {})} for section in {**one, **other}}


def relay_address(answers: Answers) -> tuple[str, int]:
    """(host, port) of the relay. Raises ValueError."""
    host, colon, port = answers.relay.rpartition(":")
    if not colon:
        return answers.relay.lower(), 465
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{answers.relay!r} is no host:port")
    return host.lower(), int(port)


def security(host: str, port: int) -> str:
    return "none" if host in LOOPBACK else _BY_PORT.get(port, "starttls")


def _relay(answers: Answers) -> dict[str, Any]:
    if answers.relay == MAILDIR:
        return {"transport": "maildir", "preset": "", "host": "", "user": ""}
    host, port = relay_address(answers)
    return {"transport": "smtp", "preset": preset(host), "host": host, "port": port,
            "security": security(host, port), "user": answers.relay_user}


def preset(host: str) -> str:
    """The name of what is known of the relay at this host; "" for nothing."""
    by_host = {known.mail.get("host"): name for name, known in relays.PRESETS.items()}
    by_hosts = {id(known): name for name, known in relays.PRESETS.items()}
    return by_host.get(host, "") or by_hosts.get(id(relays.at(host)), "")


def written(wanted: Settings, before: str | None) -> str:
    """The file's new text: made anew for None, else with these keys changed and all else as it was."""
    text = _HEAD if before is None else before
    table = tomllib.loads(text)
    for section, keys in wanted.items():
        defaults = _defaults(section)
        for key, value in keys.items():
            # what is the default need not stand there
            if table.get(section, {}).get(key, defaults.get(key)) != value:
                text = _with(text, section, key, value)
    return text


def checked(text: str, path: Path) -> Config:
    """The settings that the text gives. Raises Refused with every fault."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        try:
            return load(Path(file.name))
        except ConfigError as error:
            raise Refused(str(error).replace(file.name, str(path)), f"edit {path}, then: sudo ./setup.sh",
                          2) from error


def _defaults(section: str) -> dict[str, Any]:
    values = vars(getattr(Config(), section))
    return {("from" if key == "sender" else key): value for key, value in values.items()}


def _with(text: str, section: str, key: str, value: Any) -> str:
    """`key = value` in its section: in place of what stood there, its comment kept; else as its last line."""
    rows = text.splitlines()
    new = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    inside, last = False, None
    for number, row in enumerate(rows):
        if found := _SECTION.match(row):
            inside = found[1] == section
        if inside and (old := re.match(rf"\s*{key}\s*=\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^#\s]+)(.*)", row)):
            return "\n".join([*rows[:number], new + old[2], *rows[number + 1:]]) + "\n"
        if inside and row.strip():
            last = number
    if last is None:
        return text.rstrip("\n") + f"\n\n[{section}]\n{new}\n"
    return "\n".join([*rows[:last + 1], new, *rows[last + 1:]]) + "\n"
