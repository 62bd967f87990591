"""The part of a bounce that is written for machines (RFC 3464, RFC 6533): what became of each recipient."""
import re
from collections.abc import Iterator

from devdigest.bounce_notice import address
from devdigest.bounce_words import meaning, status_in
from devdigest.feedback import Feedback, Kind
from devdigest.mime import Headers, fields

KINDS = ("message/delivery-status", "message/global-delivery-status")

_WORDS = 1000           # characters of what is said of one
_ARRIVED = ("delivered", "relayed", "expanded", "deliverable")      # RFC 3464, 2.3.3; the last is Postfix's
_ESCAPED = re.compile(r"\\x\{([0-9A-F]{2,5})\}")


def fates(report: str) -> Iterator[Feedback]:
    """In the report's order, each as the report has it."""
    return map(_fate, _recipients(report))


def _recipients(report: str) -> Iterator[Headers]:
    """The fields of each recipient. A blank line parts them; a field said again does, where it is missing."""
    for block in re.split(r"\n[ \t]*\n", report):
        group: dict[str, str] = {}
        for name, value in fields(block).fields:
            if name in group and name in ("final-recipient", "original-recipient", "action"):
                yield from _complete(group)
                group = {}
            group.setdefault(name, value)
        yield from _complete(group)


def _complete(group: dict[str, str]) -> Iterator[Headers]:
    """Not the fields about the whole mail, which come first (RFC 3464, 2.2)."""
    if {"final-recipient", "original-recipient"} & set(group):
        yield Headers(tuple(group.items()))


def _fate(recipient: Headers) -> Feedback:
    status = status_in(recipient.first("status"))
    # the status may carry a comment (RFC 5322, 3.2.2), all there is without a diagnostic
    said = _without_type(recipient.first("diagnostic-code"))[:_WORDS] or recipient.first("status")[:_WORDS]
    original = _typed_address(_unescaped(recipient.first("original-recipient")))
    kind, reason = _outcome(recipient.first("action").lower(), status, said)
    return Feedback(kind=kind, reason=reason, recipient=_typed_address(recipient.first("final-recipient")),
                    original=original, status=status, said=said)


def _outcome(action: str, status: str, said: str) -> tuple[Kind, str]:
    if action.startswith("delayed"):
        return Kind.SOFT, "delayed"
    if action.startswith(_ARRIVED) or (status.startswith("2") and not action.startswith("failed")):
        return Kind.OTHER, "delivered"
    return meaning(status, said)


def _without_type(diagnostic: str) -> str:
    """`550 5.1.1 no such user` out of `smtp; 550 …`, of which SendGrid leaves out the beginning."""
    before, _, after = diagnostic.partition(";")
    return after.strip() if after and " " not in before.strip() else diagnostic


def _typed_address(value: str) -> str:
    r"""The address in `rfc822; ada@example.org`, or in `utf-8; \x{C5}sa@…` (RFC 6533, 3)."""
    kind, typed, given = value.partition(";")
    if kind.strip().lower() == "utf-8":
        given = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), given)
    return address(given if typed else value)


def _unescaped(original: str) -> str:
    """As we gave it: some hosts leave the signs of a mailbox in xtext (RFC 3461, 4), `+2B` for a plus."""
    plain = original.replace("+2B", "+").replace("+3D", "=")
    return plain if "@" in plain else plain.replace("+40", "@")
