"""What the owner was asked: eight questions, each also a flag and an environment variable; kept."""
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from installer.tell import Refused

PREFIX = "DEVDIGEST_"


def _asked(does: str) -> str:
    return field(default="", metadata={"help": does})


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Empty where it was not answered. Passwords are credentials, never answers."""
    sender: str = _asked("address the digest is sent from")
    relay: str = _asked("host:port of the relay, or maildir for a trial without one")
    relay_user: str = _asked("login at the relay; else the sender")
    name: str = _asked("public host name of the site; empty for the LAN alone")
    ddns: str = _asked("who keeps the name right: router, freedns, duckdns, noip, cloudflare, dynv6, "
                       "dyndns2 or none")
    ddns_server: str = _asked("the server of dyndns2")
    ddns_user: str = _asked("login there")
    owner: str = _asked("your mailbox; else the sender")
    blogs: str = _asked("the list of blogs: awesome-devblog, a file, a URL, or none")
    zone: str = _asked("time zone, as Asia/Seoul")
    language: str = _asked("ko or en")
    time: str = _asked("when the digest goes out, HH:MM")
    copy_to: str = _asked("second place of backups: a folder, or user@host:folder")
    keep_logs: str = _asked("yes or no: keep the journal of earlier boots, up to 100 MB")


NAMES = tuple(one.name for one in fields(Answers))


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    """The environment variable of an answer; the same word stands in a file of answers."""
    return PREFIX + name.upper()


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[variable(name)] for name in NAMES if variable(name) in environ}


def parse(text: str, path: object) -> dict[str, str]:
    """What a file of KEY=VALUE lines answers; nothing in it is run. Raises Refused."""
    known, given = {variable(name): name for name in NAMES}, {}
    for number, row in enumerate(text.splitlines(), start=1):
        key, equals, value = row.strip().partition("=")
        if not key or key.startswith("#"):
            continue
        if not equals or key.strip() not in known:
            raise Refused(f"{path}, line {number}: {key.strip()!r} is no answer",
                          f"lines are KEY=VALUE, with a KEY of {', '.join(known)}", 2)
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        given[known[key.strip()]] = value[1:-1] if quoted else value
    return given


def saved(path: Path) -> dict[str, str]:
    """What was answered last time; nothing where nobody was asked yet. Raises Refused."""
    return parse(path.read_text(encoding="utf-8"), path) if path.exists() else {}


def as_text(answers: Answers) -> str:
    rows = [f"{variable(name)}={value}\n" for name, value in asdict(answers).items()]
    return "# What setup.sh was told, for its next run. No passwords.\n" + "".join(rows)


def first_of(sources: Iterable[Mapping[str, str]]) -> Answers:
    """Each answer from the first source that has it, also where it is empty there."""
    given: dict[str, str] = {}
    for source in sources:
        given = {**source, **given}
    return Answers(**{name: value.strip() for name, value in given.items()})
