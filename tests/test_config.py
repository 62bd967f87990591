"""Settings: what a file may say, and that every fault of it is told at once."""
import re
import tomllib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from devdigest import tokens
from devdigest.config import EXAMPLE, Bounces, Config, ConfigError, Mail, find, load
from devdigest.credentials import imap_password, smtp_password, webhook_key, webhook_secret


def faults_of(folder: Path, text: str) -> list[str]:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(path)
    return [line.removeprefix(f"{path}: ") for line in str(error.value).splitlines()]


def test_the_example_is_the_defaults() -> None:
    assert load(EXAMPLE) == Config() == load(None)


def test_the_example_names_every_key_and_only_these() -> None:
    example = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    shown = {name: set(section) for name, section in example.items()}
    known = {section.name: {entry.metadata.get("key", entry.name) for entry in fields(section.default)}
             for section in fields(Config) if is_dataclass(section.default)}
    assert shown == known


def test_the_example_says_of_every_key_what_it_is_for() -> None:
    keys = re.findall(r"^\w+ = .*$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [line for line in keys if "#" not in line] == []


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[mail]\nfrom = "digest@example.org"\n[collect]\ngap = 2\ntimes = ["04:30"]\n')
    config = load(path)
    assert (config.mail.sender, config.mail.domain) == ("digest@example.org", "example.org")
    assert (config.collect.gap, config.collect.times) == (2, ("04:30",))
    assert (config.site, config.digest, config.web) == (Config().site, Config().digest, Config().web)


def test_every_fault_of_a_file_is_told_at_once_with_section_key_and_value(tmp_path: Path) -> None:
    assert faults_of(tmp_path, """
        [site]
        zone = "Asia/Soul"
        [digest]
        tiem = "10:00"
        [mail]
        port = "587"
        security = "ssl"
        [weather]
        sun = true
        """) == [
        "[site] zone: expected a time zone such as Asia/Seoul, got 'Asia/Soul'",
        "[digest] tiem: unknown key",
        "[mail] port: expected a whole number, got '587'",
        "[mail] security: expected tls, starttls or none, got 'ssl'",
        "[weather]: unknown section"]


@pytest.mark.parametrize(("section", "line"), [
    ("site", 'url = "ftp://example.org"'),
    ("site", 'url = "https://example.org/"'),
    ("site", 'url = "example.org"'),
    ("site", 'zone = "KST+9"'),
    ("site", 'zone = "Europe"'),                        # a folder of the zones
    ("site", 'zone = "../../etc/passwd"'),
    ("site", 'name = ""'),
    ("site", 'name = "a\\nBcc: everybody@example.org"'),
    ("site", 'owner = "Ada <ada@example.org>"'),
    ("site", 'owner = "ada"'),
    ("site", 'language = "fr"'),
    ("site", 'clock = "guess"'),
    ("collect", "times = []"),
    ("collect", "ports = []"), ("collect", "ports = [80, 0]"), ("collect", "ports = [80, true]"),
    ("collect", "ports = 80"),
    ("collect", 'times = "03:00"'),
    ("collect", 'times = ["03:00", 9]'),
    ("collect", 'times = ["3:00"]'),
    ("collect", 'retry_until = "24:00"'),
    ("collect", "total_seconds = 0"),
    ("collect", "connections = true"),                  # a bool is an int to Python
    ("collect", "gap = -0.1"),
    ("collect", "gap = nan"),
    ("collect", 'allow_private = "no"'),
    ("digest", 'time = "10:60"'),
    ("digest", 'time = "10.00"'),
    ("digest", "time = 10:00:00"),                      # TOML knows times of its own
    ("digest", "late_days = 1.5"),
    ("mail", 'from = "digest@localhost"'),
    ("mail", 'from = "소식@example.org"'),
    ("mail", "port = 0"),
    ("mail", "port = 65536"),
    ("mail", "window = 0"),
    ("mail", "window = 33"),
    ("mail", 'transport = "pigeon"'),
    ("bounces", 'address = "bounces"'),
    ("bounces", 'webhook = "pigeon"'),
    ("bounces", "port = 0"),
    ("web", 'listen = "8080"'),
    ("web", 'listen = "127.0.0.1:http"'),
    ("database", 'path = ""'),
])
def test_an_impossible_value_is_told_with_its_place(tmp_path: Path, section: str, line: str) -> None:
    key = line.partition(" ")[0]
    [fault] = faults_of(tmp_path, f"[{section}]\n{line}\n")
    assert fault.startswith(f"[{section}] {key}: expected ")
    assert ", got " in fault


def test_a_section_that_is_a_value_is_a_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path, 'mail = "smtp"') == ["[mail]: expected a section, got 'smtp'"]


@pytest.mark.parametrize("latest", ["10:00", "09:59"])
def test_the_day_must_end_after_the_issue(tmp_path: Path, latest: str) -> None:
    [fault] = faults_of(tmp_path, f'[digest]\nlatest = "{latest}"\n')
    assert fault == f"[digest] latest: expected one after time = '10:00', got '{latest}'"


@pytest.mark.parametrize("text", ['[digest]\ntime = "00:00"', '[collect]\ntimes = ["10:00", "22:00"]'])
def test_one_collect_must_come_before_the_issue(tmp_path: Path, text: str) -> None:
    [fault] = faults_of(tmp_path, text)
    assert fault.startswith("[collect] times: expected one before [digest] time = ")


