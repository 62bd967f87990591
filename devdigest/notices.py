"""The mails that someone waits for: they asked on a page a moment ago. No query, clock or socket."""
from datetime import datetime
from ipaddress import ip_interface

from devdigest.config import Config
from devdigest.draft import Draft, Values, part
from devdigest.letter import Letter, Places, write
from devdigest.wording import WORDINGS, Notice

_TEXT, _HTML = part("notice", "txt"), part("notice", "html")


def confirmation(config: Config, language: str, sent: datetime, asked: datetime, network: str = "") -> Letter:
    """Asks whether it was the address's owner who signed up, at `asked` (aware) and from `network`."""
    draft = _draft(config, language, asked, network)
    origin = draft.words.asked_from(masked(network)) if network else ""
    return _notice(draft, draft.words.confirm, sent, asked, "confirm", "/confirm", origin)


def account(config: Config, language: str, sent: datetime, asked: datetime) -> Letter:
    """Carries the link to what only the mailbox's owner may do."""
    draft = _draft(config, language, asked)
    return _notice(draft, draft.words.account, sent, asked, "account", "/account")


def move(config: Config, language: str, sent: datetime, asked: datetime) -> Letter:
    """Asks at a new address; does not say the old one, as the new one may be a stranger's."""
    draft = _draft(config, language, asked)
    return _notice(draft, draft.words.move, sent, asked, "move", "/account/move")


def masked(network: str) -> str:
    """As much of an IP address or network as who asked knows again: `203.0.113.x` or `2001:db8:…`."""
    address = ip_interface(network).ip
    if address.version == 4:
        return f"{str(address).rpartition('.')[0]}.x"
    return f"{int(address) >> 112:x}:{int(address) >> 96 & 0xFFFF:x}:…"


def _draft(config: Config, language: str, *asked: object) -> Draft:
    return Draft(config, WORDINGS[language], Places.in_a_mail_on((config, language, asked)))


def _notice(draft: Draft, said: Notice, sent: datetime, asked: datetime, about: str, path: str,
            origin: str = "") -> Letter:
    """`about` begins the Message-ID, `path` that of the link; `origin` is a line on who asked."""
    site, places = draft.config.site, draft.places
    title, promise = said.subject(site.name), said.promise(draft.config.digest.opens)
    values = draft.frame_values(title) | {
        "said": said, "link": f"{site.url}{path}/{places.token}", "promise": promise, "preheader": promise,
        "origin": origin, "why": ""}

    def told(address: str) -> Values:
        return values | {"asked": said.asked(address, site.name, asked.astimezone(site.timezone))}
    return write(draft.lines(title, sent, about), _TEXT(told(places.address)),
                 _HTML(told(places.address_in_html)), places, draft.words.since)
