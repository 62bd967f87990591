"""Mails to the owner: what needs a hand, the week, a first look at the issue. No query, clock or socket."""
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from devdigest import compose
from devdigest.config import Config
from devdigest.draft import Draft, part
from devdigest.edition import Edition
from devdigest.letter import Letter, Places, write
from devdigest.owner_words import OWNER_WORDINGS, OwnerWording
from devdigest.wording import WORDINGS

_TEXT, _HTML = part("owner", "txt"), part("owner", "html")
_NAMES = 3              # of troubles in a subject
_DELIVERIES, _FAILING, _BACKUP, _CHECK = (f"sudo devdigest {words}" for words in (
    "deliveries --failed", "blogs list --failing", "backup", "check"))


@dataclass(frozen=True)
class Line:
    """A fact: what of, since when or until when where that counts, and what to do about it, if anything."""
    label: str
    said: str
    when: str = ""
    cure: str = ""


@dataclass(frozen=True)
class Told:
    """A trouble as it is told: `over` is None while it stands."""
    name: str
    fact: str
    cure: str
    since: datetime
    over: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Week:
    """The seven days before a Monday, and how it stands on it. `free`: bytes; `power`: "" if it is well."""
    monday: date
    issues: int
    empty: int
    posts: int
    sent: int
    refused: int
    given_up: int
    readers: int
    new: int
    lost: int
    blogs: int
    failing: int
    failing_new: int
    free: int
    backup: datetime | None
    power: str | None               # None where nobody can tell
    hands: tuple[Line, ...]         # what is RED, each with its cure
    hints: tuple[str, ...]          # names of what is not quite right
    over: tuple[Told, ...]


@dataclass(frozen=True)
class _Section:
    heading: str
    lines: tuple[Line, ...]
    table: bool = False             # labels beside short facts


def trouble(config: Config, new: Iterable[Told], still: Iterable[Told], over: Iterable[Told],
            sent: datetime) -> Letter:
    """`new` is what the mail is for; `still` stands since an earlier one; `over` was told of before."""
    new, words = tuple(new), OWNER_WORDINGS[config.site.language]
    names = list(dict.fromkeys(one.name for one in new))
    named = names[:_NAMES] + (["…"] if len(names) > _NAMES else [])
    sections = [_Section("", tuple(_line(one, config, words) for one in new)),
                _Section(words.still, tuple(_line(one, config, words) for one in still)),
                _Section(words.over, tuple(_line(one, config, words) for one in over))]
    return _mail(config, f"{config.site.name}: {words.trouble_subject(named)}",
                 words.trouble_headline(len(new)), words.trouble_lead, sections, words.trouble_end, sent,
                 f"trouble.{_day(config, sent)}")


def _line(one: Told, config: Config, words: OwnerWording) -> Line:
    zone = config.site.timezone
    since = one.since.astimezone(zone)
    if one.over is not None:
        return Line(one.name, one.fact, words.until(since, one.over.astimezone(zone)))
    return Line(one.name, one.fact, words.since(since), one.cure)


def summary(config: Config, week: Week, sent: datetime) -> Letter:
    """Made to be read on a phone in ten seconds: first whether anything wants a look."""
    words = OWNER_WORDINGS[config.site.language]
    headline = words.wants(len(week.hands)) if week.hands else words.well
    sections = [_Section(words.hands, week.hands),
                _Section(words.numbers, _numbers(config, week, words), table=True),
                _Section(words.over, tuple(_line(one, config, words) for one in week.over))]
    days = words.week(week.monday - timedelta(days=7), week.monday - timedelta(days=1))
    return _mail(config, f"{config.site.name} {days}: {headline}", headline, days, sections, "", sent,
                 f"summary.{week.monday}")


def _numbers(config: Config, week: Week, words: OwnerWording) -> tuple[Line, ...]:
    backup = week.backup and words.backup_made(week.backup.astimezone(config.site.timezone))
    power = (Line(words.power, week.power or words.power_well),) if week.power is not None else ()
    troubles = (Line(words.troubles, words.no_troubles),) if not (week.hands or week.over) else ()
    hints = (Line(words.hints, ", ".join(week.hints), cure=_CHECK),) if week.hints else ()
    return (Line(words.issues, words.issues_made(week.issues, week.empty)),
            Line(words.posts, words.posts_mailed(week.posts)),
            Line(words.mails, words.mails_ended(week.sent, week.refused, week.given_up),
                 cure=_DELIVERIES if week.refused or week.given_up else ""),
            Line(words.readers, words.readers_now(week.readers, week.new, week.lost)),
            Line(words.blogs, words.blogs_failing(week.blogs, week.failing, week.failing_new),
                 cure=_FAILING if week.failing_new else ""),
            Line(words.disk, words.disk_free(_size(week.free))),
            Line(words.backup, backup or words.backup_never, cure="" if backup else _BACKUP),
            *power, *troubles, *hints)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count < 10e9 else f"{count / 1e9:.0f} GB"


def preview(edition: Edition, config: Config, link: str, readers: int, sent: datetime) -> Letter:
    """The issue as readers get it, under a bar with the link that holds it; what is opened is not counted."""
    words = OWNER_WORDINGS[config.site.language]
    return compose.first_look(edition, config, sent, compose.Bar(
        words.preview, words.preview_goes(config.digest.opens, readers), words.preview_hold, link,
        words.preview_end))


def _mail(config: Config, title: str, headline: str, lead: str, sections: list[_Section], end: str,
          sent: datetime, about: str) -> Letter:
    shown = [section for section in sections if section.lines]
    draft = Draft(config, WORDINGS[config.site.language], Places.in_a_mail_on((title, shown, sent)))
    values = draft.frame_values(title) | {
        "headline": headline, "lead": lead, "sections": shown, "end": end, "why": "",
        "preheader": " · ".join(f"{one.label}: {one.said}" for one in shown[0].lines[:3])}
    return write(draft.lines(title, sent, about), _TEXT(values), _HTML(values), draft.places,
                 draft.words.since)


def _day(config: Config, instant: datetime) -> date:
    return instant.astimezone(config.site.timezone).date()
