"""Who keeps the name pointed at this home: what to ask the owner, one try before anything is changed, the
files of devdigest-ddns.service. The updater itself is updater.py, the providers' ways are providers.py."""
import shutil
from dataclasses import dataclass
from pathlib import Path

from devdigest import __version__, zones
from devdigest.config import Check
from installer import files, public_address
from installer.answers import Answers
from installer.layout import Layout
from installer.providers import BASES, Account, Verdict, base_of, register

SERVICE, TIMER = "devdigest-ddns.service", "devdigest-ddns.timer"
_SOURCE = Path(__file__).parents[1] / "ddns"
_OWN_ADDRESS = Check().own_address


@dataclass(frozen=True)
class Provider:
    """`secret` is the question for what proves that the name is ours, "" where there is nothing to run; then
    `user` and `server` are none either."""
    label: str
    explains: str
    secret: str = ""
    user: str = ""
    server: str = ""
    zones: tuple[str, ...] = ()         # names in these are its own


PROVIDERS = {
    "router": Provider("your router", "the router keeps the name itself (ipTIME, ASUS …): nothing runs here, "
                       "`devdigest check` only compares",
                       zones=("iptime.org", "asuscomm.com", "tplinkdns.com")),
    "duckdns": Provider("DuckDNS", "free; sign in at www.duckdns.org, the token stands on the first page",
                        "token", zones=("duckdns.org",)),
    "freedns": Provider("FreeDNS", "freedns.afraid.org, page 'Dynamic DNS', 'Direct URL' of the name: what "
                        "stands behind the question mark", "key of the name",
                        zones=("mooo.com", "us.to", "chickenkiller.com", "strangled.net")),
    "noip": Provider("No-IP", "the login of a DDNS key (My No-IP, 'DDNS keys'), not that of the account",
                     "password of the key", "user name of the key",
                     zones=("ddns.net", "hopto.org", "zapto.org", "sytes.net")),
    "cloudflare": Provider("Cloudflare", "an API token with 'Zone, Zone, Read' and 'Zone, DNS, Edit' for "
                           "your domain; the record stays grey (DNS only)", "API token"),
    "dynv6": Provider("dynv6", "the HTTP token under 'Keys' of your account", "HTTP token",
                      zones=("dynv6.net", "dns.army", "dns.navy", "v6.rocks")),
    "dyndns2": Provider("a dyndns2 server", "any other that is asked at /nic/update; a whole URL where "
                        "it listens elsewhere", "password", "user name",
                        "server (as update.example.org)"),
    "none": Provider("nobody", "the address never changes, or you look after it yourself"),
}


def suggested(name: str) -> str:
    """Who probably keeps this name, "" where its ending does not tell."""
    return next((key for key, provider in PROVIDERS.items()
                 if any(name.lower().endswith(f".{zone}") for zone in provider.zones)), "")


def runs(answers: Answers) -> bool:
    """Whether there is something to run here."""
    return bool(answers.name and answers.ddns in PROVIDERS and PROVIDERS[answers.ddns].secret)


def fault(answers: Answers, secret: str) -> str:
    """What is missing or wrong in what was answered, in the owner's words; "" where nothing is."""
    provider = PROVIDERS.get(answers.ddns)
    if provider is None:
        return f"{answers.ddns or 'nothing'}: expected one of {', '.join(PROVIDERS)}"
    if not runs(answers):
        return ""
    missing = [asked for asked, given in ((provider.user, answers.ddns_user), (provider.secret, secret),
                                          (provider.server, answers.ddns_server)) if asked and not given]
    if missing:
        return f"{provider.label} needs the {' and the '.join(missing)}"
    if any(not word.isprintable() for word in (secret, answers.ddns_user, answers.ddns_server)):
        return "what was typed holds a character that nobody can see: type it again"
    try:
        account(answers, secret)
    except ValueError as error:
        return str(error)
    return ""


def account(answers: Answers, secret: str) -> Account:
    """Raises ValueError for a server that a password must not be sent to."""
    base = base_of(answers.ddns_server) if answers.ddns == "dyndns2" else BASES[answers.ddns]
    agent = f"DevDigest/{__version__} {answers.owner}".strip()
    return Account(answers.ddns, answers.name.lower(), secret, answers.ddns_user, base, agent)


def try_once(answers: Answers, secret: str, own: tuple[str, ...] = _OWN_ADDRESS) -> tuple[bool, str]:
    """One real update, before anything is installed: whether it went, and the words of the provider."""
    if (wrong := fault(answers, secret)):
        return False, wrong
    if not runs(answers):
        return True, PROVIDERS[answers.ddns].explains
    try:
        address = public_address.ask(own)
    except public_address.Unknown as error:
        return False, f"this home's own address is not known: {error}"
    said = register(account(answers, secret), address)
    return said.verdict is Verdict.GOOD, f"{called(answers)} says: {said.words}"


def called(answers: Answers) -> str:
    """Who keeps the name, as an owner calls it."""
    return answers.ddns_server if answers.ddns == "dyndns2" else PROVIDERS[answers.ddns].label


def note(answers: Answers) -> str:
    """What the name's zone means for the certificate; "" where it means nothing."""
    return zones.certificate_note(answers.name) if answers.name else ""


def write(layout: Layout, answers: Answers, secret: str, own: tuple[str, ...] = _OWN_ADDRESS) -> list[str]:
    """The units to enable and start; none where nothing has to run, and then nothing of it is left.

    An empty `secret` keeps the one that is there.
    """
    if not runs(answers):
        remove(layout)
        return []
    layout.ddns.mkdir(parents=True, exist_ok=True)
    layout.ddns.chmod(0o700)
    if secret:
        files.replace(layout.ddns / "secret", secret + "\n", mode=0o600)
    files.replace(layout.ddns / "settings", _settings(answers, own), mode=0o600)
    for unit in (SERVICE, TIMER):
        files.replace(layout.units / unit, (_SOURCE / unit).read_text(encoding="utf-8"))
    return [TIMER]


def remove(layout: Layout) -> list[str]:
    """Takes the units away, the settings and the secret too; names the units that were there, to be stopped
    before by whoever calls (`systemctl disable --now`)."""
    there = [unit for unit in (TIMER, SERVICE) if files.remove(layout.units / unit)]
    shutil.rmtree(layout.ddns, ignore_errors=True)
    return there


def saved_secret(layout: Layout) -> str:
    """As it was given last, "" where there is none: for `--reconfigure`."""
    try:
        return (layout.ddns / "secret").read_text(encoding="utf-8").rstrip("\n")
    except OSError:
        return ""


def _settings(answers: Answers, own: tuple[str, ...]) -> str:
    mine = account(answers, "")
    lines = {"provider": mine.provider, "name": mine.name, "user": mine.user, "base": mine.base,
             "agent": mine.agent, "own_address": " ".join(own)}
    return "".join(f"{key}={value}\n" for key, value in lines.items())
