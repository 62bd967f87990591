"""Connections for `fetch`: to public addresses only, and cut off when the time of a fetch is over.

A name is looked up once, and what was judged is what is connected to: DNS gets no chance to change its mind.
"""
import http.client
import socket
import ssl
import threading
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import requests.certs
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from devdigest.addresses import is_at_home, is_public
from devdigest.deadline import Deadline

_OWN_NAME = 2.0     # seconds that the look-up of our own name may take

_Place = tuple[int, int, int, str, tuple]       # as socket.getaddrinfo gives it


class Unreachable(Exception):
    """No connection was made, for the reason given. Not an OSError, which requests would wrap in its own."""


class NoSuchHost(Unreachable):
    """The name has no address."""


class NotPublic(Unreachable):
    """The name leads into a network at home, where nothing of ours may ask."""


class Adapter(HTTPAdapter):
    """Makes the connections of one fetcher. Set `deadline` before each fetch.

    `home`: a name that leads to ourselves, "" for none; it is looked up once.
    """

    deadline: Deadline
    connected = False   # whether a connection was made, or tried, since this was set to False

    def __init__(self, allow_private: bool, trust: ssl.SSLContext, home: str = "") -> None:
        self._allow_private, self._trust = allow_private, trust
        self._home, self._own = home, frozenset[str]()
        # One connection is kept, to the last host: an operator of many hosts counts the idle ones too.
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        # requests would read the authorities anew for each connection, at more than the handshake costs
        super().init_poolmanager(*args, ssl_context=self._trust, **options)
        pools: dict[str, Any] = {"http": partial(self._pool, HTTPConnectionPool, _Connection),
                                 "https": partial(self._pool, HTTPSConnectionPool, _TlsConnection)}
        self.poolmanager.pool_classes_by_scheme = pools
        # otherwise a kept connection stays open for as long as some error remembers its pool
        self.poolmanager.pools.dispose_func = HTTPConnectionPool.close

    def cert_verify(self, *_: Any) -> None:
        """Nothing is left to do: the context verifies."""

    def _pool(self, kind: type[HTTPConnectionPool], connection: type["_Connection"], *args: Any,
              **options: Any) -> HTTPConnectionPool:
        pool = kind(*args, **options)
        pool.ConnectionCls = partial(connection, self)      # type: ignore[assignment]
        return pool

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to the first address that answers. Raises Unreachable, OSError, TimeoutError."""
        self.connected = True
        if is_at_home(host) and not self._allow_private:
            raise NotPublic("the name is one of a network at home")
        found = _look_up(host, port, self.deadline.left())
        if not self._allow_private:
            self._judge([address[0] for *_, address in found])
        while True:
            place, *found = found
            try:
                # a share of the time each, so that an IPv6 that leads nowhere leaves some for IPv4
                return self._open(place, self.deadline.left() / (1 + len(found)))
            except OSError:
                if not found:
                    raise

    def _judge(self, addresses: list[str]) -> None:
        for address in addresses:
            if not is_public(address):
                raise NotPublic(f"address {address} is not public")
        if self._home and not self._own:
            # a router that sends us back to ourselves would let feeds ask our own pages, as a visitor at home
            with suppress(Unreachable, TimeoutError):
                places = _look_up(self._home, 0, min(self.deadline.left(), _OWN_NAME))
                self._own = frozenset(place[0] for *_, place in places)
            self._own = self._own or frozenset({""})
        if own := self._own & set(addresses):
            raise NotPublic(f"address {min(own)} is this site's own")

    def _open(self, place: _Place, seconds: float) -> socket.socket:
        family, kind, protocol, _, address = place
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(seconds)
            connection.connect(address)
            connection.settimeout(self.deadline.left())
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.deadline.hold(connection)
        except OSError:
            connection.close()
            raise
        return connection


class _Response(http.client.HTTPResponse):
    """The final answer, past all interim ones (RFC 9110, 15.2), of which http.client knows 100 alone."""

    def begin(self) -> None:
        super().begin()
        while 102 <= self.status < 200:
            self.headers = None     # type: ignore[assignment]  # so that it begins anew
            super().begin()


class _Connection(HTTPConnection):
    response_class = _Response

    def __init__(self, adapter: Adapter, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._adapter = adapter

    def _new_conn(self) -> socket.socket:
        return self._adapter.connect(self._dns_host, self.port)

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:       # kept from an earlier fetch
            self._adapter.deadline.hold(self.sock)
        super().request(*args, **options)


class _TlsConnection(_Connection, HTTPSConnection):
    """Name and certificate are checked by HTTPSConnection, against the name and not the address."""


def authorities() -> ssl.SSLContext:
    """A TLS context that trusts whom the system trusts; costly enough in time and memory to be shared."""
    trust = ssl.create_default_context()
    if not trust.cert_store_stats()["x509_ca"]:     # a system without any; Debian's go on being updated
        trust.load_verify_locations(requests.certs.where())
    return trust


def _look_up(host: str, port: int, seconds: float) -> list[_Place]:
    # In a thread of its own, as nothing else ends a look-up that a name server leaves hanging.
    found: Future = Future()

    def ask() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return found.result(seconds)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Unreachable("no answer from the name server") from error
        raise NoSuchHost("no such host") from error
    except UnicodeError as error:       # a label that is empty or too long
        raise NoSuchHost("no such host") from error
