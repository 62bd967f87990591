"""A mailing, measured: `devdigest deliver` beside smtplib, all to one sink with a settable round-trip time.

    .venv/bin/python tests/bench/mailing.py [--rtt 100] [--rounds 3] [--subscribers 10000] [--many 100000]

Each is a real process, ours with a real database, so with all its claims and commits. Prints what each cost,
and how ours stands to the goals, which are for 100 ms: the ratios count, each of one round, the median of all
rounds. A rate is that from the first connection to the last reply. Who is slow sends fewer mails, and what
1,000 would take is computed from its rate. The temporary folder must lie on a disk. Takes ten minutes.
"""
import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bench import outbox  # noqa: E402
from bench.building import a_mail, made  # noqa: E402
from bench.measured import Cost, measured  # noqa: E402
from bench.sink import Report, Sink  # noqa: E402

from devdigest import config as settings  # noqa: E402
from devdigest.readers import Delivery  # noqa: E402

SENDERS = Path(__file__).with_name("senders.py")
OFFERS = ("PIPELINING", "8BITMIME", "CHUNKING", "ENHANCEDSTATUSCODES", "SIZE 35882577")

SETTINGS = """\
[site]
clock = "trust"
url = "https://digest.example.org"
owner = "owner@example.org"
[mail]
transport = "smtp"
security = "none"
host = "127.0.0.1"
port = {port}
from = "digest@example.org"
connections = {lines}
{more}
[database]
path = "{folder}/devdigest.db"
"""


class Sender(NamedTuple):
    name: str
    mails: int              # in one round
    lines: int = 0          # of ours; 0 is smtplib
    window: int = 1
    plain: bool = False     # the sink offers no PIPELINING, as Amazon's relay
    smtplib: str = ""


EACH, KEPT = Sender("smtplib, each", 12, smtplib="each"), Sender("smtplib, kept", 30, smtplib="kept")
POOL = Sender("smtplib, pool of 20", 400, smtplib="pool")
ONE, FOUR, EIGHT = Sender("ours, 1", 120, 1), Sender("ours, 4", 400, 4), Sender("ours, 8", 3_200, 8)
PLAIN = Sender("ours, 8, plain", 200, 8, plain=True)
WINDOW = Sender("ours, 4 x 8", 2_000, 4, window=8)
ALL = (EACH, KEPT, POOL, ONE, FOUR, EIGHT, PLAIN, WINDOW)


class Sent(NamedTuple):
    cost: Cost
    seen: Report
    commits: int
    written: float          # MB


class Goal(NamedTuple):
    what: str
    value: float
    bound: float
    least: bool = False     # the bound is the least, else the most

    def __str__(self) -> str:
        met = self.value >= self.bound if self.least else self.value <= self.bound
        return (f"{self.what:<66} {self.value:9.3f}   at {'least' if self.least else 'most '} "
                f"{self.bound:8.3f}   {'yes' if met else 'NO'}")


def deliver(folder: Path, sink: Sink, sender: Sender) -> Sent:
    """One `devdigest deliver` of a new issue."""
    folder.mkdir()
    more = f"window = {sender.window}" if sender.window > 1 else ""
    (folder / "config.toml").write_text(SETTINGS.format(port=sink.port, folder=folder, more=more,
                                                        lines=sender.lines))
    database = folder / "devdigest.db"
    outbox.seed(database, sender.mails)
    with outbox.Ledger(database) as ledger:
        cost = run(sink, folder, "-m", "devdigest", "--config", folder / "config.toml", "deliver")
    with outbox.opened(database):
        unsent = Delivery.select().where(Delivery.state != "sent").count()
    if unsent:
        raise SystemExit(f"{sender.name}: {unsent} rows are not sent\n{(folder / 'stderr').read_text()}")
    return checked(Sent(cost, sink.report(), ledger.commits, ledger.written), sender)


def smtplib(folder: Path, sink: Sink, sender: Sender, message: bytes) -> Sent:
    folder.mkdir()
    (folder / "message").write_bytes(message)
    cost = run(sink, folder, SENDERS, sender.smtplib, sink.port, folder / "message", sender.mails)
    return checked(Sent(cost, sink.report(), 0, 0), sender)


def run(sink: Sink, folder: Path, *words: object) -> Cost:
    sink.begin()
    return measured([sys.executable, *words], folder, ROOT)


def checked(sent: Sent, sender: Sender) -> Sent:
    """Ends the program where not each mail arrived once, or something was sent too early."""
    mails, early = sent.seen.mails, sent.seen.early
    if set(mails.values()) != {1} or len(mails) != sender.mails or early:
        raise SystemExit(f"{sender.name}: {sum(mails.values())} mails to {len(mails)} of {sender.mails} "
                         f"readers; {early} connections cut")
    return sent


HEAD = ("                        mails  mails/s  RTTs/mail  1,000 in s   peak MB  CPU ms/mail  connections  "
        "commits/mail  KB/mail written")


def show(sender: Sender, sent: Sent, rtt: float) -> None:
    rate = sent.seen.rate
    ledger = f"{sent.commits / sender.mails:13.3f} {1_000 * sent.written / sender.mails:16.2f}"
    trips = f"{1 / (rate * rtt):10.2f}" if rtt else " " * 10
    print(f"{sender.name:<21} {sender.mails:7,} {rate:8,.1f} {trips} {1_000 / rate:11.1f} "
          f"{sent.cost.peak:9.1f} {1_000 * sent.cost.cpu / sender.mails:12.2f} {sent.seen.connections:12} "
          f"{ledger if sender.lines else ''}", flush=True)


