"""Debian's caddy in front of the site: our part of its settings, taken into use only if caddy believes it."""
from pathlib import Path

from installer.answers import Answers

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
