"""All that comes before the first change: what the machine is like, what the owner answers, if it fits."""
import os
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from installer import (
    acceptance,
    answers,
    ddns,
    files,
    machine,
    options,
    preflight,
    questions,
    relay_trial,
    release,
    tell,
)
from installer.answers import Answers
from installer.layout import Layout
from installer.tell import FAIL, Refused

SMTP_PASSWORD = "smtp_password"         # of the credentials


@dataclass(frozen=True)
class Plan:
    """What is going to be set up; empty secrets keep those that are there."""
    answers: Answers
    password: str = ""
    secret: str = ""            # of the DDNS account


def prepare(layout: Layout, source: Path, args: Namespace, environ: Mapping[str, str] = os.environ) -> Plan:
    """Changes nothing. Raises Refused where the machine or the answers do not fit."""
    given = options.given(args, environ)
    facts = machine.gather(layout, source)
    saved = answers.saved(layout.answers)
    known = answers.first_of([*given, saved])
    verdicts = preflight.judge(facts, known.name)
    preflight.show(facts, verdicts, release.version(source))
    if stopping := [verdict for verdict in verdicts if verdict.state == FAIL]:
        raise Refused(f"{len(stopping)} of the above must be put right first; nothing was changed",
                      "then again: sudo ./setup.sh", max(verdict.status for verdict in stopping))
    plan, kept = Plan(known, *options.secrets(args, sys.stdin, environ)), _kept(layout, saved)
    detected = acceptance.detected(known, facts.zone)
    again = layout.config.exists() and bool(kept.answers.sender)
    if again and not args.reconfigure:
        _must_be_no_news(known, kept.answers)
    if args.yes or (again and not args.reconfigure):
        return _unasked(plan, [*given, saved, detected], kept, tried=not again or args.reconfigure)
    if not sys.stdin.isatty():
        raise Refused("there is no terminal to ask on", "add --yes, and the answers: ./setup.sh --help", 2)
    return _ask(plan, kept, detected)


def _must_be_no_news(known: Answers, kept: Answers) -> None:
    """What was written once is the owner's to edit: it is not changed by the way."""
    news = [answers.flag(name) for name in answers.NAMES if getattr(known, name) != getattr(kept, name)]
    if news:
        raise Refused(f"{', '.join(news)}: other than it was answered before; nothing was changed",
                      "add --reconfigure to have it so", 2)


def _unasked(plan: Plan, sources: list[Mapping[str, str]], kept: Plan, tried: bool) -> Plan:
    plan = replace(plan, answers=answers.first_of(sources))
    if not tried:
        return plan                     # all of it was taken before
    password = plan.password or kept.password
    if faults := acceptance.faults(plan.answers, password, plan.secret or kept.secret):
        for flag, fault in faults:
            tell.line(FAIL, flag, fault, stream=sys.stderr)
        raise Refused("these answers are wanted; nothing was changed",
                      "as flags, variables, or in a file after --answers: ./setup.sh --help", 2)
    tell.line(*relay_trial.verdict(plan.answers, password))
    return plan


def _ask(plan: Plan, kept: Plan, detected: Mapping[str, str]) -> Plan:
    dialogue = questions.Dialogue(questions.Terminal(), plan.answers, detected,
                                  plan.password or kept.password, plan.secret or kept.secret)
    answered = dialogue.hold()
    return Plan(answered, dialogue.password, dialogue.secret)


def _kept(layout: Layout, saved: Mapping[str, str]) -> Plan:
    """What the last run was told."""
    return Plan(answers.first_of([saved]), _password(layout), ddns.saved_secret(layout))


def _password(layout: Layout) -> str:
    path = layout.credentials / SMTP_PASSWORD
    return path.read_text(encoding="utf-8").rstrip("\n") if path.exists() else ""


def keep(layout: Layout, plan: Plan) -> None:
    """The first change: the answers, and the passwords apart from them, for the work and for the next run."""
    if (named := Path(plan.answers.blogs)).is_file():       # from the folder in which setup.sh was typed
        plan = replace(plan, answers=replace(plan.answers, blogs=str(named.resolve())))
    layout.credentials.mkdir(parents=True, exist_ok=True)
    layout.credentials.chmod(0o750)
    files.replace(layout.answers, answers.as_text(plan.answers), mode=0o644)
    if plan.password not in ("", _password(layout)):
        files.replace(layout.credentials / SMTP_PASSWORD, plan.password + "\n", mode=0o600)
    if plan.secret:
        files.replace(pending_secret(layout), plan.secret, mode=0o600)


def pending_secret(layout: Layout) -> Path:
    """The DDNS account's, until it lies where the updater alone reads it."""
    return layout.etc / ".ddns-secret"
