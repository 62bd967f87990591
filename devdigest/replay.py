"""The log of departures → the database: whoever has left since a backup was made is not mailed after it."""
import logging
from collections import Counter
from zoneinfo import ZoneInfo

from devdigest import departures, subscribers, suppressions, tokens
from devdigest.departures import ERASED, LEFT, REPLAYED, SUPPRESSED, Line
from devdigest.memory import Setting
from devdigest.readers import Subscriber
from devdigest.table import db

log = logging.getLogger(__name__)


def replay(zone: ZoneInfo) -> Counter[str]:
    """Does what the log tells and this database does not know, by kind how often; may be repeated at will.

    An older database, as after a restore or a roll-back, catches up by itself. A reader's own newer word,
    such as a new consent, is not touched.
    """
    departures.catch_up()
    departures.compact()
    lines, counts = departures.lines(), Counter[str]()
    newest = max((line.number for line in lines), default=0)
    known = int(Setting.read(REPLAYED) or 0)
    if known > newest:          # of another log: this one was begun anew
        known = 0
    last = {line.track: line for line in lines}
    new = [line for line in last.values() if line.number > known]
    if new:
        with db.atomic(), departures.muted():
            readers = _by_hash() if any(line.kind != SUPPRESSED for line in new) else {}
            for line in new:
                counts[line.kind] += _obey(line, readers.get(line.address), zone)
            Setting.write(REPLAYED, str(newest))
    counts = +counts
    if counts:
        log.warning("departures: %s, as the log tells and the database did not know",
                    ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return counts


def _by_hash() -> dict[str, Subscriber]:
    key = subscribers.link_key()
    return {tokens.address_hash(key, reader.email): reader for reader in Subscriber.select()}


def _obey(line: Line, reader: Subscriber | None, zone: ZoneInfo) -> bool:
    """Whether it was news."""
    if line.kind == SUPPRESSED:
        return suppressions.again(line.address, line.reason, line.at)
    if line.kind not in (LEFT, ERASED):
        return False
    if reader is not None and subscribers.newest_word(reader) > line.at:
        return False
    if line.kind == ERASED:
        suppressions.keep_out_hash(line.address, line.at)
        if reader is not None:
            subscribers.forget(reader, line.at, zone)
        return reader is not None
    if reader is None or reader.state == "cancelled":
        return False
    subscribers.cancel(reader, line.at, zone)
    return True
