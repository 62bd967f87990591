"""DNS: the records of a name. That it could not be asked is a NameServerError, never 'there are none'."""
import time

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

    def _ask(self, name: str, kind: str) -> list:
        if self._left <= 0:
            raise NameServerError(f"{name}: not asked, as the answers before took too long")
        begun = time.monotonic()
        try:
            return list(self._resolver().resolve(name, kind, lifetime=min(self._each, self._left),
                                                 raise_on_no_answer=False, search=False).rrset or ())
        except (dns.resolver.NXDOMAIN, *_NO_NAME):
            return []
        except dns.exception.Timeout as error:
            raise NameServerError(f"{name}: no name server answers") from error
        except dns.exception.DNSException as error:
            raise NameServerError(f"{name}: {error.msg or error}") from error
        finally:
            self._left -= time.monotonic() - begun

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=self._address is None)
        if self._address is not None:
            host, resolver.port = self._address
            resolver.nameservers = [host]
        return resolver
