"""A collect, measured: `devdigest collect` beside plain readers, all asking one farm of feeds on loopback.

    .venv/bin/python tests/bench/collecting.py [--feeds 400] [--scale 0] [--days 2] [--sequential computed]

Each is a real process with a fresh database. Prints what each cost, and how ours stands to the goals: the
ratios count, as all run on the same machine one after the other. The temporary folder must lie on a disk.
"""
import argparse
import math
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bench.crops import Feed  # noqa: E402
from bench.farm import Farm  # noqa: E402
from bench.measured import Cost, measured  # noqa: E402

from devdigest.config import Collect  # noqa: E402

REFERENCES, ONE_EACH, NIGHT = (Path(__file__).with_name(f"{name}.py")
                               for name in ("references", "one_each", "night"))
OURS, EACH, POOL, SEQUENTIAL = "devdigest", "one each", "pool of 32", "sequential"
PER_OPERATOR = 4

Prepare = Callable[[Path, Farm, argparse.Namespace], list[object]]     # gives the command to be measured

SETTINGS = f"""\
[site]
clock = "trust"
[collect]
allow_private = true
gap = 0.0
per_operator = {PER_OPERATOR}
connections = {{connections}}
total_seconds = {{deadline}}
[database]
path = "{{folder}}/devdigest.db"
"""

WRITTEN = "SELECT written FROM run WHERE job = ? ORDER BY id DESC LIMIT 1"
STORED = {"devdigest.db": "SELECT feed, guid FROM post JOIN blog ON blog.id = post.blog_id",
          "reference.db": "SELECT feed, guid FROM post JOIN blog ON blog.id = post.blog"}


class Outcome(NamedTuple):
    """Of one reader on one day."""
    cost: Cost
    written: float          # MB, to the disk for the database, as its log tells
    stored: Counter[tuple[str, str]]    # (feed, guid) of all that it has by then
    overrun: float          # seconds, of the fetch that went furthest beyond the deadline, as the farm saw it
    connections: int        # most at one operator at one time, as the farm saw it
    asked: int              # requests
    night: float            # MB, by the care of ours in the night after it


class Goal(NamedTuple):
    what: str
    value: float
    most: float


def devdigest(folder: Path, farm: Farm, chosen: argparse.Namespace) -> list[object]:
    settings = folder / "config.toml"
    settings.write_text(SETTINGS.format(folder=folder, **vars(chosen)))
    command = [sys.executable, "-m", "devdigest", "--config", settings]
    # once without blogs, so that nothing is left to compile
    for words in (["init"], ["collect"], ["blogs", "import", folder / "urls.txt"]):
        subprocess.run([*command, *words], cwd=ROOT, check=True, capture_output=True)
    return [*command, "collect"]


def one_each(folder: Path, farm: Farm, chosen: argparse.Namespace) -> list[object]:
    """Ours, with a transaction for each feed."""
    command = devdigest(folder, farm, chosen)
    return [*command[:1], ONE_EACH, *command[3:]]


def plain(workers: int) -> Prepare:
    return lambda folder, farm, chosen: [sys.executable, REFERENCES, folder / "reference.db",
                                         folder / "urls.txt", "--workers", workers,
                                         "--timeout", chosen.deadline]


def stored(folder: Path) -> Counter[tuple[str, str]]:
    name = next(name for name in STORED if (folder / name).exists())
    database = sqlite3.connect(folder / name)
    found = Counter(database.execute(STORED[name]))
    database.close()
    return found


def written(folder: Path, job: str = "collect") -> float:
    """By the last run of a job, MB."""
    if not (folder / "devdigest.db").exists():
        return int((folder / "stdout").read_text()) / 1e6
    database = sqlite3.connect(folder / "devdigest.db")
    [count] = database.execute(WRITTEN, [job]).fetchone()
    database.close()
    return count / 1e6


def night(folder: Path) -> float:
    """MB that the night's care of ours wrote; none of another reader."""
    if not (folder / "devdigest.db").exists():
        return 0.0
    subprocess.run([sys.executable, NIGHT, folder / "config.toml"], cwd=ROOT, check=True)
    return written(folder, "care")


def days(farm: Farm, folder: Path, prepare: Prepare, chosen: argparse.Namespace) -> list[Outcome]:
    """What came of each day of one reader."""
    folder.mkdir()
    (folder / "urls.txt").write_text("\n".join(farm.urls))
    command, outcomes = prepare(folder, farm, chosen), []
    for day in range(1, chosen.days + 1):
        farm.begin(day)
        cost, seen = measured(command, folder, ROOT), farm.report()
        overrun = max(one.seconds for one in seen.asked) - chosen.deadline
        outcomes.append(Outcome(cost, written(folder), stored(folder), overrun,
                                max(seen.connections.values()), len(seen.asked), night(folder)))
    return outcomes


def computed(feeds: list[Feed], pool: Outcome, chosen: argparse.Namespace) -> Outcome:
    """What one after the other would take: all latencies, all that hangs or drips, the CPU of the pool."""
    waited = sum(feed.latency * chosen.scale for feed in feeds)
    waited += sum({"hangs": chosen.deadline, "drips": drip(chosen)}.get(feed.manner, 0) for feed in feeds)
    return pool._replace(cost=pool.cost._replace(wall=waited + pool.cost.cpu))


