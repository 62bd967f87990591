"""Debian's caddy in front of the site: our part of its settings, taken into use only if caddy believes it."""
import subprocess
from pathlib import Path
from string import Template

from installer import files
from installer.answers import Answers
from installer.layout import Layout
from installer.tell import Refused

SOURCE = Path(__file__).parents[1] / "caddy"
IMPORT = "import /etc/devdigest/Caddyfile"
KEPT = ".before-devdigest"      # what stood in Debian's Caddyfile before us, beside it
_WELCOME = "# The Caddyfile is an easy way to configure your Caddy web server."
_GLOBAL = "\timport /etc/devdigest/Caddyfile.global"


def packages(answers: Answers) -> tuple[str, ...]:
    """Debian's that are needed."""
    return ("caddy",)


def settings(answers: Answers) -> dict[str, str]:
    """What the site has to be told ([web] and [site] of config.toml) to stand behind it."""
    url = f"https://{answers.name}" if answers.name else ""
    return {"url": url, "listen": "127.0.0.1:8080", "proxy": "127.0.0.1"}
