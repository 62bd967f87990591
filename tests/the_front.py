"""A real caddy with our settings, on free ports, with a certificate of its own authority: never a real CA."""
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from relay import free_port

CADDY, CURL = shutil.which("caddy"), shutil.which("curl")
NAME = "ada.example.org"


@dataclass
class Front:
    http: int
    https: int
    authority: Path
    journal: Path

    def curl(self, path: str, *options: str, name: str = NAME, plain: bool = False) -> tuple[int, str]:
        """(status, headers and body); status 0 where there is no answer."""
        url = f"http://{name}:{self.http}{path}" if plain else f"https://{name}:{self.https}{path}"
        done = subprocess.run([CURL or "", "-s", "-i", "-m", "20", "--noproxy", "*", "--cacert",
                               str(self.authority), "--connect-to", "::127.0.0.1:", *options, url],
                              text=True, capture_output=True, check=False)
        status = re.match(r"HTTP/[\d.]+ (\d+)", done.stdout)
        return int(status[1]) if status else 0, done.stdout

    def socket(self, name: str = NAME) -> ssl.SSLSocket:
        trusted = ssl.create_default_context(cafile=self.authority)
        return trusted.wrap_socket(socket.create_connection(("127.0.0.1", self.https), timeout=20),
                                   server_hostname=name)


def on_free_ports(caddyfile: str, site: str, front: Front) -> str:
    """The same settings where a test can have them."""
    ports = f"{{\n\thttp_port {front.http}\n\thttps_port {front.https}\n\tlocal_certs\n\tskip_install_trust\n"
    caddyfile = caddyfile.replace("{\n", ports, 1).replace("admin localhost:2019", "admin off")
    caddyfile = caddyfile.replace("reverse_proxy 127.0.0.1:8080", f"reverse_proxy {site}")
    return re.sub(r"\ttls .*\n", "", caddyfile)      # a mailbox is for a real CA


@contextmanager
def fronted(caddyfile: str, site: str, folder: Path, secure: bool = True) -> Iterator[Front]:
    """Caddy with this Caddyfile, in front of what listens at `site` (host:port)."""
    authority = folder / "caddy/pki/authorities/local/root.crt"
    front = Front(free_port(), free_port(), authority, folder / "journal")
    path = folder / "Caddyfile"
    path.write_text(on_free_ports(caddyfile, site, front), encoding="utf-8")
    own = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    with front.journal.open("w") as journal:
        process = subprocess.Popen([CADDY or "", "run", "--adapter", "caddyfile", "--config", str(path)],
                                   env=own, stdin=subprocess.DEVNULL, stdout=journal, stderr=journal)
        try:
            _wait(front, process, secure)
            yield front
        finally:
            process.terminate()
            process.wait(10)


def _wait(front: Front, process: "subprocess.Popen[bytes]", secure: bool) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if not secure:
                socket.create_connection(("127.0.0.1", front.http)).close()
                return
            if front.authority.exists():
                front.socket().close()
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"caddy does not answer: {front.journal.read_text()[-2000:]}")


class _Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET                    # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A body that caddy cuts off ends in the middle."""


@contextmanager
def echo(port: int = 0) -> Iterator[str]:
    """host:port of a site that answers with the headers of each request."""
    with _Server(("127.0.0.1", port), _Echo) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
