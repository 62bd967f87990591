"""Takes the appliance away: what `--uninstall` and `--purge` do; both may be repeated, or find half of it."""
from installer.effects import Effects
from installer.layout import Layout
from installer.release import Tell


def uninstall(layout: Layout, tell: Tell, on: Effects | None = None) -> None:
    """Units, wrapper, link, releases, drop-ins, our import in the Caddyfile. Keeps config, data, backups."""
    raise NotImplementedError


def purge(layout: Layout, tell: Tell, *, yes: bool = False, backups: bool = False,
          on: Effects | None = None) -> None:
    """Also config, data and user; with `backups` those too. Raises Refused where the name was not typed."""
    raise NotImplementedError
