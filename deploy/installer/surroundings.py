"""What is ours outside our folders: the command one types, the journal's drop-in; and words to systemd."""
import socket
from pathlib import Path

from installer import files, services
from installer.answers import Answers
from installer.children import ask, must
from installer.layout import Layout

# Raspberry Pi's images keep no journal over a reboot; after their drop-in 40, below one of the owner's
_JOURNAL = """\
# Written by DevDigest's setup.sh: without it the log of why a machine went down goes down with it.
[Journal]
Storage=persistent
SystemMaxUse=100M
"""
_CURE = "journalctl -n 50 tells more; then again: sudo ./setup.sh"


def place_wrapper(layout: Layout, release: Path) -> str:
    text = (release / "deploy/bin/as-service").read_text(encoding="utf-8")
    return f"sudo {layout.wrapper.name}" if files.replace(layout.wrapper, text, mode=0o755) else ""


def keep_logs(layout: Layout, answers: Answers) -> str:
    path = layout.journal
    if answers.keep_logs == "no":
        changed, told = files.remove(path), "not kept over reboots"
    else:
        changed, told = files.replace(path, _JOURNAL), "kept over reboots, 100 MB at most"
    if changed:
        must(_CURE, "systemctl", "restart", "systemd-journald")
        must(_CURE, "journalctl", "--flush")
    return told if changed else ""


def restart() -> None:
    """So that what was changed is taken up."""
    must(_CURE, "systemctl", "restart", *services.SERVICES)


def take_up(*units: str) -> None:
    """New settings, without an interruption where that can be."""
    must(_CURE, "systemctl", "daemon-reload")
    must(_CURE, "systemctl", "reload-or-restart", *units)


def enabled(unit: str) -> bool:
    return ask("systemctl", "is-enabled", "--quiet", unit)[0] == 0


def start(*units: str) -> None:
    must(_CURE, "systemctl", "daemon-reload")
    must(_CURE, "systemctl", "enable", "--quiet", "--now", *units)


def address() -> str:
    """This machine's in the LAN: what it would speak from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))         # RFC 5737: nobody's
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
