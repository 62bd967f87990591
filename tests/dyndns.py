"""A provider of names, on loopback: dyndns2, DuckDNS, FreeDNS, dynv6 and Cloudflare as they answer; and as
they fail. Also a program: `python3 dyndns.py PORT`, told what to do by `GET /control?mode=…&address=…`."""
import base64
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LOGIN, SECRET = "ada", "s3cret"
OWN = "8.8.4.4"                 # public, so that it can be somebody's address
_SAYS = {"nohost": "nohost", "badauth": "badauth", "abuse": "abuse", "911": "911", "dnserr": "dnserr",
         "babble": "<html>hello"}


@dataclass
class World:
    """What is so, what was asked, and how the provider is today: good, hang, 500 or a word of _SAYS."""
    mode: str = "good"
    own: str = OWN
    registered: str = ""
    asked: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)


class _Provider(BaseHTTPRequestHandler):
    server: "Dyndns"

    def do_GET(self) -> None:
        world, parts = self.server.world, urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.path == "/control":
            world.mode, world.own = query.get("mode", world.mode), query.get("address", world.own)
            return self._say("ok")
        if parts.path == "/asked":
            return self._say(json.dumps(world.asked))
        world.asked.append(self.path)
        world.agents.append(self.headers.get("User-Agent", ""))
        if parts.path == "/ip":
            return self._say(world.own)
        if world.mode == "hang":
            time.sleep(30)
        if world.mode == "500":
            return self._say("down for repairs", 500)
        answer = {"/nic/update": self._dyndns2, "/update": self._duckdns, "/api/update": self._dynv6,
                  "/dynamic/update.php": self._freedns}.get(parts.path)
        if parts.path.startswith("/client/v4/zones"):
            return self._cloudflare(parts.path, query)
        return self._say("what?", 404) if answer is None else answer(query)

    do_PATCH = do_POST = do_GET         # noqa: N815

    def _register(self, address: str) -> bool:
        """Whether it is new."""
        world = self.server.world
        changed, world.registered = world.registered != address, address
        return changed

    def _dyndns2(self, query: dict[str, str]) -> None:
        said = self.headers.get("Authorization", "").removeprefix("Basic ")
        if said != base64.b64encode(f"{LOGIN}:{SECRET}".encode()).decode():
            return self._say("badauth", 401)
        if self.server.world.mode in _SAYS:
            return self._say(_SAYS[self.server.world.mode])
        address = query.get("myip", "")
        return self._say(f"{'good' if self._register(address) else 'nochg'} {address}")

    def _duckdns(self, query: dict[str, str]) -> None:
        if query.get("token") != SECRET or self.server.world.mode in _SAYS:
            return self._say("KO")
        self._register(query["ip"])
        return self._say("OK")

    def _dynv6(self, query: dict[str, str]) -> None:
        if query.get("token") != SECRET:
            return self._say("invalid authentication token", 401)
        return self._say("addresses updated" if self._register(query["ipv4"]) else "addresses unchanged")

    def _freedns(self, query: dict[str, str]) -> None:
        if SECRET not in query:
            return self._say("ERROR: Unable to locate this record")
        address = query["address"]
        if self._register(address):
            return self._say(f"Updated 1 host(s) ada.mooo.com to {address} in 0.1 seconds")
        return self._say(f"ERROR: Address {address} has not changed.")

    def _cloudflare(self, path: str, query: dict[str, str]) -> None:
        if self.headers.get("Authorization") != f"Bearer {SECRET}":
            errors = [{"code": 9109, "message": "Invalid access token"}]
            return self._say(json.dumps({"success": False, "errors": errors}), 403)
        if self.command in ("PATCH", "POST"):
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._register(sent["content"])
            return self._say(json.dumps({"success": True, "result": {"id": "r1", "proxied": False}}))
        found: list[dict[str, str | bool]] = []
        if path.endswith("/zones") and query.get("name") == "example.org":
            found = [{"id": "z1", "name": "example.org"}]
        if path.endswith("/z1/dns_records") and self.server.world.registered:
            found = [{"id": "r1", "content": self.server.world.registered, "proxied": False}]
        return self._say(json.dumps({"success": True, "result": found}))

    def _say(self, words: str, status: int = 200) -> None:
        body = words.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Dyndns(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Provider)
        self.world = World()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> "Dyndns":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


if __name__ == "__main__":
    Dyndns(int(sys.argv[1])).serve_forever()
