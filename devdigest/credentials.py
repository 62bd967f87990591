"""Passwords and keys, never in the settings: from a systemd credential, a file or the environment."""
import os
from collections.abc import Mapping
from pathlib import Path

from devdigest.config import Bounces, Mail, unreadable

LEAST_SECRET = 16       # characters of a webhook's secret; nothing is taken by a word that can be guessed


def smtp_password(mail: Mail, environ: Mapping[str, str] = os.environ) -> str:
    """The relay's password; "" where there is none. Raises ConfigError, as all here do."""
    return _read("smtp_password", mail.password_file, environ)


def imap_password(bounces: Bounces, environ: Mapping[str, str] = os.environ) -> str:
    """The password of the bounce mailbox."""
    return _read("imap_password", bounces.password_file, environ)


def webhook_secret(bounces: Bounces, environ: Mapping[str, str] = os.environ) -> str:
    """The last part of the path to which the provider posts."""
    return _read("webhook_secret", bounces.secret_file, environ).strip()


def webhook_key(bounces: Bounces, environ: Mapping[str, str] = os.environ) -> str:
    """What proves that a post is the provider's."""
    return _read("webhook_key", bounces.key_file, environ).strip()


def _read(name: str, file: str, environ: Mapping[str, str]) -> str:
    """The systemd credential `name`, else what the file holds, else $DEVDIGEST_NAME; "" without.

    An empty credential is none: the units give one for each file that is missing (deploy/systemd).
    Raises ConfigError for a file that cannot be read.
    """
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    candidates = [Path(credentials) / name] if credentials else []
    if file:
        candidates.append(Path(file))
    for path in candidates:
        try:
            there = path.exists() or path == Path(file)
            if there and (secret := path.read_text(encoding="utf-8").rstrip("\n")):
                return secret
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(path, error) from error
    return environ.get(f"DEVDIGEST_{name.upper()}", "")
