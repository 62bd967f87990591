"""Everything that could be wrong with this installation, each with its cure. Changes nothing."""
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from peewee import DatabaseError

from devdigest import clock, credentials, mail_check, plan, sender_check
from devdigest.config import LOOPBACK, Bounces, Config, ConfigError
from devdigest.database import VERSION
from devdigest.days import at, local_day
from devdigest.fetching import Fetching
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.imap import Mailbox, MailboxError
from devdigest.memory import HOLD_REASON, Run, Setting
from devdigest.models import Blog, Issue
from devdigest.name_server import NameServer
from devdigest.readers import Subscriber
from devdigest.reports import Alarm
from devdigest.table import db

_LEAST_FREE = 200_000_000       # bytes; a day writes a few MB, an upgrade some hundred
# Names under which an owner cannot set SPF and DKIM; a mail from them ends in the spam folder.
_SHARED_NAMES = ("duckdns.org", "mooo.com", "us.to", "chickenkiller.com", "ddns.net", "iptime.org",
                 "dynv6.net")
_MAILBOXES = ("gmail.com", "naver.com", "daum.net", "hanmail.net", "kakao.com")
_MAILBOX_READERS = 100


def findings(config: Config, path: Path | None, now: datetime, password: str,
             names: NameServer) -> Iterator[Finding]:
    """Every check, one after the other, ground first."""
    yield Finding("config", OK, str(path or "embedded defaults"))
    yield _disk(config)
    yield (database := _database())
    if database.state == RED:
        return              # it would be asked for everything else
    yield _clock(config, now)
    yield _sender(config)
    yield mail_check.relay(config.mail, password)
    if config.mail.transport == "smtp" and _is_own(config.mail.domain.lower()):
        yield from sender_check.findings(config, names)
    yield _plan(config, now)
    yield _bounces(config)
    yield _site(config)
    yield _blogs()
    yield _collected(now)
    yield _issue(config, now)
    yield _hold()


def _clock(config: Config, now: datetime) -> Finding:
    if config.site.clock == "trust":
        return Finding("clock", WARN, "trusted unseen", 'remove site.clock = "trust" on a real installation')
    doubt = clock.doubt(now, Setting.last_seen(), clock.synchronised())
    return Finding("clock", RED, doubt, "sudo timedatectl set-ntp true") if doubt else Finding(
        "clock", OK, f"in sync, {now.astimezone(config.site.timezone):%H:%M} in {config.site.zone}")


def _disk(config: Config) -> Finding:
    folder = config.folder
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Finding("disk", RED, f"{folder} cannot be written", "is the card read-only? look at `dmesg`")
    state = OK if free > _LEAST_FREE else RED
    return Finding("disk", state, f"{free // 1_000_000:,} MB free at {folder}",
                   "" if state == OK else "make room: `sudo journalctl --vacuum-size=50M`, `sudo apt clean`")


def _database() -> Finding:
    try:
        said = db.execute_sql("PRAGMA quick_check(1)").fetchone()[0]
        with db.atomic():       # IMMEDIATE: asks for the right to write
            pass
    except DatabaseError as error:      # damaged where even that question ends
        said = str(error)
    if said != "ok":
        return Finding("database", RED, f"{db.database} is damaged: {said}", "restore the newest backup")
    return Finding("database", OK, f"{db.database}, version {VERSION}, intact")


def _sender(config: Config) -> Finding:
    domain = config.mail.domain.lower()
    if config.mail.transport == "maildir":
        return Finding("sender", WARN, "mails go into a folder, to nobody", 'set [mail] transport = "smtp"')
    if domain.endswith(".localdomain"):
        return Finding("sender", RED, f"nobody takes mail from {config.mail.sender}", "set [mail] from")
    if _is_shared(domain):
        return Finding("sender", RED, f"{domain} cannot carry SPF and DKIM", "send from a domain of your own")
    readers = Subscriber.select().where(Subscriber.state == "active").count()
    if domain in _MAILBOXES and readers > _MAILBOX_READERS:
        return Finding("sender", RED, f"{readers} readers are too many for a mailbox at {domain}",
                       "send from a domain of your own, through a relay")
    return Finding("sender", OK, config.mail.sender)


