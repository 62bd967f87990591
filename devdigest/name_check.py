"""Whether the site's name leads to this machine, and who keeps it so."""
import ipaddress
import json
from collections.abc import Iterable

from devdigest import network_check, routes
from devdigest.finding import NOT_ASKED, OK, RED, WARN, Finding
from devdigest.machine import Machine
from devdigest.name_server import NameServer, NameServerError

_UPDATER = "devdigest-ddns"     # deploy/ddns; not everyone needs one
_UNIT, _TOLD = f"etc/systemd/system/{_UPDATER}.service", f"run/{_UPDATER}.json"
_LOOK = f"journalctl -u {_UPDATER} -n 30"


def drifted(found: Iterable[str], own: str) -> str:
    """What is wrong with a name that has these addresses; "" for nothing. `own`: ours, "" where not known."""
    ipv4 = [one for one in found if ":" not in one]
    if not ipv4:
        return "has no IPv4 address"
    if own and own not in ipv4:
        return f"leads to {', '.join(ipv4)}, and we are {own}"
    if len(ipv4) > 1 and own:
        return f"leads to {', '.join(ipv4)}, of which only {own} is ours"
    return ""


class Name:
    """The public name of the site; `ipv4` is known after `name`."""

    def __init__(self, host: str, names: NameServer, machine: Machine) -> None:
        self._host, self._names, self._machine = host, names, machine
        self.ipv4 = ""

    def name(self, own: str) -> Finding:
        """Compared with `own`, our address as the world sees it; "" where that is not known."""
        try:
            found = self._names.addresses(self._host)
        except NameServerError as error:
            return Finding("name", WARN, f"not known: {error}", "devdigest check, a little later")
        self.ipv4 = next((one for one in found if ":" not in one), "")
        if said := drifted(found, own):
            return Finding("name", RED, f"{self._host} {said}", self._cure())
        if network_check.is_private(ipaddress.IPv4Address(self.ipv4)):
            return Finding("name", RED, f"{self._host} leads to {self.ipv4}, which is only known at home",
                           self._cure())
        told = f"{self._host} is {', '.join(found)}" + ("" if own else "; not compared with our own")
        return self._sixth(found) or Finding("name", OK, told)

    def _sixth(self, found: list[str]) -> Finding | None:
        """What is wrong with an AAAA record: half of the visitors, and the certificate, come by it."""
        ours = routes.own_ipv6(self._machine)
        cure = "take the AAAA record out at the name's provider"
        for address in (one for one in found if ":" in one):
            told = f"{self._host} has the IPv6 address {address}"
            if address not in ours:
                return Finding("name", RED, f"{told}, which is not this machine's", cure)
            if not ours[address]:
                return Finding("name", WARN, f"{told}, which is another one tomorrow", cure)
        return None

    def _cure(self) -> str:
        """Where an updater runs here it is at fault, else whoever keeps the name."""
        if self._machine.has(_UNIT):
            return f"sudo systemctl restart {_UPDATER}"
        return "set the A record at the name's provider, or DDNS in the router's menu"

    def updater(self) -> Finding:
        """What the name's provider said last to the updater of deploy/ddns, which leaves it in /run."""
        if not self._machine.has(_UNIT):
            return Finding("ddns", NOT_ASKED, "no updater here: the router or nobody keeps the name")
        try:
            told = json.loads(self._machine.text(_TOLD) or "{}")
        except ValueError:
            told = {}
        words = f"its provider says: {told.get('words')}"
        match told.get("verdict"):
            case _ if told.get("blind"):
                return Finding("ddns", WARN, f"our own address is not known: {told['blind']}", _LOOK)
            case "good":
                return Finding("ddns", OK, words)
            case "later":
                return Finding("ddns", WARN, words, _LOOK)
            case "refused":
                return Finding("ddns", RED, words, "sudo ./setup.sh --reconfigure")
        return Finding("ddns", WARN, "the updater has not run yet", _LOOK)
