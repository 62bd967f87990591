"""Keeps the name pointed at this home; run every five minutes by devdigest-ddns.timer.

Asks the provider only for a reason: a new address, a name that went astray, something that failed and whose
time has come. What it knows lies in /run, so that it writes nothing to the card.
"""
import hashlib
import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from devdigest.addresses import is_public
from installer import public_address
from installer.providers import Account, Answer, Verdict, register

# Seconds. dyndns2 blocks who asks again without a reason: after 911 not before half an hour, after a refusal
# not before something was changed. Once a day is harmless, and heals where the provider was wrong.
_AFTER_REFUSAL = 24 * 3600
_AFTER_911 = 1800
_FIRST_WAIT, _LONGEST_WAIT = 240, 3600          # below the timer's period, so that its next turn counts
_ASTRAY = 6 * 3600              # a name may take its time to spread
_REFRESH = 25 * 24 * 3600       # some providers drop names that nobody touched for a month


@dataclass(frozen=True)
class State:
    """`at`, `due`: seconds of CLOCK_BOOTTIME, which no step of the clock reaches."""
    account: str = ""           # a hash of the settings, so that new ones are tried at once
    verdict: str = ""
    words: str = ""
    address: str = ""           # as registered last
    at: float = 0.0             # of the last answer
    due: float = 0.0            # not before
    failures: int = 0
    blind: str = ""             # why the own address is not known, "" where it is


def turn(account: Account, state: State, address: str, resolved: set[str], now: float) -> State:
    """What is known after this turn; asks the provider only for a reason."""
    mine = fingerprint(account)
    if state.account != mine:
        state = State(account=mine)
        if address in resolved:
            return replace(state, verdict=Verdict.GOOD.value, words=f"is at {address} already",
                           address=address, at=now)
    elif now < state.due or _is_well(state, address, resolved, now):
        return state
    answer = register(account, address)
    failures = 0 if answer.verdict is Verdict.GOOD else state.failures + 1
    kept = address if answer.verdict is Verdict.GOOD else state.address
    return State(mine, answer.verdict.value, answer.words, kept, now, now + _wait(answer, failures), failures)


def fingerprint(account: Account) -> str:
    told = "\0".join((account.provider, account.name, account.user, account.base, account.secret))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _is_well(state: State, address: str, resolved: set[str], now: float) -> bool:
    astray = bool(resolved) and address not in resolved and now - state.at > _ASTRAY
    return (state.verdict == Verdict.GOOD.value and state.address == address and not astray
            and now - state.at < _REFRESH)


def _wait(answer: Answer, failures: int) -> float:
    if answer.verdict is Verdict.GOOD:
        return 0.0
    if answer.verdict is Verdict.REFUSED:
        return _AFTER_REFUSAL
    if answer.words.startswith("911"):
        return _AFTER_911
    return float(min(_FIRST_WAIT * 2 ** (failures - 1), _LONGEST_WAIT))


def resolved(name: str) -> set[str]:
    """The public addresses of a name as this machine sees them: a router may answer with a private one."""
    try:
        found = socket.getaddrinfo(name, 443, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return set()
    return {str(entry[4][0]) for entry in found if is_public(str(entry[4][0]))}


def read_account(folder: Path) -> tuple[Account, tuple[str, ...]]:
    """The settings as ddns.write() left them, and who tells the own address. Raises OSError, KeyError."""
    lines = (folder / "settings").read_text(encoding="utf-8").splitlines()
    told = dict(line.split("=", 1) for line in lines if line)
    secret = (folder / "secret").read_text(encoding="utf-8").rstrip("\n")
    mine = Account(told["provider"], told["name"], secret, told["user"], told["base"], told["agent"])
    return mine, tuple(told["own_address"].split())


def read_state(path: Path) -> State:
    try:
        return State(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):        # the first turn, or one of an older release
        return State()


def _keep(path: Path, state: State) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps(asdict(state)), encoding="utf-8")
    new.replace(path)


def run(settings: Path, memory: Path, by_hand: bool = False) -> None:
    """One turn; `by_hand` it begins anew, and waits for nothing. Standard output is for `devdigest check`.

    Without an address of our own nobody is asked: some providers would register an empty one.
    """
    account, own = read_account(settings)
    state = State() if by_hand else read_state(memory)
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    try:
        address = public_address.ask(own, state.address)
    except public_address.Unknown as error:
        after = replace(state, blind=str(error))
    else:
        after = turn(account, replace(state, blind=""), address, resolved(account.name), now)
    if after != state:
        _keep(memory, after)
        _say(account.name, state, after)
    told = asdict(after)
    print(json.dumps({key: told[key] for key in ("verdict", "words", "address", "blind")}))


def _say(name: str, before: State, after: State) -> None:
    """A line for the journal where something changed; levels as in sd-daemon(3)."""
    if after.blind:
        words, level = f"this home's own address is not known: {after.blind}", 4
    else:
        words, level = after.words, 5 if after.verdict == Verdict.GOOD.value else 4
    if (after.blind, after.words) != (before.blind, before.words):
        print(f"<{level}>{name}: {words}", file=sys.stderr)


if __name__ == "__main__":
    try:
        run(Path(os.environ["CREDENTIALS_DIRECTORY"]), Path(os.environ["RUNTIME_DIRECTORY"]) / "state.json",
            by_hand="TRIGGER_UNIT" not in os.environ)           # systemd names the timer there
    except (OSError, KeyError, ValueError) as error:
        sys.exit(f"devdigest-ddns: its settings cannot be read: {error!r}; sudo ./setup.sh --reconfigure")
