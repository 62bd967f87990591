"""`devdigest subscribers …`: who gets the digest, as the owner looks after it."""
import csv
import sys
from argparse import Namespace
from datetime import UTC, datetime

from devdigest import subscriber_lists, subscribers, suppressions
from devdigest.config import ConfigError
from devdigest.context import Context
from devdigest.days import local_day
from devdigest.readers import Subscriber
from devdigest.recipients import NotAnAddress, tidy
from devdigest.subscriber_lists import NotACsv
from devdigest.terminal import dump, table


class NoSuchSubscriber(Exception):
    """Nobody with this address."""


class LeftAlone(Exception):
    """Who left or is suppressed is not added."""


EXPECTED = (NoSuchSubscriber, LeftAlone, NotAnAddress, NotACsv)        # see cli.main


def add(context: Context, args: Namespace) -> int:
    email, zone, now = tidy(args.email), context.config.site.timezone, datetime.now(UTC)
    if reason := subscribers.why_not(email):
        raise LeftAlone(f"{email}: {reason}; whoever left comes back only by signing up again")
    known, asks = Subscriber.of(email), suppressions.may_be_asked(email, now)
    subscribers.add(email, now, zone, confirmed=args.confirmed, source=args.source or "the owner, by hand",
                    language=args.language or context.config.site.language)
    if known and known.state == "active":
        print(f"{email} is active already")
    elif args.confirmed:
        print(f"{email} gets the next issue")
    elif asks:
        print(f"{email} is asked to confirm; the mail goes out with the next `devdigest deliver`")
    else:
        print(f"{email} was asked already and has not confirmed; one mail a day may ask, three a month")
    return 0


def import_subscribers(context: Context, args: Namespace) -> int:
    if args.confirmed and not args.source:
        raise ConfigError("subscribers import --confirmed: --source TEXT says where the consents come from; "
                          "it is kept as their proof")
    site = context.config.site
    try:
        done = subscriber_lists.import_csv(
            args.file.read_bytes(), datetime.now(UTC), site.timezone, confirmed=args.confirmed,
            source=args.source or "import", language=site.language)
    except NotACsv as error:
        raise NotACsv(f"{args.file}: {error}; nothing was changed") from error
    for given, reason in done.refused:
        print(f"refused     {given}: {reason}")
    for given, reason in done.left_alone:
        print(f"left alone  {given}: {reason}")
    print(f"{args.file}: {len(done.added):,} added, {len(done.known):,} known already, "
          f"{len(done.left_alone):,} left alone, {len(done.refused):,} refused"
          + ("" if args.confirmed else "; who was added is asked to confirm"))
    return 0


def export(context: Context, args: Namespace) -> int:
    writer = csv.writer(sys.stdout)
    writer.writerow(("email", "state", "language", "frequency", "paused_until", "created", "confirmed"))
    for one in Subscriber.select().order_by(Subscriber.id):
        writer.writerow((one.email, one.state, one.language, one.frequency, one.paused_until or "",
                         one.created, one.confirmed or ""))
    return 0


def list_subscribers(context: Context, args: Namespace) -> int:
    everyone, zone = list(Subscriber.select().order_by(Subscriber.id)), context.config.site.timezone
    if args.json:
        print(dump([{"id": one.id, "email": one.email, "state": one.state, "language": one.language,
                     "frequency": one.frequency, "paused_until": one.paused_until, "created": one.created}
                    for one in everyone]))
    elif not everyone:
        print("no subscribers; `devdigest subscribers add EMAIL`")
    else:
        print(table([(one.id, one.state, one.language, one.frequency, one.paused_until or "",
                      local_day(one.created, zone), one.email) for one in everyone],
                    ("id", "state", "lang", "frequency", "paused until", "since", "email")))
    return 0


def remove(context: Context, args: Namespace) -> int:
    subscriber = _find(args.email)
    subscribers.cancel(subscriber, datetime.now(UTC), context.config.site.timezone)
    print(f"{subscriber.email} gets no more mail; `devdigest subscribers forget` erases the address too")
    return 0


def forget(context: Context, args: Namespace) -> int:
    subscribers.forget(_find(args.email), datetime.now(UTC), context.config.site.timezone)
    print("erased: the address, its consents, and what relays said of it")
    return 0


def _find(email: str) -> Subscriber:
    subscriber = Subscriber.of(tidy(email))
    if subscriber is None:
        raise NoSuchSubscriber(f"{email}: no such subscriber; `devdigest subscribers list` shows all")
    return subscriber
