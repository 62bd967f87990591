"""What every sub-command is given."""
import threading
from dataclasses import dataclass
from pathlib import Path

from devdigest.config import Config


@dataclass(frozen=True)
class Context:
    config: Config
    path: Path | None           # of the configuration file; None for the embedded defaults
    password: str               # the relay's
    stop: threading.Event       # set by the first Ctrl-C or SIGTERM
