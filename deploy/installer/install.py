"""The work after the last question, step by step; each may be repeated, and says what it did or what to do.

Runs in a unit of its own, see following.py, and takes what was answered from where preparing.py kept it.
"""
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from installer import (
    account,
    answers,
    blog_list,
    ddns,
    files,
    front,
    packages,
    phases,
    preparing,
    recover,
    release,
    settings,
    surroundings,
    tell,
)
from installer.answers import Answers
from installer.children import ask
from installer.layout import Layout
from installer.tell import FAIL, OK, Refused

Step = Callable[[], str]        # does something, and tells what; "" for nothing


def work(layout: Layout, source: Path, *, now: bool, reconfigure: bool) -> int:
    """The exit status; the last line printed tells the result and the version."""
    version = release.version(source)
    try:
        result = _Work(layout, source, now, reconfigure).run()
    except Refused as refusal:
        tell.line(FAIL, "setup", str(refusal), refusal.cure)
        print(_left(layout))
        print(f"result=failed version={version}")
        return refusal.status
    except BaseException:
        print(f"result=failed version={version}")       # before a fault of ours is told at length
        raise
    finally:
        os.sync()           # dpkg does not: after a power cut files of no bytes would be left
    print(f"result={result} version={version}")
    return 0


def _left(layout: Layout) -> str:
    """What a failure leaves."""
    if layout.current.exists():
        return f"       {layout.current.resolve().name} runs as before"
    return "       nothing runs yet; the next run takes up what is there"


class _Work:
    def __init__(self, layout: Layout, source: Path, now: bool, reconfigure: bool) -> None:
        self._layout, self._source, self._now, self._reconfigure = layout, source, now, reconfigure
        self._answers: Answers = answers.first_of([answers.saved(layout.answers)])
        self._changed = False

    def run(self) -> str:
        """installed, upgraded or unchanged."""
        self._step("packages", self._packages)
        self._step("user", self._user)
        with recover.locked(self._layout):
            self._step("recovery", lambda: recover.recover(self._layout))
            before = release.current(self._layout)
            folder = release.build(self._layout, self._source, tell.line)
            self._step("passwords", lambda: account.share_credentials(self._layout))
            self._step("settings", self._settings)
            self._step("command", lambda: surroundings.place_wrapper(self._layout, folder))
            self._step("journal", lambda: surroundings.keep_logs(self._layout, self._answers))
            self._step("database", lambda: self._database(folder, fresh=before is None))
            self._blogs(folder)
            result = phases.switch(self._layout, folder, tell.line, now=self._now)
        self._step("name", self._ddns)
        self._step("web", self._front)
        if self._changed and result == "unchanged":
            surroundings.restart()
            result = "installed"
        self._farewell(result)
        return result

    def _step(self, name: str, step: Step) -> None:
        begun = time.monotonic()
        if told := step():
            self._changed = True
            tell.timed(OK, name, told, time.monotonic() - begun)

    def _packages(self) -> str:
        return packages.install(self._layout, (*packages.BASE, *front.PACKAGES))

    def _user(self) -> str:
        made = account.make_user()
        told = account.make_folders(self._layout) or made
        return f"{account.USER}, and its folders" if told else ""

    def _settings(self) -> str:
        """Once written they are the owner's: read, and changed only where that was asked for."""
        path = self._layout.config
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before is not None and not self._reconfigure:
            settings.checked(before, path)
            account.share(path, before)
            return ""
        wanted = settings.of(self._answers, surroundings.address())
        if before is None:
            wanted = settings.joined(wanted, settings.paths(self._layout))
        text = settings.written(wanted, before)
        settings.checked(text, path)
        if before is not None and text != before:
            account.share(path.with_name("config.toml.before"), before)
        return str(path) if account.share(path, text) else ""

    def _database(self, folder: Path, fresh: bool) -> str:
        """Only a first installation makes one: later a missing one is a loss, and `restore` its cure."""
        if not fresh or self._layout.database.exists():
            return ""
        status, said = blog_list.run(folder, "init")
        if status:
            raise Refused(said.strip().removeprefix("devdigest: "), "mend that, then again: sudo ./setup.sh")
        return str(self._layout.database)

    def _blogs(self, folder: Path) -> None:
        """Before the first collect, which reads them; a list that cannot be had ends no installation."""
        for line in blog_list.fill(folder, self._answers.blogs):
            tell.line(*line)

    def _ddns(self) -> str:
        pending = preparing.pending_secret(self._layout)
        secret = pending.read_text(encoding="utf-8") if pending.exists() else ""
        before = surroundings.enabled(ddns.TIMER)
        if not ddns.runs(self._answers):
            files.remove(pending)
            if before:
                ask("systemctl", "disable", "--now", ddns.TIMER, ddns.SERVICE)
                ddns.remove(self._layout)
            return "kept by nobody here any more" if before else ""
        units = ddns.write(self._layout, self._answers, secret)
        files.remove(pending)
        if before and not secret:
            return ""
        surroundings.start(*units)
        return f"{self._answers.name}, kept by {ddns.called(self._answers)}"

    def _front(self) -> str:
        if not (units := front.write(self._layout, self._answers)):
            return ""
        surroundings.take_up(*units)
        return f"caddy in front, {'certificate by itself' if self._answers.name else 'this network alone'}"

    def _farewell(self, result: str) -> None:
        if result == "unchanged":
            return
        site = settings.of(self._answers, surroundings.address())["site"]["url"]
        if self._answers.name:
            # the one thing that nobody can do from here
            print(f"\n your router     must forward TCP 80 and 443 to {surroundings.address()}")
        print(f"\n the site        {site}\n"
              " a real mail     sudo devdigest check --mail\n"
              " how it stands   sudo devdigest status\n"
              " what is wrong   sudo devdigest check\n"
              " its log         journalctl -u devdigest-worker\n"
              f" its settings    {self._layout.config}\n")
        sys.stdout.flush()
