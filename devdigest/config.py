"""Settings: frozen dataclasses read from TOML, or a ConfigError that names every fault at once.

The dataclasses are the schema, `config.example.toml` their documentation. Passwords are credentials'.
"""
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import time as local_time
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from devdigest import days, relays
from devdigest.rules import RULES

SYSTEM_PATH = Path("/etc/devdigest/config.toml")
EXAMPLE = Path(__file__).with_name("config.example.toml")


class ConfigError(Exception):
    """Every fault of a configuration, a line each: file, section, key, what was wanted, what stands there."""


@dataclass(frozen=True, kw_only=True)
class Site:
    name: str = "DevDigest"
    url: str = "http://127.0.0.1:8080"      # where readers reach the site; links in mails begin with it
    zone: str = "Asia/Seoul"
    language: str = "ko"
    owner: str = ""                         # the owner's mailbox: answers and trouble go there
    postal_address: str = ""
    clock: str = "check"
    heartbeat_url: str = ""                 # asked for after each finished day, so that silence is the alarm

    @cached_property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def takes_sign_ups(self) -> bool:
        """Addresses and links with tokens do not travel a network where anybody reads along."""
        return self.url.startswith("https:") or urlsplit(self.url).hostname in LOOPBACK


@dataclass(frozen=True, kw_only=True)
class Collect:
    times: tuple[str, ...] = ("03:00", "09:00")
    retry_until: str = "09:55"
    total_seconds: int = 10
    max_bytes: int = 5_000_000
    connections: int = 8
    per_operator: int = 1
    gap: float = 1.0
    ports: tuple[int, ...] = (80, 443)
    allow_private: bool = False


@dataclass(frozen=True, kw_only=True)
class Digest:
    time: str = "10:00"
    latest: str = "20:00"
    late_days: int = 30
    most_per_blog: int = 5
    weekly: bool = True
    preview: str = "09:30"                  # the owner gets a first look at the issue; "" for none

    @property
    def opens(self) -> local_time:
        return days.clock(self.time)

    @property
    def closes(self) -> local_time:
        return days.clock(self.latest)


@dataclass(frozen=True, kw_only=True)
class Mail:
    preset: str = ""
    transport: str = "maildir"
    maildir: str = "var/mail"
    sender: str = field(default="devdigest@localhost.localdomain", metadata={"key": "from"})
    host: str = ""
    port: int = 465
    security: str = "tls"
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    connections: int = 4
    window: int = 1
    per_second: float = 0.0                 # of these three 0 is no limit of ours
    per_day: int = 0
    per_connection: int = 0
    timeout: int = 30
    dkim_selector: str = ""

    @property
    def relay(self) -> relays.Preset:
        """What is known of the relay."""
        return relays.known(self.preset)

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]


@dataclass(frozen=True, kw_only=True)
class Bounces:
    address: str = ""
    verp: bool = False
    imap: str = ""
    port: int = 993
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    webhook: str = ""
    secret_file: str = ""
    key_file: str = ""

    def sender(self, token: str) -> str:
        """The envelope sender of the mail with this token, so that its bounces name it (VERP)."""
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{token}@{domain}"


@dataclass(frozen=True, kw_only=True)
class Web:
    listen: str = "127.0.0.1:8080"
    threads: int = 4
    proxy: str = ""


@dataclass(frozen=True, kw_only=True)
class Backup:
    where: str = ""
    keep: int = 7
    copy_to: str = ""                       # a second place: a folder, as of a USB stick, or user@host:folder


@dataclass(frozen=True, kw_only=True)
class Check:
    ignore: tuple[str, ...] = ()            # names of findings that the owner knows about
    own_address: tuple[str, ...] = ("https://checkip.amazonaws.com", "https://api.ipify.org")


@dataclass(frozen=True, kw_only=True)
class Database:
    path: str = "var/devdigest.db"


@dataclass(frozen=True, kw_only=True)
class Config:
    site: Site = Site()
    collect: Collect = Collect()
    digest: Digest = Digest()
    mail: Mail = Mail()
    bounces: Bounces = Bounces()
    web: Web = Web()
    backup: Backup = Backup()
    check: Check = Check()
    database: Database = Database()

    @property
    def folder(self) -> Path:
        """Where the database and the locks of the steps lie."""
        return Path(self.database.path).parent

    @property
    def backups(self) -> Path:
        """The folder of the backups, and of the log of who left."""
        return Path(self.backup.where) if self.backup.where else self.folder / "backups"


