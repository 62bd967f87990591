"""Which answers can be taken, and what is taken where nobody answers. Asks nobody and nothing."""
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from devdigest import rules
from installer import ddns, sender, settings
from installer.answers import Answers, flag
from installer.settings import MAILDIR

AWESOME, NO_BLOGS = "awesome-devblog", "none"
_DEFAULTS = {"ddns": "none", "blogs": AWESOME, "language": "ko", "time": "10:00", "keep_logs": "yes"}
_TRIAL_SENDER = "devdigest@localhost.localdomain"
_ZONE = "Asia/Seoul"            # where the machine's own is UTC, as on a fresh image

Fault = Callable[[str], str]    # an answer → what is wrong with it, or ""


def detected(known: Answers, zone: str) -> dict[str, str]:
    """What is taken where nobody answers; `known` is what was answered."""
    found = {**_DEFAULTS, "zone": _ZONE if zone in ("UTC", "Etc/UTC") else zone}
    from_ = known.sender or (_TRIAL_SENDER if known.relay == MAILDIR else "")
    if known.relay == MAILDIR:
        found["sender"] = from_
    if from_ and from_ != _TRIAL_SENDER:
        found |= {"relay_user": from_, "owner": from_, "relay": sender.usual_relay(from_)}
    if known.name:
        found["ddns"] = ddns.suggested(known.name) or "none"
    return found


def faults(answers: Answers, password: str, secret: str) -> list[tuple[str, str]]:
    """Every answer that is missing or cannot be: (its flag, why)."""
    found = [(flag(name), "holds a character that nobody can see: type it again")
             for name, answer in asdict(answers).items() if not answer.isprintable()]
    if found:
        return found                # it would end its line, in a file of lines
    found = [(flag(name), fault)
             for name, test in TESTS.items() if (fault := test(getattr(answers, name)))]
    if answers.relay not in ("", MAILDIR) and answers.sender == _TRIAL_SENDER:
        found.append(("--sender", "missing: it was a trial's, whose mail went into a folder"))
    if answers.relay not in ("", MAILDIR) and answers.relay_user and not password:
        found.append(("--relay-password-file", "missing: a file with the relay's password alone"))
    if answers.name and (fault := ddns.fault(answers, secret)):
        found.append(("--ddns", fault))
    return found


def _sender(text: str) -> str:
    if text == _TRIAL_SENDER:
        return ""
    return sender.refusal(text) if text else "missing: the address the digest is sent from"


def relay(text: str) -> str:
    if not text:
        return "missing: host:port of your relay, or maildir for a trial without one"
    try:
        settings.relay_address(Answers(relay=text))
    except ValueError as error:
        return str(error)
    return ""


def _name(text: str) -> str:
    labels = text.split(".")
    fits = len(labels) > 1 and all(label and label.replace("-", "").isalnum() for label in labels)
    return "" if not text or (fits and text.isascii()) else f"{text!r} is no host name, as digest.example.org"


def one_of(*words: str) -> Fault:
    return lambda text: "" if text in words else f"{text!r}: expected one of {', '.join(words)}"


def _blogs(text: str) -> str:
    known = text in (AWESOME, NO_BLOGS) or text.startswith(("http://", "https://"))
    return "" if known or Path(text).is_file() else f"{text}: no such file, and no URL"


TESTS: dict[str, Fault] = {
    "sender": _sender, "relay": relay, "name": _name,
    "blogs": _blogs,
    "owner": lambda text: "" if not text or rules.is_address(text) else f"{text!r} is no e-mail address",
    "zone": lambda text: "" if rules.is_zone(text) else f"{text!r} is no time zone, as Asia/Seoul",
    "language": one_of("ko", "en"),
    "time": lambda text: "" if rules.is_clock(text) else f"{text!r} is no time, as 10:00",
    "keep_logs": one_of("yes", "no"),
}
