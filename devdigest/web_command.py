"""`devdigest web`, in a module of its own, so that this service loads what it needs and no more."""
from argparse import Namespace

from devdigest import web
from devdigest.config import ConfigError
from devdigest.context import Context


def web_command(context: Context, args: Namespace) -> int:
    try:
        web.serve(context.config, context.stop)
    except (OSError, ValueError) as error:      # waitress' word for a host that is none
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"[web] listen {context.config.web.listen}: {reason}; end the other program there, "
                          f"or change it") from error
    return 0