_VERP_LOCAL_PART = 24       # of the 64 octets that RFC 5321, 4.5.3.1.1 allows
_LISTS = {tuple[str, ...]: (str, "a list of strings"), tuple[int, ...]: (int, "a list of whole numbers")}
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def find(named: str | None, environ: Mapping[str, str] = os.environ,
         system: Path = SYSTEM_PATH) -> Path | None:
    """The configuration file to read: `--config`, $DEVDIGEST_CONFIG, /etc/devdigest; None for the defaults.

    Raises ConfigError where one is named, or /etc/devdigest exists, and there is no such file.
    """
    chosen = named or environ.get("DEVDIGEST_CONFIG")
    path = Path(chosen) if chosen else system if system.parent.exists() else None
    try:
        missing = path is not None and not path.is_file()
    except OSError as error:            # in a folder that this user may not look into
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if missing:
        cure = ("`sudo ./setup.sh` writes it anew from your answers" if path == SYSTEM_PATH else
                f"`devdigest --config {path} init` writes an example there")
        raise ConfigError(f"{path}: no such file; {cure}")
    return path


def unreadable(path: Path, error: OSError | UnicodeDecodeError) -> ConfigError:
    """Says why, and what to type where an editor or a copy took our right to read away."""
    installed = SYSTEM_PATH.parent in path.parents and isinstance(error, PermissionError)
    cure = f"; sudo chown root:devdigest {path} && sudo chmod 640 {path}" if installed else ""
    return ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}{cure}")


def load(path: Path | None) -> Config:
    """The settings of the file at `path`, of the embedded defaults for None. Raises ConfigError."""
    if path is None:
        return Config()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    faults: list[str] = []
    if isinstance(table.get("mail"), dict):
        table["mail"] = relays.completed(table["mail"])
    sections = {name: _section(kind, name, table.pop(name, {}), faults)
                for name, kind in get_type_hints(Config).items()}
    faults += [f"[{name}]: unknown section" for name in table]
    if not faults:
        faults = _contradictions(config := Config(**sections))
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    return config


def _section(kind: type, name: str, table: Any, faults: list[str]) -> Any:
    if not isinstance(table, dict):
        faults.append(f"[{name}]: expected a section, got {table!r}")
        return kind()
    keys = {entry.metadata.get("key", entry.name): entry for entry in fields(kind)}
    hints = get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in keys:
            faults.append(f"[{name}] {key}: unknown key")
        elif (fault := _fault(name, key, hints[keys[key].name], value)) is not None:
            faults.append(f"[{name}] {key}: {fault}")
        else:
            values[keys[key].name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def _fault(section: str, key: str, hint: Any, value: Any) -> str | None:
    if hint in _LISTS:
        kind, wanted = _LISTS[hint]
        fits = isinstance(value, list) and all(type(one) is kind for one in value)
    else:
        # bool is an int to Python, not to whoever writes `port = true`
        fits = type(value) is hint or (hint is float and type(value) is int)
        wanted = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}[hint]
    if not fits:
        return f"expected {wanted}, got {value!r}"
    for rule_section, rule_key, test, words in RULES:
        if (rule_section, rule_key) == (section, key) and not test(value):
            return f"expected {words}, got {value!r}"
    return None


def _contradictions(config: Config) -> list[str]:
    mail, digest = config.mail, config.digest
    faults = []
    if digest.opens >= digest.closes:
        faults.append(f"[digest] latest: expected one after time = {digest.time!r}, got {digest.latest!r}")
    if all(days.clock(time) >= digest.opens for time in config.collect.times):
        faults.append(f"[collect] times: expected one before [digest] time = {digest.time!r}, "
                      f"got {list(config.collect.times)!r}")
    if mail.transport == "smtp" and not mail.host:
        wanted = mail.relay.lacks.get("host", "the relay's name")
        because = f"preset = {mail.preset!r}" if mail.preset else "transport = 'smtp'"
        faults.append(f"[mail] host: expected {wanted}, as {because}, got ''")
    if mail.security == "none" and mail.transport == "smtp" and mail.host not in LOOPBACK:
        faults.append(f"[mail] security: expected tls or starttls, got 'none'; without encryption only a "
                      f"relay on this machine is spoken to, and host = {mail.host!r}")
    return faults + _blind_spots(config.bounces)


def _blind_spots(bounces: Bounces) -> list[str]:
    faults = []
    if bounces.imap and not bounces.address:
        faults.append("[bounces] address: expected that of the mailbox, as imap is set, got ''")
    if bounces.imap and not bounces.user:
        faults.append("[bounces] user: expected the mailbox's login, as imap is set, got ''")
    if bounces.verp and not bounces.imap:
        faults.append("[bounces] imap: expected the mailbox that bounces come to, as verp = true, got ''")
    if bounces.verp and len(bounces.address.partition("@")[0]) > _VERP_LOCAL_PART:
        faults.append(f"[bounces] address: expected at most {_VERP_LOCAL_PART} characters before the @, as "
                      f"verp = true adds + and a token, got {bounces.address!r}")
    return faults