def drip(chosen: argparse.Namespace) -> float:
    """Seconds: enough to show a time-out that each header line begins anew."""
    return 3.0 * chosen.deadline


def readers(farm: Farm, folder: Path, chosen: argparse.Namespace) -> dict[str, list[Outcome]]:
    found = {OURS: days(farm, folder / "ours", devdigest, chosen)}
    show(OURS, found[OURS])
    if chosen.days > 1:
        found[EACH] = days(farm, folder / "each", one_each, chosen)
        show(EACH, found[EACH])
    found[POOL] = days(farm, folder / "pool", plain(32), chosen)
    show(POOL, found[POOL])
    if chosen.sequential == "run":
        found[SEQUENTIAL] = days(farm, folder / "sequential", plain(1), chosen)
        show(SEQUENTIAL, found[SEQUENTIAL])
    else:
        found[SEQUENTIAL] = [computed(farm.feeds, outcome, chosen) for outcome in found[POOL]]
    return found


HEAD = ("reader      day   CPU s   wall s  peak MB  written MB  night MB     posts  overrun s  connections"
        "  requests")


def show(name: str, outcomes: list[Outcome]) -> None:
    for day, one in enumerate(outcomes, start=1):
        cpu, wall, peak, _ = one.cost
        print(f"{name:<12} {day} {cpu:8.2f} {wall:8.1f} {peak:8.1f} {one.written:11.2f} {one.night:9.2f} "
              f"{one.stored.total():9,} {one.overrun:10.2f} {one.connections:12} {one.asked:9,}", flush=True)


def goals(day: int, of: dict[str, Outcome]) -> list[Goal]:
    ours, pool, sequential = of[OURS], of[POOL], of[SEQUENTIAL]
    different = (ours.stored - pool.stored) + (pool.stored - ours.stored)
    found = [Goal("CPU, of the pool's", ours.cost.cpu / pool.cost.cpu, 1 / 2.5 if day == 1 else 1 / 6),
             Goal("peak memory, of the pool's", ours.cost.peak / pool.cost.peak, 1 / 2),
             Goal("wall, of the sequential reader's", ours.cost.wall / sequential.cost.wall, 1 / 10),
             Goal("posts that only one of ours and the pool has", different.total(), 0),
             Goal("seconds beyond the deadline", ours.overrun, 1),
             Goal("connections at one operator", ours.connections, PER_OPERATOR)]
    if day > 1:     # on the first it is the posts themselves that are written
        found.append(Goal("written, of one transaction per feed", ours.written / of[EACH].written, 1 / 10))
        found.append(Goal("the same with the nights after both",
                          (ours.written + ours.night) / (of[EACH].written + of[EACH].night), math.inf))
        found.append(Goal("written, of the pool's", ours.written / pool.written, math.inf))
    return found


def judge(found: dict[str, list[Outcome]]) -> None:
    for day, outcomes in enumerate(zip(*found.values(), strict=True), start=1):
        for goal in goals(day, dict(zip(found, outcomes, strict=True))):
            print(f"day {day}  {goal.what:<45} {goal.value:8.3f}   at most {goal.most:6.3f}   "
                  f"{'yes' if goal.value <= goal.most else 'NO'}")


def polite(feeds: list[Feed]) -> float:
    """Minutes that a collect takes with the settings as shipped: the longest lane, or all shared out."""
    usual, lanes = Collect(), Counter()
    for feed in feeds:
        waits = usual.total_seconds if feed.manner in ("hangs", "drips") else feed.latency
        lanes[feed.operator] += waits + usual.gap
    return max(max(lanes.values()) / usual.per_operator, lanes.total() / usual.connections) / 60


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feeds", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=0.0, help="of the latencies: 1 as on the net, 0 none")
    parser.add_argument("--days", type=int, default=1, help="on each after the first, 5 %% have a new post")
    parser.add_argument("--day-two", dest="days", action="store_const", const=2, help="the same as --days 2")
    parser.add_argument("--deadline", type=int, help="seconds; 10, without latencies 2")
    parser.add_argument("--connections", type=int, default=Collect().connections,
                        help="of ours in all; as shipped")
    parser.add_argument("--sequential", choices=("run", "computed"), default="run",
                        help="its wall time, where running it takes too long")
    chosen = parser.parse_args()
    chosen.deadline = chosen.deadline or (10 if chosen.scale else 2)
    return chosen


def main() -> None:
    chosen = arguments()
    with (tempfile.TemporaryDirectory() as name,
          Farm(chosen.feeds, chosen.seed, chosen.scale, drip(chosen)) as farm):
        print(f"{chosen.feeds:,} feeds, latencies x {chosen.scale:g}, deadline {chosen.deadline} s, "
              f"{chosen.connections} connections of ours\n{HEAD}", flush=True)
        judge(readers(farm, Path(name), chosen))
        print(f"as shipped, politely, a collect takes {polite(farm.feeds):.1f} minutes")


if __name__ == "__main__":
    main()
