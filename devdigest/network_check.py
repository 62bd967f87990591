"""Whether the world is reached, by which address it knows us, and whether that address is ours alone."""
import ipaddress
from urllib.parse import urlsplit

from devdigest import nat_pmp, own_address, routes, upnp
from devdigest.addresses import is_at_home
from devdigest.config import Config
from devdigest.finding import NOT_ASKED, OK, RED, WARN, Finding
from devdigest.machine import Machine
from devdigest.name_server import NameServer, NameServerError
from devdigest.own_address import AddressError

_SECONDS, _MOST = 2.0, 2        # for each of who is asked, and how many: together they end within 5 s
# What no router has on the side of the world, unless it stands behind another one (RFC 1918, 6598, 7335).
_SHARED = ipaddress.ip_network("100.64.0.0/10")
_PRIVATE = [ipaddress.ip_network(text) for text in
            ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "192.0.0.0/29")]
_ASK_FOR_ONE = "ask your provider for a public IPv4 address"


def public_name(config: Config) -> str:
    """The host of site.url where the world is to find it; "" for one in the LAN."""
    host = urlsplit(config.site.url).hostname or ""
    if "." not in host or ":" in host or is_at_home(host) or host.rpartition(".")[2].isdecimal():
        return ""
    return host


def is_private(address: ipaddress.IPv4Address) -> bool:
    """Whether it is only known at somebody's home."""
    return any(address in net for net in _PRIVATE)


class Network:
    """Asks each thing once; `own` and `router` are known after `address` and `route`."""

    def __init__(self, config: Config, names: NameServer, machine: Machine) -> None:
        self._config, self._names, self._machine = config, names, machine
        self.router, self.own = "", ""

    def route(self) -> Finding:
        if not routes.are_told(self._machine):
            return Finding("network", NOT_ASKED, "the kernel does not tell it here")
        router = routes.router(self._machine)
        if router is None:
            return Finding("network", RED, "no way out: no router is known",
                           "is the cable in, or the Wi-Fi up? `ip route` shows the way")
        self.router = router
        told = f"router {router}" if router else "a way out without a router"
        host = self._some_name()
        try:
            if host and not self._names.known(host):
                return Finding("network", WARN, f"{told}; {host} is not known", f"getent hosts {host}")
        except NameServerError as error:
            return Finding("network", RED, f"{told}, but names cannot be looked up: {error}",
                           "does the router's name service work? restart the router")
        return Finding("network", OK, f"{told}, names are looked up" if host else told)

    def _some_name(self) -> str:
        """Of a server that we are going to ask anyway."""
        if self._config.mail.transport == "smtp" and self._config.mail.host[-1:].isalpha():
            return self._config.mail.host
        urls = self._config.check.own_address if public_name(self._config) else ()
        return next((urlsplit(url).hostname or "" for url in urls), "")

    def address(self) -> Finding:
        """By what address the world knows us; who is asked must agree."""
        urls = self._config.check.own_address
        if not urls:
            return Finding("address", NOT_ASKED, "[check] own_address is empty: nobody is asked")
        told = [self._ask(url) for url in urls[:_MOST]]
        known = {one for one in told if not isinstance(one, AddressError)}
        failed = [str(one) for one in told if isinstance(one, AddressError)]
        if len(known) == 1:
            self.own = known.pop()
            return Finding("address", OK, self.own + (f" ({failed[0]})" if failed else ""))
        if known:
            return Finding("address", WARN, f"nobody agrees on it: {', '.join(sorted(known))}",
                           "two lines, or a VPN? set [check] own_address to one that is right")
        return Finding("address", WARN, f"not known: {'; '.join(failed)}",
                       "devdigest check, a little later; or other servers in [check] own_address")

    def _ask(self, url: str) -> str | AddressError:
        try:
            return own_address.ask(url, _SECONDS, self._machine.ca_file)
        except AddressError as error:
            return error

    def cgnat(self) -> Finding:
        """Whether a forwarded port leads here: only where the router's address is the world's."""
        if not self.router:
            return Finding("cgnat", NOT_ASKED, "there is no router in between")
        told = (nat_pmp.external_address(self.router, self._machine.nat_pmp_port, _SECONDS)
                or upnp.external_address(self._machine.ssdp, _SECONDS))
        if not told:
            return Finding("cgnat", NOT_ASKED, f"router {self.router} does not tell its address; look at its "
                                               f"page whether its WAN address is {self.own or 'public'}")
        return Finding("cgnat", *self._judged(ipaddress.IPv4Address(told)))

    def _judged(self, wan: ipaddress.IPv4Address) -> tuple[str, ...]:
        """The router's own address on its side of the world."""
        if wan in _SHARED:
            return (RED, f"the provider shares one address among many (router: {wan}): no visitor gets in",
                    _ASK_FOR_ONE)
        if is_private(wan):
            return (RED, f"router {self.router} stands behind another one (its WAN: {wan})",
                    "set the provider's router to bridge mode, or forward TCP 80 and 443 in both")
        if self.own and str(wan) != self.own:
            return (RED, f"the router has {wan}, the world sees {self.own}: somebody stands between",
                    _ASK_FOR_ONE)
        return OK, f"the router has {wan}" + (", as the world sees it" if self.own else "")