def _is_shared(domain: str) -> bool:
    return any(domain == name or domain.endswith("." + name) for name in _SHARED_NAMES)


def _is_own(domain: str) -> bool:
    """Whether the owner can set its records."""
    return not (_is_shared(domain) or domain in _MAILBOXES or domain.endswith(".localdomain"))


def _plan(config: Config, now: datetime) -> Finding:
    if said := plan.outgrown(config, now):
        return Finding("plan", WARN, said, "ask for a larger one; set [mail] per_day and per_second")
    return Finding("plan", OK, f"carries {Subscriber.active():,} readers")


def _bounces(config: Config) -> Finding:
    settings = config.bounces
    if alarms := Alarm.open():
        return Finding("bounces", RED, f"issue {alarms[0].issue.day}: {alarms[0].said}", "devdigest bounces")
    if not settings.imap and not settings.webhook:
        if config.mail.transport == "maildir":
            return Finding("bounces", OK, "nothing comes back from a folder")
        return Finding("bounces", WARN, "nobody reads what comes back: dead addresses are mailed for ever",
                       "set [bounces] imap, or webhook")
    try:
        if settings.imap:
            Mailbox(settings, credentials.imap_password(settings)).close()
        if settings.webhook:
            _webhook(settings)
    except (MailboxError, ConfigError) as error:
        return Finding("bounces", RED, str(error), "mend [bounces]; bounces wait meanwhile")
    ways = (settings.imap and f"{settings.address} at {settings.imap}, logged in", settings.webhook)
    return Finding("bounces", OK, ", ".join(filter(None, ways)))


def _webhook(settings: Bounces) -> None:
    """Raises ConfigError for a secret or a key that is missing."""
    least = credentials.LEAST_SECRET
    if len(credentials.webhook_secret(settings)) < least:
        raise ConfigError(f"the webhook's secret has less than {least} characters, so no post is taken")
    if not credentials.webhook_key(settings):
        raise ConfigError(f"the key of {settings.webhook} is missing, so none of its posts is believed")


def _site(config: Config) -> Finding:
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


def _blogs() -> Finding:
    count = Blog.select().where(Blog.state == "active").count()
    failing = Fetching.failing().count()
    if not count:
        return Finding("blogs", RED, "none", "devdigest blogs import FILE-OR-URL")
    state = OK if 2 * failing < count else WARN
    return Finding("blogs", state, f"{count:,} active, {failing:,} failing",
                   "" if state == OK else "devdigest blogs list --failing")


def _collected(now: datetime) -> Finding:
    run = Run.last("collect")
    if run is None or now - run.started > timedelta(hours=26):
        return Finding("collect", RED, f"last {run.started:%Y-%m-%d %H:%M} UTC" if run else "never",
                       "is the worker running? `devdigest collect` does it by hand")
    return Finding("collect", OK, run.said)


def _issue(config: Config, now: datetime) -> Finding:
    zone = config.site.timezone
    today = local_day(now, zone)
    if Issue.of(today) is None and now > at(today, config.digest.opens, zone) + timedelta(hours=1):
        return Finding("issue", WARN, f"none for {today} yet", "devdigest status")
    last = Issue.select().where(Issue.kind == "daily").order_by(Issue.day.desc()).first()
    return Finding("issue", OK, f"last {last.day}, {last.state}" if last else "none yet")


def _hold() -> Finding:
    since = Setting.held_since()
    if since is None:
        return Finding("hold", OK, "not held")
    why = f": {reason}" if (reason := Setting.read(HOLD_REASON)) else ""
    return Finding("hold", WARN, f"since {since:%Y-%m-%d %H:%M} UTC{why}", "devdigest resume")
