"""The mails that someone waits for: they asked on a page a moment ago. No query, clock or socket."""
from datetime import datetime

from devdigest.config import Config
from devdigest.draft import Draft, Values, part
from devdigest.letter import Letter, Places, write
from devdigest.wording import WORDINGS

_CONFIRMATION_TEXT, _CONFIRMATION_HTML = part("confirmation", "txt"), part("confirmation", "html")


def confirmation(config: Config, language: str, sent: datetime, asked: datetime) -> Letter:
    """The mail that asks whether it was the address's owner who signed up at `asked` (aware)."""
    draft = Draft(config, WORDINGS[language], Places.in_a_mail_on((config, language, asked)))
    title = draft.words.confirm_subject(config.site.name)
    return write(draft.lines(title, sent, about="confirm"),
                 _CONFIRMATION_TEXT(_confirmation_values(title, draft.places.address, asked, draft)),
                 _CONFIRMATION_HTML(_confirmation_values(title, draft.places.address_in_html, asked, draft)),
                 draft.places, draft.words.since)


def _confirmation_values(title: str, address: str, asked: datetime, draft: Draft) -> Values:
    site, opens = draft.config.site, draft.config.digest.opens
    promise = draft.words.confirm_promise(opens)
    return draft.frame_values(title) | {
        "asked": draft.words.confirm_asked(address, site.name, asked.astimezone(site.timezone)),
        "promise": promise, "preheader": promise, "why": ""}
