"""What every mail is made from: its frame, its headers, the places that are filled for one recipient.

No query, clock or socket; the templates are read once, at import.
"""
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bottle import SimpleTemplate

from devdigest.config import Config
from devdigest.letter import Places, phrase, unstructured
from devdigest.wording import Wording

AWESOME_DEVBLOG = "https://github.com/awesome-devblog/awesome-devblog"

_FOLDER = Path(__file__).with_name("templates") / "mail"

Values = dict[str, Any]
Part = Callable[[Values], str]


def part(name: str, kind: str) -> Part:
    """The template `name`, as `html` or `txt`, within the frame of every mail."""
    frame, body = _template("frame", kind), _template(name, kind)
    return lambda values: frame.render(values, body=body.render(values))


def alone(name: str, kind: str) -> Part:
    """The same without the frame: for what is put into a mail that has one."""
    return _template(name, kind).render


def _template(name: str, kind: str) -> SimpleTemplate:
    return SimpleTemplate((_FOLDER / f"{name}.{kind}").read_text(encoding="utf-8"), noescape=kind == "txt")


@dataclass(frozen=True)
class Draft:
    """What every header and part is made from."""
    config: Config
    words: Wording
    places: Places

    def lines(self, title: str, sent: datetime, about: str) -> list[str]:
        """The headers of every mail; `about` begins its Message-ID."""
        site, mail, delivery = self.config.site, self.config.mail, self.places.delivery
        lines = [f"From: {phrase(site.name)}\r\n <{mail.sender}>",
                 f"To: {self.places.address}",
                 f"Subject: {unstructured(title)}",
                 f"Date: {format_datetime(sent.astimezone(site.timezone))}",
                 # of the delivery, so that a mail repeated after a power cut is recognisable
                 f"Message-ID: <{about}.{delivery}@{mail.domain}>",
                 f"X-DevDigest-Delivery: {delivery}",           # relays may replace the Message-ID
                 f"Content-Language: {self.words.code}",
                 "Auto-Submitted: auto-generated",              # RFC 3834
                 "X-Auto-Response-Suppress: All"]               # the same for Exchange
        return lines + ([f"Reply-To: {site.owner}"] if site.owner else [])

    def list_lines(self) -> list[str]:
        site, token = self.config.site, self.places.token
        ways = [f"<{site.url}/u/{token}>"]
        # to a mailbox that we read ourselves, where there is one
        if to := self.config.bounces.address or site.owner:
            ways.append(f"<mailto:{quote(to, safe='@')}?subject=unsubscribe%20{token}>")
        lines = [f"List-Id: {phrase(site.name)}\r\n <daily.{self.config.mail.domain}>",        # RFC 2919
                 "List-Unsubscribe: " + ",\r\n ".join(ways),                        # RFC 2369
                 "Precedence: bulk"]                                                # for older responders
        if site.url.startswith("https://"):                                         # RFC 8058 asks for TLS
            lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        return lines

    def frame_values(self, title: str) -> Values:
        url, token = self.config.site.url, self.places.token
        links = {"unsubscribe": f"{url}/u/{token}", "manage": f"{url}/manage/{token}",
                 "blogs": f"{url}/blogs/", "about": f"{url}/about", "awesome": AWESOME_DEVBLOG}
        return {"words": self.words, "site": self.config.site, "subject": title, "links": links}
