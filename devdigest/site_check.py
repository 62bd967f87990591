"""Whether readers reach the site: on this machine, and from outside as far as it can be told from inside."""
import json
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from devdigest import front_door, phone, routes, tokens
from devdigest.config import LOOPBACK, Config
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.front_door import Seen
from devdigest.machine import Machine
from devdigest.memory import LINK_KEY, Setting

_SECONDS = 4.0
_PROVEN_FOR = timedelta(days=60)    # an authority that came in for a certificate shows the way was open then
_PATH = "/health"
_PHONE = "sudo devdigest check --phone, and open on a phone what it prints"


def url(config: Config) -> Finding:
    host = urlsplit(config.site.url).hostname
    if host in LOOPBACK:
        state = RED if config.mail.transport == "smtp" else WARN
        return Finding("site", state, f"{config.site.url} leads readers to their own machine",
                       "set [site] url to the public name")
    if not config.site.url.startswith("https://"):
        return Finding("site", WARN, f"{config.site.url}: without https no one-click unsubscribe",
                       "put a web server with a certificate in front")
    if not config.site.owner:
        return Finding("site", WARN, "readers can answer nobody", "set [site] owner to your mailbox")
    return Finding("site", OK, config.site.url)


def web(config: Config) -> Finding:
    """Whether `devdigest web` answers where it should."""
    host, _, port = config.web.listen.rpartition(":")
    host = host.strip("[]")
    seen = front_door.look(host, ("127.0.0.1" if host == "0.0.0.0" else host, int(port)), _PATH, tls=False,
                           seconds=_SECONDS)
    if seen.trouble:
        bad = RED if config.mail.transport == "smtp" else WARN
        return Finding("web", bad, f"the pages are not served at {config.web.listen}: {seen.words}",
                       "sudo systemctl restart devdigest-web")
    if not _is_ours(seen):
        return Finding("web", RED, f"something else answers at {config.web.listen}",
                       f"sudo ss -ltnp 'sport = :{port}' tells what; or set [web] listen")
    if seen.status != 200:
        return Finding("web", RED, f"it says: {_told(seen).get('status', seen.status)}",
                       "journalctl -u devdigest-web -n 50")
    return Finding("web", OK, f"answers at {config.web.listen}")


class Front:
    """The site under its public name; `local` is known after `inside`."""

    def __init__(self, config: Config, host: str, machine: Machine, seconds: float = _SECONDS) -> None:
        parts = urlsplit(config.site.url)
        self.tls = parts.scheme == "https"
        self._port = parts.port or (443 if self.tls else 80)
        self._config, self._host, self._machine, self._seconds = config, host, machine, seconds
        self.local = Seen(trouble="other", words="not asked")

    def inside(self, ipv4: str) -> Seen:
        """As it is met on this machine; where nothing stands in front here, at the name's address."""
        where = "127.0.0.1" if self._config.web.proxy else ipv4
        self.local = self._look(where)
        return self.local

    def outside(self, ipv4: str, router: str, now: datetime) -> Finding:
        """By its own name: where we answer, the port is forwarded, and the router leads back what is its own.

        What else answers proves nothing; a phone does, and a certificate, as an authority came in for it.
        """
        seen = self._look(ipv4)
        if not seen.trouble and _is_ours(seen):
            return Finding("outside", OK, f"{self._host} leads to this machine, tried over the router")
        why = self._reason(seen, ipv4)
        if (at := phone.seen()) and now - at < _PROVEN_FOR:
            return Finding("outside", OK, f"reached by a phone on {at:%Y-%m-%d}; from inside {why}")
        if self.local.begins and now - self.local.begins < _PROVEN_FOR:
            return Finding("outside", OK, f"open on {self.local.begins:%Y-%m-%d}, when {self.local.issuer} "
                                          f"came in for the certificate; from inside {why}")
        bad = RED if seen.trouble == "refused" or not self.local.begins else WARN
        return Finding("outside", bad, f"no proof from outside; from inside {why}",
                       self._forward(router) if bad == RED else _PHONE)

    def _reason(self, seen: Seen, ipv4: str) -> str:
        match seen.trouble:
            case "refused":
                return f"{ipv4} refuses port {self._port}: no forward in the router"
            case "silent":
                return f"{ipv4} is silent: no forward, or a router without loop-back"
            case "certificate":
                return f"{ipv4} shows another certificate ({seen.words}): the router's own page?"
            case "":
                return f"{ipv4} shows another page: the router's own?"
        return f"{ipv4}: {seen.words}"

    def _forward(self, router: str) -> str:
        ports = f"TCP 80 and {self._port}" if self._port != 80 else "TCP 80"
        return f"router {router}: forward {ports} to {routes.here(router) or 'this machine'}"

    def _look(self, address: str) -> Seen:
        return front_door.look(self._host, (address, self._port), _PATH, tls=self.tls, seconds=self._seconds,
                               ca_file=self._machine.ca_file)


def _told(seen: Seen) -> dict[str, str]:
    try:
        told = json.loads(seen.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _is_ours(seen: Seen) -> bool:
    """Not any DevDigest, but the one with our database."""
    return _told(seen).get("installation") == tokens.sign(Setting.read(LINK_KEY) or "", "health", 0)
