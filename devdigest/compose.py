"""An issue in one language → one serialised mail with places to fill. No query, clock or socket."""
import re
from dataclasses import dataclass
from datetime import datetime

from devdigest.config import Config
from devdigest.draft import Draft, Part, Values, alone, part
from devdigest.edition import Edition, fullest, rows
from devdigest.letter import Letter, Places, write
from devdigest.wording import WORDINGS, Wording

# Gmail hides what comes after 102 KB of HTML, and with it the way to unsubscribe. Octets; 2 KiB are left for
# what is filled in.
_MOST_HTML = 90 * 1024 - 2048
_MOST_TEXT = 60 * 1024 - 2048

UNCOUNTED = "?uncounted"         # ends a link by way of the site that the owner follows in a first look

_ISSUE_TEXT, _ISSUE_HTML = part("issue", "txt"), part("issue", "html")
_BAR_TEXT, _BAR_HTML = alone("preview", "txt"), alone("preview", "html")


@dataclass(frozen=True)
class Bar:
    """What stands above an issue that is only looked at: a word, a line, a button, and a line below it."""
    name: str
    said: str
    button: str
    link: str
    end: str


def issue(edition: Edition, config: Config, language: str, sent: datetime) -> Letter:
    """The mail of an issue. `sent` (aware) becomes its Date."""
    draft = Draft(config, WORDINGS[language], Places.in_a_mail_on((edition, config, language)))
    about = str(edition.day) if edition.kind == "daily" else f"{edition.day}.{edition.kind}"
    lines = [*draft.lines(subject(edition, language), sent, about), *draft.list_lines(),
             f"Feedback-ID: {edition.day}:{edition.kind}:{language}:devdigest"]     # Gmail's feedback loop
    return write(lines,
                 _issue_part(_ISSUE_TEXT, _MOST_TEXT, draft.places.address, edition, draft),
                 _issue_part(_ISSUE_HTML, _MOST_HTML, draft.places.address_in_html, edition, draft),
                 draft.places, draft.words.since)


def first_look(edition: Edition, config: Config, sent: datetime, bar: Bar) -> Letter:
    """The mail of an issue, octet for octet, but for the bar above it, and for links that count nobody."""
    language = config.site.language
    draft = Draft(config, WORDINGS[language], Places.in_a_mail_on((edition, config, language)))
    text = _issue_part(_ISSUE_TEXT, _MOST_TEXT, draft.places.address, edition, draft)
    page = _issue_part(_ISSUE_HTML, _MOST_HTML, draft.places.address_in_html, edition, draft)
    before, table, after = page.partition("<table")         # the mail's own; what is above it is not seen
    counted = re.compile(f'(href="{re.escape(config.site.url)}/go/[0-9]+)"')
    return write(draft.lines(f"[{bar.name}] {subject(edition, language)}", sent, f"preview.{edition.day}"),
                 _BAR_TEXT({"bar": bar}) + text,
                 before + _BAR_HTML({"bar": bar}) + counted.sub(rf'\1{UNCOUNTED}"', table + after),
                 draft.places, draft.words.since)


def preview_html(edition: Edition, config: Config, language: str) -> str:
    """The HTML part for no one in particular; its personal links lead nowhere."""
    words, nobody = WORDINGS[language], "reader@example.org"
    draft = Draft(config, words, Places(nobody, nobody, "0", "preview", words.since(None)))
    return _issue_part(_ISSUE_HTML, _MOST_HTML, nobody, edition, draft)


def subject(edition: Edition, language: str) -> str:
    """How many posts, then the first title that there is: no feed has the first word in a reader's inbox."""
    words = WORDINGS[language]
    count = _count(edition, words)
    return ": ".join([f"{words.last_week} {count}" if edition.kind == "weekly" else count,
                      *edition.titles(40)[:1]])


def _count(edition: Edition, words: Wording) -> str:
    return (words.most_read if edition.kind == "weekly" else words.posts)(len(edition.items))


def _issue_part(part: Part, most: int, address: str, edition: Edition, draft: Draft) -> str:
    words, digest, site = draft.words, draft.config.digest, draft.config.site.url
    sent = words.sent_weekly if edition.kind == "weekly" else words.sent
    values = draft.frame_values(subject(edition, words.code)) | _issue_values(edition, words) | {
        "page": site + edition.path, "why": sent(address, draft.places.since, digest.opens)}
    return fullest(rows(edition, words, digest.most_per_blog, site),
                   lambda sections, rest: part(values | {"sections": sections, "rest": rest}), most)


def _issue_values(edition: Edition, words: Wording) -> Values:
    first, last = edition.first_day, edition.yesterday
    return {"days": words.span(first, last) if first < last else words.day(last),
            "count": _count(edition, words),
            "summary": edition.summary(words),
            "lacks": words.lacks(edition.blogs, edition.reached) if edition.lacks else "",
            "preheader": " · ".join(edition.titles(60)[1:4])}
