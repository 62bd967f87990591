"""IMAP servers on loopback: Dovecot, as owners' providers run it, and one that says what a script says."""
import contextlib
import grp
import imaplib
import itertools
import os
import pwd
import shutil
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from relay import HOST, certificate, free_port

from devdigest.config import Bounces

PASSWORD = "correct-horse-암호"
_DOVECOT = """
protocols = imap
auth_failure_delay = 0
listen = {host}
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
mail_location = maildir:~/mail
first_valid_uid = 1
ssl = required
ssl_cert = <{pem}
ssl_key = <{pem}
{users}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
namespace inbox {{
  inbox = yes
  prefix = INBOX.
  separator = .
}}
{more}
"""


class Dovecot:
    """Any number of mailboxes, each with its own user; `more` is configuration."""

    def __init__(self, more: str = "") -> None:
        program = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
        if program is None:
            pytest.skip("needs Debian's dovecot-imapd")
        self._users = itertools.count()
        self._folder = Path(tempfile.mkdtemp(prefix="mailboxes-"))
        self.port, self.pem = free_port(), certificate(self._folder)
        # it gives no mail to root
        who = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        for path in (self._folder, self._folder / "home"):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
            os.chown(path, who.pw_uid, who.pw_gid)
        settings = self._folder / "dovecot.conf"
        mine = (f"default_internal_user = {who.pw_name}\ndefault_login_user = {who.pw_name}\n"
                f"default_internal_group = {grp.getgrgid(who.pw_gid).gr_name}")
        settings.write_text(_DOVECOT.format(
            host=HOST, folder=self._folder, pem=self.pem, port=self.port, password=PASSWORD,
            users="" if os.geteuid() == 0 else mine, uid=who.pw_uid, gid=who.pw_gid, more=more))
        self._process = subprocess.Popen([program, "-F", "-c", str(settings)], stderr=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        for _ in range(200):
            with contextlib.suppress(ConnectionError), socket.create_connection((HOST, self.port), 1):
                return self
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        said = (self._folder / "log").read_text()
        self.__exit__()
        raise AssertionError(f"Dovecot did not come up: {said}")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._folder)

    def mailbox(self) -> Bounces:
        """The settings of a new, empty one."""
        return Bounces(address="bounces@example.org", imap=HOST, port=self.port, ca_file=str(self.pem),
                       user=f"user{next(self._users)}")


@contextlib.contextmanager
def owner(bounces: Bounces) -> Iterator[imaplib.IMAP4_SSL]:
    """Someone else at the same mailbox, with another program."""
    trust = ssl.create_default_context(cafile=bounces.ca_file)
    with imaplib.IMAP4_SSL(bounces.imap, bounces.port, ssl_context=trust, timeout=10) as line:
        line.authenticate("PLAIN", lambda _: f"\0{bounces.user}\0{PASSWORD}".encode())
        line.select("INBOX")
        yield line


def put(bounces: Bounces, *mails: bytes) -> None:
    with owner(bounces) as line:
        for mail in mails:
            line.append("INBOX", "", None, mail)


def inside(bounces: Bounces, folder: str = "INBOX") -> list[bytes]:
    """The mails in a folder, none where there is no such folder."""
    with owner(bounces) as line:
        if line.select(folder, readonly=True)[0] != "OK":
            return []
        numbers = line.uid("SEARCH", "ALL")[1][0].split()
        return [line.uid("FETCH", number, "(BODY.PEEK[])")[1][0][1] for number in numbers]


# Instead of an answer: the line is cut; nothing more is said.
DROP, STALL = b"drop", b"stall"
_USUAL = {"greeting": b"* OK hello", "CAPABILITY": b"* CAPABILITY IMAP4rev1 MOVE", "LOGIN": b"",
          "SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 4] ok", "LOGOUT": b"* BYE bye",
          "SEARCH": b"* SEARCH 3", "FETCH": b"* 1 FETCH (UID 3 BODY[]<0> {5}\r\nhello)", "MOVE": b"",
          "CREATE": b""}


class ScriptedMailbox(socketserver.ThreadingTCPServer):
    """Says what `script` says, by command, and then that it is done; "X NO …" instead where it begins so, and
    nothing more where it ends in "CUT".
    """
    daemon_threads = True

    def __init__(self, folder: Path, script: dict[str, bytes]) -> None:
        super().__init__((HOST, 0), None)
        self._pem, self._script = certificate(folder), _USUAL | script
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self._pem)
        self._over = threading.Event()
        self.commands: list[str] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.shutdown()
        self.server_close()

    @property
    def settings(self) -> Bounces:
        return Bounces(address="bounces@example.org", imap=HOST, port=self.server_address[1],
                       ca_file=str(self._pem), user="user")

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        with contextlib.suppress(OSError), self._context.wrap_socket(request, server_side=True) as line:
            self._talk(line)

    def _talk(self, line: ssl.SSLSocket) -> None:
        with line.makefile("rb") as lines:
            said = self._say(line, self._script["greeting"])
            while said and (words := lines.readline().decode().split()):
                tag, verb = words[0], words[2 if words[1] == "UID" else 1]
                self.commands.append(" ".join(words[1:]))
                said = self._say(line, self._script[verb], tag)

    def _say(self, line: ssl.SSLSocket, answer: bytes, tag: str = "") -> bool:
        if answer == STALL:
            self._over.wait()
        if answer in (STALL, DROP):
            return False
        if answer.endswith(b"CUT"):
            line.sendall(answer.removesuffix(b"CUT"))
            return False
        if answer.startswith(b"X "):
            answer = tag.encode() + answer[1:]
        elif tag:
            answer += b"\r\n" * bool(answer) + tag.encode() + b" OK done"
        line.sendall(answer + b"\r\n")
        return True
