"""What a service tells systemd (sd_notify(3)): ready, stopping, alive, and in words what it is doing.

Says nothing where nobody listens, as by hand.
"""
import os
import socket
from collections.abc import Mapping


def ready(words: str) -> None:
    """All is open that must be: what waits for this service may start."""
    _say("READY=1", words=words)


def status(words: str) -> None:
    """What `systemctl status` shows."""
    _say(words=words)


def alive() -> None:
    """Feeds the watchdog: to be called by progress alone, or it guards nothing."""
    _say("WATCHDOG=1")


def stopping() -> None:
    _say("STOPPING=1", words="stopping")


def patience(environ: Mapping[str, str] = os.environ) -> float | None:
    """Seconds that the watchdog waits for the next `alive`; None where there is none."""
    microseconds, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(os.getpid()))
    return int(microseconds) / 1_000_000 if microseconds.isdigit() and whose == str(os.getpid()) else None


def _say(*states: str, words: str = "") -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if words:
        states = (*states, f"STATUS={' '.join(words.split())}")
    # systemd's own rule: a leading @ stands for the zero byte of an abstract socket
    name = "\0" + address[1:] if address[0] == "@" else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.settimeout(1)      # a full queue must not stop who only has something to tell
            line.sendto("\n".join(states).encode(), name)
    except OSError:
        pass            # nothing depends on it but a restart, which then is what helps
