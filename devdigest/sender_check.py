"""Whether mail may come from the sender's domain, and says so in DNS; where it does not, the record to paste.

What could not be asked is not known, and no fault.
"""
import base64
from collections.abc import Iterator

from devdigest import mail_records, relays
from devdigest.config import Config
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.mail_records import MOST_LOOKUPS, dmarc_records, merged, openness, spf_records, survey
from devdigest.name_server import NameServer, NameServerError
from devdigest.readers import Subscriber

_LEAST_BITS, _GOOD_BITS = 1024, 2048        # of a DKIM key (RFC 8301, 3.2)
_POLICIES = ("none", "quarantine", "reject")
_ASK_AGAIN = "is the network up? then `devdigest check` again"
# Names under which an owner cannot set SPF and DKIM; a mail from them ends in the spam folder.
_SHARED_NAMES = ("duckdns.org", "mooo.com", "us.to", "chickenkiller.com", "ddns.net", "iptime.org",
                 "dynv6.net")
_MAILBOXES = ("gmail.com", "naver.com", "daum.net", "hanmail.net", "kakao.com")
_MAILBOX_READERS = 100


def sender(config: Config) -> Finding:
    """Whether the address in From can be mailed from at all, to as many as there are."""
    domain = config.mail.domain.lower()
    if config.mail.transport == "maildir":
        return Finding("sender", WARN, "mails go into a folder, to nobody", 'set [mail] transport = "smtp"')
    if domain.endswith(".localdomain"):
        return Finding("sender", RED, f"nobody takes mail from {config.mail.sender}", "set [mail] from")
    if _is_shared(domain):
        return Finding("sender", RED, f"{domain} cannot carry SPF and DKIM", "send from a domain of your own")
    readers = Subscriber.select().where(Subscriber.state == "active").count()
    if domain in _MAILBOXES and readers > _MAILBOX_READERS:
        return Finding("sender", RED, f"{readers} readers are too many for a mailbox at {domain}",
                       "send from a domain of your own, through a relay")
    return Finding("sender", OK, config.mail.sender)


def _is_shared(domain: str) -> bool:
    return any(_is_under(domain, name) for name in _SHARED_NAMES)


def is_asked(config: Config) -> bool:
    """Whether the records are the owner's to set."""
    domain = config.mail.domain.lower()
    return config.mail.transport == "smtp" and not (
        _is_shared(domain) or domain in _MAILBOXES or domain.endswith(".localdomain"))


def findings(config: Config, names: NameServer) -> Iterator[Finding]:
    """SPF, DKIM, DMARC and MX of the domain in From."""
    sender = _Sender(config, names)
    looks = {"spf": sender.spf, "dkim": sender.dkim, "dmarc": sender.dmarc, "mx": sender.mx}
    for name, look in looks.items():
        try:
            yield Finding(name, *look())
        except NameServerError as error:
            yield Finding(name, WARN, f"not known: {error}", _ASK_AGAIN)


