"""What is known of relays: a start for [mail] that every setting of the owner's changes."""
from pathlib import Path

import pytest

from devdigest.config import ConfigError, Mail, load
from devdigest.relays import PRESETS


def mail_of(folder: Path, text: str) -> Mail:
    path = folder / "config.toml"
    path.write_text(f"[mail]\n{text}\n", encoding="utf-8")
    return load(path).mail


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_whole_section_once_the_owner_adds_what_it_lacks(tmp_path: Path, name: str) -> None:
    lacks = "".join(f'{key} = "relay.example.org"\n' for key in PRESETS[name].lacks)
    mail = mail_of(tmp_path, f'preset = "{name}"\n{lacks}')
    assert (mail.transport, mail.relay) == ("smtp", PRESETS[name])
    assert mail.host
    assert (mail.port, mail.security) in ((465, "tls"), (587, "starttls"))


def test_what_the_owner_writes_wins(tmp_path: Path) -> None:
    mail = mail_of(tmp_path, 'preset = "sendgrid"\nper_day = 100\nconnections = 2\nuser = "me"')
    assert (mail.host, mail.per_connection, mail.per_day) == ("smtp.sendgrid.net", 5_000, 100)
    assert (mail.connections, mail.user) == (2, "me")


@pytest.mark.parametrize("name", ["ses", "nhn"])
def test_of_what_only_the_owner_knows_the_key_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[mail\] host: expected .*, as preset = '{name}', got ''"):
        mail_of(tmp_path, f'preset = "{name}"')


def test_a_preset_that_is_not_known_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ses, gmail, workspace-relay"):
        mail_of(tmp_path, 'preset = "hotmail"')


def test_only_a_relay_that_keeps_the_envelope_sender_gets_one_for_each_mail(tmp_path: Path) -> None:
    keep = {name for name, preset in PRESETS.items() if preset.keeps_sender}
    assert keep == {"workspace-relay"}
    assert Mail().relay.keeps_sender        # of one's own
