"""What is known of the relays that owners choose: a start for [mail], where each explicit setting wins.

Quotas and prices move, and plans differ: what is not told here is left to the replies of the relay itself.
"""
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """`mail` are settings by key; `lacks` says of keys that only the owner knows what they should be."""
    mail: Mapping[str, Any]
    lacks: Mapping[str, str] = field(default_factory=dict)
    keeps_sender: bool = False          # the envelope sender reaches the reader's mailbox: VERP is of use
    hosts: str = ""                     # by whose name it is known without being named as a preset
    spf: str = ""                       # the name whose SPF record lists its machines
    keeps_domain: bool = False          # the envelope sender is at least of our domain: SPF can be aligned


def _relay(host: str, port: int = 465, security: str = "tls", *, connections: int = 5,
           per_second: float = 5.0, per_connection: int = 100, **more: Any) -> dict[str, Any]:
    """Five lines, 5 mails a second, 100 mails a line: modest enough to begin with anywhere."""
    given = {"host": host, "port": port, "security": security, "connections": connections,
             "per_second": per_second, "per_connection": per_connection, **more}
    return {key: value for key, value in given.items() if value != ""}


PRESETS = {
    # rate and quota are the account's own; without a setting we go by what the relay answers
    "ses": Preset(_relay("", connections=10, per_second=0.0, per_connection=0),
                  {"host": "email-smtp.ap-northeast-2.amazonaws.com, with your region"},
                  hosts="amazonaws.com", spf="amazonses.com"),
    "gmail": Preset(_relay("smtp.gmail.com", per_day=500),
                    hosts="smtp.gmail.com", spf="_spf.google.com", keeps_domain=True),
    "workspace-relay": Preset(_relay("smtp-relay.gmail.com", per_day=10_000), keeps_sender=True,
                              hosts="smtp-relay.gmail.com", spf="_spf.google.com", keeps_domain=True),
    "mailgun": Preset(_relay("smtp.mailgun.org"), hosts="mailgun.org", spf="mailgun.org"),
    "brevo": Preset(_relay("smtp-relay.brevo.com", 587, "starttls"), hosts="brevo.com", spf="spf.brevo.com"),
    # closes a connection itself after 5,000
    "sendgrid": Preset(_relay("smtp.sendgrid.net", user="apikey", per_connection=5_000),
                       hosts="sendgrid.net", spf="sendgrid.net"),
    # newsletters must go by its broadcast stream; it has no port 465
    "postmark": Preset(_relay("smtp-broadcasts.postmarkapp.com", 587, "starttls"),
                       hosts="postmarkapp.com", spf="spf.mtasv.net"),
    # takes what comes at short intervals for abuse
    "naver": Preset(_relay("smtp.naver.com", connections=1, per_second=1.0)),
    "nhn": Preset(_relay(""), {"host": "the one that the console of NHN Cloud names"}),
}
_OWN = Preset({}, keeps_sender=True, keeps_domain=True)


def known(name: str) -> Preset:
    """The preset of this name; for "" what holds of a relay of one's own."""
    return PRESETS[name] if name else _OWN


def at(host: str) -> Preset:
    """The same by the relay's host, for who wrote that instead."""
    labels = host.lower().split(".")
    names = {".".join(labels[first:]) for first in range(len(labels))}
    return next((preset for preset in PRESETS.values() if preset.hosts in names), _OWN)


def completed(section: Mapping[str, Any]) -> dict[str, Any]:
    """[mail] as written, on top of its preset. One that is not known is left to the rules."""
    name = section.get("preset", "")
    if not isinstance(name, str) or name not in PRESETS:
        return dict(section)
    return {"transport": "smtp", **PRESETS[name].mail, **section}