def one_round(folder: Path, rtt: float, message: bytes) -> dict[Sender, Sent]:
    folder.mkdir()
    sent = {}
    plain = [offer for offer in OFFERS if offer not in ("PIPELINING", "CHUNKING")]
    with Sink(rtt, *OFFERS) as able, Sink(rtt, *plain) as unable:
        for number, sender in enumerate(ALL):
            sink, place = unable if sender.plain else able, folder / str(number)
            sent[sender] = (deliver(place, sink, sender) if sender.lines
                            else smtplib(place, sink, sender, message))
            show(sender, sent[sender], rtt)
    return sent


def speeds(rounds: list[dict[Sender, Sent]]) -> list[Goal]:
    def faster(ours: Sender, theirs: Sender) -> float:
        return statistics.median(one[ours].seen.rate / one[theirs].seen.rate for one in rounds)

    memory = statistics.median(one[EIGHT].cost.peak / one[POOL].cost.peak for one in rounds)
    return [Goal("1 connection, PIPELINING: rate, of smtplib with one each", faster(ONE, EACH), 6, True),
            Goal("1 connection, PIPELINING: rate, of smtplib with one kept", faster(ONE, KEPT), 3.5, True),
            Goal("8 connections, PIPELINING: rate, of the pool's", faster(EIGHT, POOL), 3, True),
            Goal("8 connections: memory, of the pool's", memory, 1 / 4),
            Goal("4 connections, 8 under way on each by CHUNKING: rate, of the pool's",
                 faster(WINDOW, POOL), 10, True)]


def making(path: Path) -> list[Goal]:
    one = made(path, settings.load(path.with_name("config.toml")))
    print(f"\nto make a mail: {1e6 * one.filled:.1f} us filled, {1e6 * one.signed:.1f} with its tokens "
          f"signed, {1e6 * one.built:,.0f} as an EmailMessage; octets {one.octets:,}, {one.default:,}",
          flush=True)
    return [Goal("filling a mail: rate, of building an EmailMessage", one.built / one.filled, 500, True),
            Goal("octets on the wire, of the EmailMessage's", one.octets / one.default, 0.75)]


def writing(folder: Path, readers: int) -> list[Goal]:
    folder.mkdir()
    ours, theirs = (way(folder / f"{way.__name__}.db", readers) for way in (outbox.queued, outbox.inserted))
    print(f"\noutbox of {readers:,}: {ours.written:.1f} MB in {ours.commits} commit, one insert each "
          f"{theirs.written:.1f} MB in {theirs.commits:,}", flush=True)
    return [Goal("outbox: bytes, of one insert each", ours.written / theirs.written, 1 / 30)]


def long_run(folder: Path, rtt: float, readers: int) -> list[Goal]:
    """8 connections to everyone, and what the marks cost."""
    everyone = EIGHT._replace(name="ours, 8, everyone", mails=readers)
    print(f"\n{HEAD}", flush=True)
    with Sink(rtt, *OFFERS) as sink:
        ours = deliver(folder, sink, everyone)
    show(everyone, ours, rtt)
    theirs = outbox.marked(folder / "marked.db", readers)
    print(f"both marks of each mail by a commit of their own: {theirs.commits / readers:.3f} commits, "
          f"{1_000 * theirs.written / readers:.2f} KB/mail written", flush=True)
    return [Goal("marks: commits, of one each", ours.commits / theirs.commits, 1 / 8),
            Goal("marks: bytes, of one commit each", ours.written / theirs.written, 1 / 8),
            Goal(f"MB at the peak of a mailing to {readers:,}", ours.cost.peak, 60)]


def growth(folder: Path, few: int, many: int) -> list[Goal]:
    """As fast as it goes: no time away, 8 connections with 8 mails under way on each."""
    folder.mkdir()
    peaks = {}
    for readers in (few, many):
        sender = Sender("ours, 8 x 8, 0 ms", readers, 8, window=8)
        with Sink(0, *OFFERS) as sink:
            sent = deliver(folder / str(readers), sink, sender)
        show(sender, sent, 0)
        peaks[readers] = sent.cost.peak
    return [Goal(f"peak of a mailing to {many:,}, of that to {few:,}", peaks[many] / peaks[few], 1.1)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rtt", type=float, default=100, help="milliseconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--subscribers", type=int, default=10_000, help="in the long run")
    parser.add_argument("--many", type=int, default=0, help="and in one more, for the memory; takes minutes")
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    rtt = chosen.rtt / 1_000
    with tempfile.TemporaryDirectory() as name:
        folder, sample = Path(name), Path(name) / "sample"
        sample.mkdir()
        (sample / "config.toml").write_text(SETTINGS.format(port=25, folder=sample, lines=1, more=""))
        outbox.seed(sample / "devdigest.db", 1)
        message = a_mail(sample / "devdigest.db", settings.load(sample / "config.toml"))
        print(f"mails of {len(message):,} octets, {chosen.rtt:g} ms\n{HEAD}", flush=True)
        rounds = [one_round(folder / f"round{number}", rtt, message) for number in range(chosen.rounds)]
        goals = speeds(rounds) + making(sample / "devdigest.db")
        goals += writing(folder / "outbox", chosen.subscribers)
        goals += long_run(folder / "long", rtt, chosen.subscribers)
        if chosen.many:
            goals += growth(folder / "many", chosen.subscribers, chosen.many)
        print("", *goals, sep="\n")


if __name__ == "__main__":
    main()
