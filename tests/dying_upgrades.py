"""Ends an upgrade before each thing that it does, and again within the recovery; prints what was not whole.

A program of its own: it forks, so that a process really dies, with its log and its lock.
"""
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from appliance import NEW, OLD, Machine, faults, installed, put_release
from installer.layout import Layout
from installer.phases import switch
from installer.recover import locked, recover
from installer.tell import Refused


def upgrade(layout: Layout, machine: Machine) -> None:
    try:
        with locked(layout):
            recover(layout, machine)
            switch(layout, layout.releases / NEW, lambda *words: None, on=machine, watch=0)
    except Refused:
        if not machine.broken:
            raise


def boot(layout: Layout, machine: Machine) -> None:
    with locked(layout):
        recover(layout, machine)


def dies(act: Callable[[Layout, Machine], None], layout: Layout, at: int, broken: str = "") -> bool:
    """Whether it came so far."""
    if (child := os.fork()) == 0:
        try:
            act(layout, Machine(layout, at, broken))
            os._exit(0)
        except (OSError, Refused, ValueError) as error:
            print(f"at {at}: {error!r}", flush=True)
        os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 1:
        raise SystemExit("the upgrade itself failed")
    return status == 9


def fresh(template: Path, root: Path) -> Layout:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template, root, symlinks=True)
    layout = Layout(root)
    layout.current.unlink()
    layout.current.symlink_to(layout.releases / OLD)
    return layout


def tried(template: Path, root: Path, broken: str, nested: bool) -> tuple[int, list[str]]:
    runs, wrong, at = 0, [], 1
    while dies(upgrade, layout := fresh(template, root), at, broken):
        for again in range(1, 100 if nested else 2):
            if again > 1:
                dies(upgrade, layout := fresh(template, root), at, broken)
            ended = nested and dies(boot, layout, again)
            boot(layout, Machine(layout))
            runs += 1
            wrong += [f"{broken or 'whole'} at {at}, again at {again}: {fault}" for fault in faults(layout)]
            if not ended:
                break
        at += 1
    return runs, wrong + [f"{broken or 'whole'} to the end: {fault}" for fault in faults(layout)]


def main(again: str = "") -> int:
    runs, wrong = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for schema in (1, 2):
            template = Path(folder, f"template-{schema}")
            put_release(installed(template), NEW, schema)
            for broken in ("", "upgrade", "health"):
                nested = again == "again" and schema == 2 and not broken
                done, found = tried(template, Path(folder, "root"), broken, nested)
                runs, wrong = runs + done, wrong + found
    print("\n".join(wrong))
    print(f"{runs} runs")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
