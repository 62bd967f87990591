"""`devdigest subscribers …`: who gets the digest, as the owner looks after it."""
import csv
import sys
from argparse import Namespace
from datetime import UTC, datetime

from devdigest import subscribers
from devdigest.commands import Context
from devdigest.config import ConfigError
from devdigest.days import local_day
from devdigest.readers import Subscriber
from devdigest.terminal import dump, table


class NoSuchSubscriber(Exception):
    """Nobody with this address."""


def add(context: Context, args: Namespace) -> int:
    email = subscribers.tidy(args.email)
    if reason := subscribers.why_not(email):
        raise subscribers.NotAnAddress(f"{email}: {reason}; whoever left comes back only by signing up again")
    known, now = Subscriber.of(email), datetime.now(UTC)
    asked = known is not None and subscribers.was_asked_today(known, now)
    subscribers.add(email, now, confirmed=args.confirmed,
                    source=args.source or "the owner, by hand",
                    language=args.language or context.config.site.language)
    if known and known.state == "active":
        print(f"{email} is active already")
    elif args.confirmed:
        print(f"{email} gets the next issue")
    elif asked:
        print(f"{email} was asked today, and has not confirmed yet")
    else:
        print(f"{email} is asked to confirm; the mail goes out with the next `devdigest deliver`")
    return 0


def import_subscribers(context: Context, args: Namespace) -> int:
    if args.confirmed and not args.source:
        raise ConfigError("subscribers import --confirmed: --source TEXT says where the consents come from; "
                          "it is kept as their proof")
    try:
        done = subscribers.import_csv(args.file.read_bytes(), datetime.now(UTC), confirmed=args.confirmed,
                                      source=args.source or "import", language=context.config.site.language)
    except subscribers.NotACsv as error:
        raise subscribers.NotACsv(f"{args.file}: {error}; nothing was changed") from error
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
    writer.writerow(("email", "state", "language", "frequency", "created", "confirmed"))
    for one in Subscriber.select().order_by(Subscriber.id):
        writer.writerow((one.email, one.state, one.language, one.frequency, one.created, one.confirmed or ""))
    return 0


def list_subscribers(context: Context, args: Namespace) -> int:
    everyone, zone = list(Subscriber.select().order_by(Subscriber.id)), context.config.site.timezone
    if args.json:
        print(dump([{"id": one.id, "email": one.email, "state": one.state, "language": one.language,
                     "frequency": one.frequency, "created": one.created} for one in everyone]))
    elif not everyone:
        print("no subscribers; `devdigest subscribers add EMAIL`")
    else:
        print(table([(one.id, one.state, one.language, one.frequency, local_day(one.created, zone), one.email)
                     for one in everyone], ("id", "state", "lang", "frequency", "since", "email")))
    return 0


def remove(context: Context, args: Namespace) -> int:
    subscriber = _find(args.email)
    subscribers.cancel(subscriber, datetime.now(UTC))
    print(f"{subscriber.email} gets no more mail; `devdigest subscribers forget` erases the address too")
    return 0


def forget(context: Context, args: Namespace) -> int:
    subscribers.forget(_find(args.email), datetime.now(UTC))
    print("erased: the address, its consents, and what relays said of it")
    return 0


def _find(email: str) -> Subscriber:
    subscriber = Subscriber.of(subscribers.tidy(email))
    if subscriber is None:
        raise NoSuchSubscriber(f"{email}: no such subscriber; `devdigest subscribers list` shows all")
    return subscriber
