"""`devdigest collect`, in a module of its own, so that a collect loads what it needs and no more."""
from argparse import Namespace

from devdigest import room
from devdigest.collect import collect
from devdigest.context import Context
from devdigest.locks import Busy
from devdigest.memory import Run
from devdigest.room import NoRoom
from devdigest.step_command import ClockDoubt, say, stopped, when
from devdigest.terminal import progress, wrapped

EXPECTED = (Busy, ClockDoubt, NoRoom)       # see cli.main


def collect_command(context: Context, args: Namespace) -> int:
    now, past = when(context, args)
    room.require("collect", context.config.folder)
    run = collect(context.config, now, context.stop, past=past, report=progress("collect"))
    say(args, {"blogs": run.blogs, "reached": run.reached, "failed": run.failed,
               "not_reached": run.not_reached, "new_posts": run.posts, "lanes": run.lanes,
               "seconds": run.seconds, "written": run.written},
        lambda: _told(run))
    return stopped(context, "collect")


def _told(run: Run) -> str:
    more = "; `devdigest blogs list --failing`" if run.failed else ""
    return "\n".join(wrapped("collect:", run.said + more, indent=9))
