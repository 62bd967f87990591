"""`devdigest deliver`, in a module of its own, so that a mailing loads what it needs and no more."""
from argparse import Namespace

from devdigest.context import Context
from devdigest.deliver import deliver, words
from devdigest.locks import Busy
from devdigest.memory import Held
from devdigest.replay import replay
from devdigest.replies import RelayError
from devdigest.step_command import ClockDoubt, say, stopped, when
from devdigest.terminal import complain, progress

EXPECTED = (Busy, Held, ClockDoubt, RelayError)     # see cli.main


def deliver_command(context: Context, args: Namespace) -> int:
    now, _ = when(context, args)
    replay(context.config.site.timezone)        # the database may be an older one, put back by hand
    summary = deliver(context.config, now, context.password, context.stop, report=progress("deliver"))
    say(args, {"rows": summary.rows, "states": dict(summary.states), "fault": summary.fault},
        lambda: f"deliver: {words(summary)}")
    if summary.fault:
        complain(f"deliver: {summary.fault}")
        return 1
    return stopped(context, "deliver")
