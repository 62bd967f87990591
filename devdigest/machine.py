"""This machine as its files and tools tell of it; tests give another root, other tools, other ports."""
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 4.0          # for one tool; a Pi with a full journal needs two
_TOOLS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ToolError(Exception):
    """A tool that is not here, or that did not answer: its name and why."""


@dataclass(frozen=True)
class Machine:
    root: Path = Path("/")
    tools: str = _TOOLS                             # as $PATH
    nat_pmp_port: int = 5351                        # of the router (RFC 6886, 1.1)
    ssdp: tuple[str, int] = ("239.255.255.250", 1900)       # whom to ask for routers (UPnP)
    ca_file: str = ""                               # "" for the usual certificate authorities

    def text(self, path: str) -> str:
        """The file below the root, stripped; "" where it is absent, or closed to us."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""

    def has(self, path: str) -> bool:
        try:
            return (self.root / path).exists()
        except OSError:         # in a folder that is closed to us
            return False

    def tool(self, name: str) -> Path | None:
        """Where a program lies."""
        places = (Path(folder) / name for folder in self.tools.split(os.pathsep))
        return next((place for place in places if os.access(place, os.X_OK)), None)

    def ask(self, name: str, *arguments: str) -> str:
        """What the tool prints, stripped. Raises ToolError."""
        program = self.tool(name)
        if program is None:
            raise ToolError(f"there is no {name} here")
        try:
            done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, errors="replace", timeout=_SECONDS, check=False,
                                  env={"PATH": self.tools, "LC_ALL": "C.UTF-8"})
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"{name} did not answer within {_SECONDS:.0f} s") from error
        except OSError as error:
            raise ToolError(f"{name}: {error.strerror}") from error
        if done.returncode:
            words = done.stderr.strip().splitlines()
            raise ToolError(f"{name}: {words[-1] if words else f'exit status {done.returncode}'}")
        return done.stdout.strip()