class _Sender:
    """Each question's answer: state, fact, and the cure where there is something to cure."""

    def __init__(self, config: Config, names: NameServer) -> None:
        self._config, self._names = config, names
        self._mail, self._domain = config.mail, config.mail.domain.lower()
        self._relay = relays.at(self._mail.host)

    def spf(self) -> tuple[str, ...]:
        domain, records = self._domain, spf_records(self._names.texts(self._domain))
        if not records:
            return RED, f"{domain} has no SPF record", _record(domain, merged([], self._term()))
        if len(records) > 1:
            return (RED, f"{domain} has {len(records)} SPF records, so none of them counts",
                    f"one instead: {_record(domain, merged(sorted(records)))}")
        [record] = records
        found = survey(record, self._names.texts)
        if found.fault:
            return (RED, f"the SPF record {found.fault}, so it counts for nothing: {record}",
                    "take out what does not mail for you any more")
        if openness(record) == "+":
            return (WARN, f"the SPF record lets everyone mail as {domain}: {record}",
                    _record(domain, merged(records)))
        if self._relay.keeps_domain and self._relay.spf not in ("", *found.names):
            return (WARN, f"the SPF record does not take in {self._relay.spf}, by which {self._mail.host} "
                          f"mails: {record}", _record(domain, merged(records, self._term())))
        return OK, f"{record}, {found.lookups} of {MOST_LOOKUPS} lookups"

    def _term(self) -> str:
        return f"include:{self._relay.spf}" if self._relay.spf else f"a:{self._mail.host}"

    def dkim(self) -> tuple[str, ...]:
        selector = self._mail.dkim_selector
        if not selector:
            return (WARN, "with which key the relay signs is not told",
                    "set [mail] dkim_selector: what stands before ._domainkey in the record your relay names")
        name = f"{selector}._domainkey.{self._domain}"
        keys = [tags for text in self._names.texts(name) if "p" in (tags := mail_records.tags(text))]
        if len(keys) != 1:
            return (RED, f"{name} has {len(keys) or 'no'} DKIM keys", "set the record that your relay names")
        [key] = keys
        if not key["p"]:
            return RED, f"the key at {name} is withdrawn", "have your relay make a new one"
        if key.get("k", "rsa").lower() != "rsa":
            return OK, f"{name}, {key['k']}"
        return _judged(name, key["p"])

    def dmarc(self) -> tuple[str, ...]:
        at, records = self._dmarc_records()
        if not records:
            return RED, f"{self._domain} has no DMARC record", _record(
                f"_dmarc.{self._domain}", f"v=DMARC1; p=none{self._reports()}")
        if len(records) > 1:
            return RED, f"{at} has {len(records)} DMARC records, so none of them counts", "leave one"
        [record] = records
        policy = record.get("p", "").lower()
        if policy not in _POLICIES:
            return (RED, f"the DMARC record of {at} has no policy",
                    _record(f"_dmarc.{at}", f"v=DMARC1; p=none{self._reports()}"))
        if at != self._domain:
            policy = f"{record.get('sp', policy).lower()}, by {at}"
        legs = self._aligned(at, record)
        if not legs:
            return (WARN, f"p={policy}; nothing is known to be aligned with {self._domain}",
                    f"have {self._mail.host} sign as {self._domain}, and set [mail] dkim_selector")
        return OK, f"p={policy}; aligned by {' and '.join(legs)}"

    def _dmarc_records(self) -> tuple[str, list[dict[str, str]]]:
        """The domain that has some, our own or the next above (as RFC 7489, 6.6.3), and those."""
        labels = self._domain.split(".")
        for first in range(max(1, len(labels) - 1)):
            at = ".".join(labels[first:])
            if records := dmarc_records(self._names.texts(f"_dmarc.{at}")):
                return at, records
        return self._domain, []

    def _reports(self) -> str:
        """To a mailbox elsewhere none would be sent (RFC 7489, 7.1)."""
        owner = self._config.site.owner
        return f"; rua=mailto:{owner}" if owner.lower().endswith(f"@{self._domain}") else ""

    def _aligned(self, at: str, record: dict[str, str]) -> list[str]:
        """By what a receiver sees that a mail is from who From says (RFC 7489, 3.1); DKIM signs as From."""
        bounces, envelope = self._config.bounces, self._domain
        if bounces.verp and self._relay.keeps_sender:
            envelope = bounces.address.rpartition("@")[2].lower()
        strict = record.get("aspf", "r").lower() == "s"
        fits = envelope == self._domain if strict else _is_under(envelope, at)
        legs = ["SPF"] if self._relay.keeps_domain and fits else []
        return legs + (["DKIM"] if self._mail.dkim_selector else [])

    def mx(self) -> tuple[str, ...]:
        servers = list(filter(None, self._names.mail_servers(self._domain)))
        if not servers:
            return (WARN, f"{self._domain} takes no mail, so bounces to it are lost",
                    f"{self._domain}. MX 10 the mail server that takes its mail")
        return OK, ", ".join(servers)


def _judged(name: str, key: str) -> tuple[str, ...]:
    try:
        bits = mail_records.rsa_bits(base64.b64decode("".join(key.split()), validate=True))
    except ValueError:
        return RED, f"what stands at {name} is no key", "copy the whole record that your relay names"
    if bits < _LEAST_BITS:
        return RED, f"the key at {name} has {bits} bits, too few", "have your relay make one of 2048"
    return OK, f"{name}, {bits} bits" + ("" if bits >= _GOOD_BITS else f"; {_GOOD_BITS} are advised")


def _is_under(name: str, domain: str) -> bool:
    return name.lower() == domain or name.lower().endswith(f".{domain}")


def _record(name: str, text: str) -> str:
    """As it stands in a zone file."""
    return f'{name}. TXT "{text}"'
