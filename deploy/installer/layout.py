"""Where everything of an installed appliance lies; tests give another root."""
from dataclasses import dataclass
from pathlib import Path

USER = "devdigest"              # of the services; no shell, no home


@dataclass(frozen=True)
class Layout:
    """All paths are absolute below `root`."""
    root: Path = Path("/")

    @property
    def opt(self) -> Path:
        """Root's, read-only for the services."""
        return self.root / "opt/devdigest"

    @property
    def releases(self) -> Path:
        """A folder each, `<version>-<commit>`: code and its own venv, never changed once it is complete."""
        return self.opt / "releases"

    @property
    def current(self) -> Path:
        """A link to the release that runs."""
        return self.opt / "current"

    @property
    def upgrade(self) -> Path:
        """The phase of an upgrade, and the database as it was before; root's."""
        return self.opt / "upgrade"

    @property
    def etc(self) -> Path:
        return self.root / "etc/devdigest"

    @property
    def config(self) -> Path:
        return self.etc / "config.toml"

    @property
    def credentials(self) -> Path:
        """A file each, named as devdigest/credentials.py names them: smtp_password, imap_password …"""
        return self.etc / "credentials"

    @property
    def answers(self) -> Path:
        """KEY=VALUE, parsed, never sourced; no passwords."""
        return self.etc / "answers"

    @property
    def ddns(self) -> Path:
        """What the updater of the name is told, and its secret: root's alone, handed over by systemd."""
        return self.etc / "ddns"

    @property
    def data(self) -> Path:
        """The service user's: devdigest.db, backups/."""
        return self.root / "var/lib/devdigest"

    @property
    def database(self) -> Path:
        return self.data / "devdigest.db"

    @property
    def units(self) -> Path:
        return self.root / "etc/systemd/system"

    @property
    def tmpfiles(self) -> Path:
        return self.root / "etc/tmpfiles.d"

    @property
    def journal(self) -> Path:
        """Keeps earlier boots' logs."""
        return self.root / "etc/systemd/journald.conf.d/60-devdigest.conf"

    @property
    def wrapper(self) -> Path:
        """What one types."""
        return self.root / "usr/local/bin/devdigest"

    @property
    def caddyfile(self) -> Path:
        """Debian's; ours is imported into it."""
        return self.root / "etc/caddy/Caddyfile"

    @property
    def caddy_site(self) -> Path:
        return self.etc / "Caddyfile"
