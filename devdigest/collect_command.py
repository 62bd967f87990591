"""`devdigest collect`, in a module of its own, so that a collect loads what it needs and no more."""
from argparse import Namespace

from devdigest import room
from devdigest.collect import collect
from devdigest.context import Context
from devdigest.locks import Busy
from devdigest.room import NoRoom
from devdigest.step_command import ClockDoubt, say, stopped, when
from devdigest.terminal import progress

EXPECTED = (Busy, ClockDoubt, NoRoom)       # see cli.main


def collect_command(context: Context, args: Namespace) -> int:
    now, past = when(context, args)
    room.require("collect", context.config.folder)
    run = collect(context.config, now, context.stop, past=past, report=progress("collect"))
    say(args, {"blogs": run.blogs, "reached": run.reached, "failed": run.failed,
               "not_reached": run.not_reached, "new_posts": run.posts, "lanes": run.lanes,
               "seconds": run.seconds, "written": run.written},
        lambda: f"collect: {run.said}" + ("; `devdigest blogs list --failing`" if run.failed else ""))
    return stopped(context, "collect")