@pytest.mark.parametrize(("text", "fault"), [
    ('imap = "imap.example.org"\nuser = "b"',
     "address: expected that of the mailbox, as imap is set, got ''"),
    ('imap = "imap.example.org"\naddress = "b@example.org"',
     "user: expected the mailbox's login, as imap is set, got ''"),
    ('verp = true\naddress = "b@example.org"',
     "imap: expected the mailbox that bounces come to, as verp = true, got ''"),
    (f'verp = true\naddress = "{"b" * 25}@example.org"\nimap = "imap.example.org"\nuser = "b"',
     f"address: expected at most 24 characters before the @, as verp = true adds + and a token, "
     f"got '{'b' * 25}@example.org'")])
def test_a_bounce_mailbox_needs_all_that_it_is_reached_by(tmp_path: Path, text: str, fault: str) -> None:
    assert faults_of(tmp_path, f"[bounces]\n{text}\n") == [f"[bounces] {fault}"]


def test_the_longest_envelope_sender_still_fits_an_envelope() -> None:
    bounces = Bounces(address=f"{'b' * 24}@example.org")
    sender = bounces.sender(tokens.sign(tokens.new_key(), "delivery", 10**18 - 1))
    assert len(sender.partition("@")[0]) == 64          # RFC 5321, 4.5.3.1.1


def test_a_relay_needs_a_name(tmp_path: Path) -> None:
    [fault] = faults_of(tmp_path, '[mail]\ntransport = "smtp"\n')
    assert fault.startswith("[mail] host: expected the relay's name")


def test_nothing_goes_unencrypted_to_another_machine(tmp_path: Path) -> None:
    [fault] = faults_of(tmp_path,
                        '[mail]\ntransport = "smtp"\nhost = "relay.example.org"\nsecurity = "none"\n')
    assert fault.startswith("[mail] security: expected tls or starttls, got 'none'")
    path = tmp_path / "config.toml"
    path.write_text('[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nsecurity = "none"\n')
    assert load(path).mail.security == "none"


@pytest.mark.parametrize(("content", "words"), [
    (b"[site\nzone = 1", "not TOML: "),
    (b"[site]\nowner = \"\xff\"", "cannot be read: "),      # not UTF-8
])
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load(path)


def test_the_file_named_goes_before_the_environment_and_that_before_the_system(tmp_path: Path) -> None:
    named, environment, system = (tmp_path / name for name in ("named", "environment", "system"))
    for path in (named, environment, system):
        path.touch()
    environ = {"DEVDIGEST_CONFIG": str(environment)}
    assert find(str(named), environ, system) == named
    assert find(None, environ, system) == environment
    assert find(None, {}, system) == system


def test_defaults_serve_only_where_nothing_is_named_and_nothing_is_installed(tmp_path: Path) -> None:
    system = tmp_path / "etc" / "config.toml"
    assert find(None, {}, system) is None
    system.parent.mkdir()
    with pytest.raises(ConfigError, match="no such file"):
        find(None, {}, system)


@pytest.mark.parametrize("name", ["missing.toml", "x" * 300])     # the latter cannot even be asked for
def test_a_file_that_is_named_and_cannot_be_found_is_a_fault(tmp_path: Path, name: str) -> None:
    for named, environ in ((str(tmp_path / name), {}), (None, {"DEVDIGEST_CONFIG": str(tmp_path / name)})):
        with pytest.raises(ConfigError, match=f"{name}: "):
            find(named, environ, tmp_path / "etc" / "config.toml")


def test_the_password_comes_from_the_credential_then_the_file_then_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from file\n")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    mail = Mail(password_file=str(file))
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "DEVDIGEST_SMTP_PASSWORD": "from environment"}
    assert smtp_password(Mail(), {}) == ""
    assert smtp_password(Mail(), environ) == "from environment"
    assert smtp_password(mail, environ) == "from file"
    (credentials / "smtp_password").write_text("from credential")
    assert smtp_password(mail, environ) == "from credential"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "no text"])
def test_a_password_file_that_cannot_be_read_is_a_fault(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"{file}: cannot be read"):
        smtp_password(Mail(password_file=str(file)), {"DEVDIGEST_SMTP_PASSWORD": "from environment"})


@pytest.mark.parametrize(("read", "name", "key"), [
    (imap_password, "imap_password", "password_file"), (webhook_secret, "webhook_secret", "secret_file"),
    (webhook_key, "webhook_key", "key_file")])
def test_the_secrets_of_what_comes_back_come_from_the_same_places(tmp_path: Path, read: Callable, name: str,
                                                                  key: str) -> None:
    (tmp_path / "file").write_text("from file\n")
    environ = {f"DEVDIGEST_{name.upper()}": "from environment"}
    assert read(Bounces(), {}) == ""
    assert read(Bounces(), environ) == "from environment"
    assert read(Bounces(**{key: str(tmp_path / "file")}), environ) == "from file"
    (tmp_path / name).write_text("from credential")
    assert read(Bounces(**{key: str(tmp_path / "file")}),
                environ | {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "from credential"
