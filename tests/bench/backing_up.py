"""A backup of a large database: seconds, memory, bytes, and how long a sign-up waits meanwhile.

`python tests/bench/backing_up.py FOLDER`, with a database in it as devdigest.db, say of 200,000 posts.
"""
import resource
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from devdigest import database, subscribers
from devdigest.backup import backup
from devdigest.config import Config
from devdigest.readers import Subscriber
from devdigest.table import db


def main(folder: Path) -> None:
    config = replace(Config(), database=replace(Config().database, path=str(folder / "devdigest.db")))
    database.open(config.database.path)
    before = _peak()
    waits: list[float] = []
    over = threading.Event()
    visitor = threading.Thread(target=_sign_up, args=(config, over, waits))
    visitor.start()
    time.sleep(2)
    alone, count = max(waits), len(waits)
    made = backup(config, datetime.now(UTC), threading.Event())
    during = waits[count:]
    over.set()
    visitor.join()
    print(f"{made.bytes / 1e6:.0f} MB in {made.seconds:.1f} s, peak memory {before:.0f} to {_peak():.0f} MB")
    print(f"sign-ups: {count} before, slowest {1000 * alone:.0f} ms; {len(during)} during, slowest "
          f"{1000 * max(during):.0f} ms")


def _sign_up(config: Config, over: threading.Event, waits: list[float]) -> None:
    with db.connection_context():
        while not over.is_set():
            began = time.monotonic()
            now = datetime.now(UTC)
            with db.atomic():
                reader = Subscriber.create(email=f"{began}@example.org", created=now)
                subscribers.request(reader, now, config.site.timezone, source="form")
            waits.append(time.monotonic() - began)
            time.sleep(0.01)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


main(Path(sys.argv[1]))
