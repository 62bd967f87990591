"""A Postfix of our own, on loopback, that passes what it takes on to another relay."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from relay import HOST, free_port

POSTFIX = shutil.which("postfix", path=os.environ.get("PATH", "") + ":/usr/sbin")
MISSING = "" if POSTFIX and os.geteuid() == 0 else "needs Postfix, and root to start one"

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example.org
mydestination =
local_recipient_maps =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{next_port}
alias_maps =
alias_database =
smtpd_recipient_restrictions = check_recipient_access inline:{{{{gone@example.org=550 5.1.1 no such user}}}}
    permit_mynetworks reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {certificate}
smtpd_tls_loglevel = 0
smtp_dns_support_level = disabled
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Takes mail on `port`, also by STARTTLS; passes all but what is for gone@example.org to `next_port`."""
    host = HOST

    def __init__(self, certificate: Path, next_port: int) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="devdigest-postfix-"))
        self._folder.chmod(0o755)       # its daemons are not root
        for name in ("queue", "data", "etc"):
            (self._folder / name).mkdir()
        shutil.chown(self._folder / "data", "postfix")
        pem = shutil.copy(certificate, self._folder / "etc/relay.pem")
        values = {"folder": self._folder, "next_port": next_port, "port": self.port, "certificate": pem}
        (self._folder / "etc/main.cf").write_text(_MAIN.format(**values))
        (self._folder / "etc/master.cf").write_text(_MASTER.format(**values))

    def __enter__(self) -> Self:
        self._postfix("start")
        return self

    def __exit__(self, *_: object) -> None:
        self._postfix("stop")
        shutil.rmtree(self._folder)

    def _postfix(self, command: str) -> None:
        subprocess.run([POSTFIX, "-c", self._folder / "etc", command], check=True, capture_output=True)
