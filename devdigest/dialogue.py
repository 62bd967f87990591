"""Bytes out and replies in over one connection to a relay: each step has its time, each reply its limits.

Knows no transaction. Whatever goes wrong is an OSError; `cause` says it to the owner, with the cure.
"""
import re
import select
import socket
import ssl
import time
from weakref import WeakValueDictionary

from devdigest.replies import RelayError, Reply, Stage

PORTS = "port 465 goes with [mail] security = 'tls', port 587 with 'starttls'"

_RECORD = 16_384            # octets in a TLS record (RFC 8446, 5.1)
_AT_ONCE = 65_536           # octets read in one go
_MOST_UNREAD = 262_144      # octets kept that nobody has asked for yet: 2 KB for each reply to a wide window
_LONGEST_LINE = 4_096       # octets; RFC 5321, 4.5.3.1.5 says 512, some relays explain at length
_MOST_LINES = 100           # of one reply
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*?))?[ \t\r]*", re.DOTALL)
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

# For as long as one connection uses it: each costs a megabyte, and the next run sees a renewed ca_file.
_contexts: WeakValueDictionary[str, ssl.SSLContext] = WeakValueDictionary()


class OutOfStep(OSError):
    """What came is not the reply that was due: nothing said on this line can be believed any more."""


class Dialogue:
    """`where` names the relay; `tls` is the protocol's version, "" without."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        """Connects; `timeout`: seconds for each step."""
        self.where = f"{host}:{port}"
        self.tls = ""
        self.open = True
        self.written = 0        # octets that may have left this machine
        self._timeout = timeout
        self._unread = bytearray()
        self._socket: socket.socket = socket.create_connection((host, port), timeout)
        # The last octets of a message, with its dot, must not wait until those before are acknowledged.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)

    def encrypt(self, host: str, ca_file: str) -> None:
        """TLS from here on, the certificate checked against `host`."""
        # Of whoever sits between, to be taken for the relay's word (CVE-2011-0411).
        self.expect_silence("something was slipped in before the TLS handshake")
        self._socket.settimeout(self._timeout)
        self._socket = _context(ca_file).wrap_socket(self._socket, server_hostname=host)
        self.tls = self._socket.version() or ""
        self._socket.setblocking(False)

    def close(self) -> None:
        self.open = False
        self._socket.close()

    def ask(self, stage: Stage, command: str) -> Reply:
        self.write(command.encode("ascii") + b"\r\n")
        return self.reply(stage)

    def expect_silence(self, otherwise: str) -> None:
        """Nothing may have been heard yet that nobody asked for. Raises OutOfStep."""
        if self._unread:
            raise OutOfStep(otherwise)

    def write(self, data: bytes) -> None:
        """All of `data`. What the relay says meanwhile is kept, or each end might wait for the other to read.
        What it said before was heard: one reply too many, and each after it would be taken for the next.

        `written` is exact where this fails, too: the system sends what send() took and nothing else; of a TLS
        record only a part may have left, and no relay can read that. Hence a record at a time.
        """
        self._check_open()
        self.expect_silence("it speaks when it is not its turn")
        rest = memoryview(data)
        while rest:
            taken = self._hand_over(rest[:_RECORD] if self.tls else rest)
            self.written += taken
            rest = rest[taken:]

    def reply(self, stage: Stage, seconds: float = 0) -> Reply:
        """The next one; `seconds`: for all of it, where not the usual time-out."""
        self._check_open()
        deadline = time.monotonic() + (seconds or self._timeout)
        codes, texts = set(), []
        while len(texts) < _MOST_LINES:
            line = self._next_line(deadline)
            found = _LINE.fullmatch(line)
            codes.add(found and found[1])
            if found is None or len(codes) > 1:     # one code on every line (RFC 5321, 4.2.1)
                raise OutOfStep(f"no SMTP reply: {line[:80].decode('ascii', 'replace')!r}")
            texts.append((found[3] or b"").decode("utf-8", "replace"))
            if found[2] != b"-":
                return Reply(stage, int(found[1]), "\n".join(texts))
        raise OutOfStep("a reply without end")

    def _hand_over(self, data: memoryview) -> int:
        """How many octets the system took; waits until it takes some."""
        self._check_open()
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return self._socket.send(data)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, deadline)
            except _NOT_NOW:
                listening = select.POLLIN if len(self._unread) < _MOST_UNREAD else 0
                if self._wait(select.POLLOUT | listening, deadline) & select.POLLIN:
                    self._hear()

    def _next_line(self, deadline: float) -> bytes:
        while (end := self._unread.find(b"\n", 0, _LONGEST_LINE)) < 0:
            if len(self._unread) >= _LONGEST_LINE:
                raise OutOfStep("a line without end")
            if not self._hear():
                self._wait(select.POLLIN, deadline)
        line = bytes(self._unread[:end])
        del self._unread[:end + 1]
        return line

    def _hear(self) -> bool:
        """Whether there was something to hear."""
        try:
            heard = self._socket.recv(_AT_ONCE)
        except _NOT_NOW:
            return False
        if not heard:
            raise ConnectionAbortedError("the relay closed the connection")
        self._unread += heard
        return True

    def _wait(self, events: int, deadline: float) -> int:
        poll = select.poll()
        poll.register(self._socket, events)
        happened = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        if not happened:
            raise TimeoutError
        return happened[0][1]

    def _check_open(self) -> None:
        if not self.open:
            raise ConnectionAbortedError("the connection was closed before")


def _context(ca_file: str) -> ssl.SSLContext:
    context = _contexts.get(ca_file)
    if context is None:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file:
            try:
                context.load_verify_locations(ca_file)
            except OSError as error:
                raise RelayError(f"[mail] ca_file {ca_file}: {error.strerror or error}") from error
        _contexts[ca_file] = context
    return context


def cause(error: Exception) -> str:
    """Why, and the cure where one is known."""
    match error:
        case ssl.SSLCertVerificationError():
            return (f"its certificate is not accepted: {error.verify_message}; [mail] host must be the name "
                    f"on it, ca_file the authority of a private relay, and the clock right")
        case ssl.SSLError():
            return f"TLS failed: {error.reason or error}; {PORTS}"
        case TimeoutError():
            return f"no answer in time; {PORTS}, and 25 is blocked on home lines"
        case socket.gaierror():
            return f"no address: {error.strerror}; check [mail] host, and the network"
        case ConnectionRefusedError():
            return f"connection refused; {PORTS}"
        case _:
            return getattr(error, "strerror", None) or str(error)
