"""DNS: the records of a name. That it could not be asked is a NameServerError, never 'there are none'."""
import time
from collections.abc import Sequence

import dns.exception
import dns.name
import dns.resolver

_EACH, _ALL = 5.0, 20.0         # seconds; the owner waits for it
# Of such a name nothing can stand anywhere.
_NO_NAME = (dns.exception.SyntaxError, dns.name.NameTooLong, dns.name.IDNAException, UnicodeError)


class NameServerError(Exception):
    """No answer, or none that tells: of what, and why."""


class NameServer:
    """The system's, or the one at `address`. Once `all_seconds` are over, nothing more is asked."""

    def __init__(self, address: tuple[str, int] | None = None, each_seconds: float = _EACH,
                 all_seconds: float = _ALL) -> None:
        self._address, self._each = address, each_seconds
        self._left = all_seconds

    def texts(self, name: str) -> list[str]:
        """The TXT records, each in one piece; none where there is no such name."""
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT")]

    def mail_servers(self, name: str) -> list[str]:
        """The hosts of its MX records, the preferred first; "" for the one that says 'no mail' (RFC 7505)."""
        records = sorted(self._ask(name, "MX"), key=lambda record: record.preference)
        return [record.exchange.to_text(omit_final_dot=True).removesuffix(".") for record in records]

    def known(self, name: str) -> bool:
        """Whether the name has an IPv4 address, as the usual server has it."""
        return bool(self._ask(name, "A"))

    def addresses(self, name: str) -> list[str]:
        """Its IPv4 and IPv6 addresses as the zone's own servers have them now: no cache is believed."""
        servers = self._own_servers(name)
        found = [self._ask(name, kind, servers) for kind in ("A", "AAAA")]
        if servers and not any(found):      # an alias (CNAME) into another zone, perhaps
            found = [self._ask(name, kind) for kind in ("A", "AAAA")]
        return [record.address for records in found for record in records]

    def _own_servers(self, name: str) -> list[str]:
        labels = name.split(".")
        for first in range(len(labels) - 1):
            if servers := self._ask(".".join(labels[first:]), "NS"):
                hosts = sorted(record.target.to_text() for record in servers)[:2]
                return [record.address for host in hosts for record in self._ask(host, "A")]
        return []

    def _ask(self, name: str, kind: str, servers: Sequence[str] = ()) -> list:
        if self._left <= 0:
            raise NameServerError(f"{name}: not asked, as the answers before took too long")
        begun = time.monotonic()
        try:
            return list(self._resolver(servers).resolve(name, kind, lifetime=min(self._each, self._left),
                                                 raise_on_no_answer=False, search=False).rrset or ())
        except (dns.resolver.NXDOMAIN, *_NO_NAME):
            return []
        except dns.exception.Timeout as error:
            raise NameServerError(f"{name}: no name server answers") from error
        except dns.exception.DNSException as error:
            raise NameServerError(f"{name}: {error.msg or error}") from error
        finally:
            self._left -= time.monotonic() - begun

    def _resolver(self, servers: Sequence[str]) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=self._address is None and not servers)
        if self._address is not None:
            host, resolver.port = self._address
            resolver.nameservers = [host]
        if servers:
            resolver.nameservers = list(servers)
        return resolver
