"""An SMTP sink on loopback with the round-trip time it is told, in a process of its own.

Each reply leaves one round trip after what it answers, the greeting after two (the first is TCP's). It does
no work, keeps no mail, and hangs up on who sends what it has no leave to send yet.
"""
import asyncio
import contextlib
import json
import subprocess
import sys
from collections import Counter, deque
from pathlib import Path
from typing import NamedTuple, Self

HOST = "127.0.0.1"

_END = b"\r\n.\r\n"
_OK, _GO_ON, _BYE = b"250 2.0.0 OK\r\n", b"354 go on\r\n", b"221 2.0.0 bye\r\n"
_WHOSE, _WHAT = b"503 5.5.1 whose?\r\n", b"502 5.5.1 what?\r\n"


class Report(NamedTuple):
    """Since the sink was told to begin."""
    mails: dict[str, int]       # recipient → how many arrived
    octets: int                 # of all messages as they came: with doubled dots, without the final one
    connections: int
    at_once: int                # connections, most at one time
    early: int                  # connections cut because their client sent what it had no leave to
    seconds: float              # from the first connection until the last reply to a mail was back

    @property
    def rate(self) -> float:
        """Mails a second."""
        return sum(self.mails.values()) / self.seconds


class Sink:
    """The sink's process, until the `with` block ends.

        with Sink(0.1, "PIPELINING", "8BITMIME") as sink:
            … sink.port … sink.report()
            sink.begin()
    """
    host = HOST

    def __init__(self, rtt: float, *offers: str) -> None:
        """`rtt`: seconds. `offers`: what EHLO lists; PIPELINING and CHUNKING work only where offered."""
        self._arguments = [str(rtt), *offers]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-m", "bench.sink", *self._arguments], text=True,
                                         cwd=Path(__file__).parents[1], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()     # the end of its stdin ends it

    def begin(self) -> None:
        """From now on nothing has arrived."""
        self._ask("begin")

    def report(self) -> Report:
        """What was seen since `begin`."""
        return Report(**self._ask("report"))

    def _ask(self, words: str) -> dict:
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class _Seen:
    def __init__(self) -> None:
        self.mails: Counter[str] = Counter()
        self.octets = self.connections = self.at_once = self.early = 0
        self.first, self.last = float("inf"), 0.0

    def report(self) -> dict[str, object]:
        return {"mails": self.mails, "octets": self.octets, "connections": self.connections,
                "at_once": self.at_once, "early": self.early, "seconds": max(0.0, self.last - self.first)}


class _Server:
    def __init__(self, rtt: float, offers: list[str]) -> None:
        self.rtt, self.offers, self.open, self.seen = rtt, offers, 0, _Seen()

    def begin(self) -> dict[str, object]:
        self.seen = _Seen()
        return {}


class _Connection(asyncio.Protocol):
    def __init__(self, server: _Server) -> None:
        self._server, self._loop = server, asyncio.get_running_loop()
        self._came = bytearray()
        self._take = self._take_command
        self._owed: list[bytes] = []                # replies to what has just come
        self._under_way: deque[bytes] = deque()     # replies that are not there yet
        self._recipient: str | None = None
        self._left = self._octets = self._searched = 0
        self._last = False
        self._over = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport, seen = transport, self._server.seen
        self._server.open += 1
        seen.connections += 1
        seen.at_once = max(seen.at_once, self._server.open)
        seen.first = min(seen.first, self._loop.time())
        self._send([b"220 sink.example.org\r\n"], 2 * self._server.rtt)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.open -= 1
        self._over = True

    def data_received(self, data: bytes) -> None:
        self._came += data
        while self._came and not self._over:
            if self._is_early():
                self._server.seen.early += 1
                self._over = True
                return self._transport.abort()
            if not self._take():
                break
        if self._owed:
            owed, self._owed = self._owed, []
            self._send(owed, self._server.rtt)
        return None

    def _is_early(self) -> bool:
        """RFC 2920, 3.1: what may be sent ahead of a reply, where that was offered; never a body."""
        waits = bool(self._owed or self._under_way)
        return waits and (self._take == self._take_body or "PIPELINING" not in self._server.offers)

    def _send(self, replies: list[bytes], after: float) -> None:
        self._under_way.append(b"".join(replies))
        if after:
            self._loop.call_later(after, self._arrive)
        else:
            self._arrive()

    def _arrive(self) -> None:
        said = self._under_way.popleft()    # in order, however the timers fall
        if not self._over:
            self._transport.write(said)
        if said.endswith(_BYE):
            self._over = True
            self._transport.close()

    def _take_command(self) -> bool:
        end = self._came.find(b"\n")
        if end < 0:
            return False
        words = self._came[:end].decode("ascii", "replace").split()
        del self._came[:end + 1]
        verb = words[0].upper() if words else ""
        match verb:
            case "BDAT" if "CHUNKING" in self._server.offers:
                self._bdat(words)
            case "DATA" if self._recipient is not None:
                self._owed.append(_GO_ON)
                self._take, self._searched = self._take_body, 0
            case "MAIL" | "RSET":
                self._owed.append(_OK)
                self._recipient = None
            case "RCPT":
                self._owed.append(_OK)
                self._recipient = words[1].partition("<")[2].partition(">")[0]
            case "EHLO":
                self._owed.append(self._offer())
            case _:
                self._owed.append({"DATA": _WHOSE, "QUIT": _BYE}.get(verb, _WHAT))
        return True

    def _offer(self) -> bytes:
        lines = ["sink.example.org", *self._server.offers]
        return "".join(f"250{'-' if line is not lines[-1] else ' '}{line}\r\n" for line in lines).encode()

    def _take_body(self) -> bool:
        if self._came.startswith(_END[2:]):         # a body without a line (RFC 5321, 4.1.1.4)
            end, after = 0, 3
        else:
            found = self._came.find(_END, self._searched)
            end, after = found + 2, found + len(_END)
            if found < 0:
                self._searched = max(0, len(self._came) - len(_END))
                return False
        del self._came[:after]
        self._octets, self._take = end, self._take_command
        self._arrived()
        return True

    def _bdat(self, words: list[str]) -> None:
        self._left, self._last = int(words[1]), words[2:] == ["LAST"]
        self._octets += self._left
        self._take = self._take_chunk
        if not self._left:
            self._take_chunk()

    def _take_chunk(self) -> bool:
        taken = min(self._left, len(self._came))
        del self._came[:taken]
        self._left -= taken
        if self._left:
            return False
        self._take = self._take_command
        if self._last:
            self._arrived()
        else:
            self._owed.append(_OK)
        return True

    def _arrived(self) -> None:
        seen, octets, recipient = self._server.seen, self._octets, self._recipient
        self._octets, self._recipient = 0, None
        if recipient is None:           # its octets are thrown away (RFC 3030, 2)
            return self._owed.append(_WHOSE)
        seen.mails[recipient] += 1
        seen.octets += octets
        seen.last = self._loop.time() + self._server.rtt
        return self._owed.append(_OK)


async def _serve(rtt: float, offers: list[str]) -> None:
    loop, server = asyncio.get_running_loop(), _Server(rtt, offers)
    listening = await loop.create_server(lambda: _Connection(server), HOST, 0, backlog=100)
    print(listening.sockets[0].getsockname()[1], flush=True)
    said = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), sys.stdin)
    while words := (await said.readline()).strip():
        print(json.dumps(server.begin() if words == b"begin" else server.seen.report()), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(float(sys.argv[1]), sys.argv[2:]))
