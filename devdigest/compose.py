"""An issue in one language → one serialised mail with places to fill; the confirmation mail too.

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
from devdigest.edition import Edition, Item, fullest, rows
from devdigest.letter import Letter, Places, phrase, seven_bit, unstructured, write
from devdigest.wording import WORDINGS, Wording

__all__ = ["Edition", "Item", "Letter", "confirmation", "issue", "preview_html", "seven_bit", "subject"]

AWESOME_DEVBLOG = "https://github.com/awesome-devblog/awesome-devblog"

# Gmail hides what comes after 102 KB of HTML, and with it the way to unsubscribe. Octets; 2 KiB are left for
# what is filled in.
_MOST_HTML = 90 * 1024 - 2048
_MOST_TEXT = 60 * 1024 - 2048

_FOLDER = Path(__file__).with_name("templates") / "mail"

Values = dict[str, Any]
Part = Callable[[Values], str]


def _part(name: str, kind: str) -> Part:
    sources = [(_FOLDER / f"{file}.{kind}").read_text(encoding="utf-8") for file in ("frame", name)]
    frame, body = (SimpleTemplate(source, noescape=kind == "txt") for source in sources)
    return lambda values: frame.render(values, body=body.render(values))


_ISSUE_TEXT, _ISSUE_HTML = _part("issue", "txt"), _part("issue", "html")
_CONFIRMATION_TEXT, _CONFIRMATION_HTML = _part("confirmation", "txt"), _part("confirmation", "html")


def issue(edition: Edition, config: Config, language: str, sent: datetime) -> Letter:
    """The mail of an issue. `sent` (aware) becomes its Date."""
    draft = _Draft(config, WORDINGS[language], Places.in_a_mail_on((edition, config, language)))
    lines = [*draft.lines(subject(edition, language), sent, about=str(edition.day)), *draft.list_lines(),
             f"Feedback-ID: {edition.day}:daily:{language}:devdigest"]      # Gmail's feedback loop
    return write(lines,
                 _issue_part(_ISSUE_TEXT, _MOST_TEXT, draft.places.address, edition, draft),
                 _issue_part(_ISSUE_HTML, _MOST_HTML, draft.places.address_in_html, edition, draft),
                 draft.places, draft.words.since)


def preview_html(edition: Edition, config: Config, language: str) -> str:
    """The HTML part for no one in particular; its personal links lead nowhere."""
    words, nobody = WORDINGS[language], "reader@example.org"
    draft = _Draft(config, words, Places(nobody, nobody, "0", "preview", words.since(None)))
    return _issue_part(_ISSUE_HTML, _MOST_HTML, nobody, edition, draft)


def confirmation(config: Config, language: str, sent: datetime, asked: datetime) -> Letter:
    """The mail that asks whether it was the address's owner who signed up at `asked` (aware)."""
    draft = _Draft(config, WORDINGS[language], Places.in_a_mail_on((config, language, asked)))
    title = draft.words.confirm_subject(config.site.name)
    return write(draft.lines(title, sent, about="confirm"),
                 _CONFIRMATION_TEXT(_confirmation_values(title, draft.places.address, asked, draft)),
                 _CONFIRMATION_HTML(_confirmation_values(title, draft.places.address_in_html, asked, draft)),
                 draft.places, draft.words.since)


def subject(edition: Edition, language: str) -> str:
    """How many posts, then the first title that there is: no feed has the first word in a reader's inbox."""
    return ": ".join([WORDINGS[language].posts(len(edition.items)), *edition.titles(40)[:1]])


@dataclass(frozen=True)
class _Draft:
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
        if site.owner:
            ways.append(f"<mailto:{quote(site.owner, safe='@')}?subject=unsubscribe%20{token}>")
        lines = [f"List-Id: {phrase(site.name)}\r\n <daily.{self.config.mail.domain}>",        # RFC 2919
                 "List-Unsubscribe: " + ",\r\n ".join(ways),                        # RFC 2369
                 "Precedence: bulk"]                                                # for older responders
        if site.url.startswith("https://"):                                         # RFC 8058 asks for TLS
            lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        return lines

    def frame_values(self, title: str) -> Values:
        url, token = self.config.site.url, self.places.token
        links = {"unsubscribe": f"{url}/u/{token}", "manage": f"{url}/manage/{token}",
                 "confirm": f"{url}/confirm/{token}", "blogs": f"{url}/blogs/", "about": f"{url}/about",
                 "awesome": AWESOME_DEVBLOG}
        return {"words": self.words, "site": self.config.site, "subject": title, "links": links}


def _issue_part(part: Part, most: int, address: str, edition: Edition, draft: _Draft) -> str:
    words, digest = draft.words, draft.config.digest
    page = f"{draft.config.site.url}/issues/{edition.day}"
    values = draft.frame_values(subject(edition, words.code)) | _issue_values(edition, words) | {
        "page": page, "why": words.sent(address, draft.places.since, digest.opens)}
    return fullest(rows(edition, words, digest.most_per_blog, page),
                   lambda sections, rest: part(values | {"sections": sections, "rest": rest}), most)


def _issue_values(edition: Edition, words: Wording) -> Values:
    first, last = edition.first_day, edition.yesterday
    return {"days": words.span(first, last) if first < last else words.day(last),
            "count": words.posts(len(edition.items)),
            "summary": edition.summary(words),
            "lacks": words.lacks(edition.blogs, edition.reached) if edition.lacks else "",
            "preheader": " · ".join(edition.titles(60)[1:4])}


def _confirmation_values(title: str, address: str, asked: datetime, draft: _Draft) -> Values:
    site, opens = draft.config.site, draft.config.digest.opens
    promise = draft.words.confirm_promise(opens)
    return draft.frame_values(title) | {
        "asked": draft.words.confirm_asked(address, site.name, asked.astimezone(site.timezone)),
        "promise": promise, "preheader": promise, "why": ""}
