"""A router that speaks UPnP, and machines that say they are one."""
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from machines import dripping, silent, udp

from devdigest.upnp import external_address

SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
DESCRIPTION = """<root><device><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
 <controlURL>/wrong</controlURL></service>
<service><serviceType>{}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
 <controlURL>{}</controlURL></service></serviceList></device></root>"""
ANSWER = "<s:Body><u:R><NewExternalIPAddress>{}</NewExternalIPAddress></u:R></s:Body>"


class Router(ThreadingHTTPServer):
    """Tells what it is at /igd.xml, and its address to who asks for it as UPnP wants it."""
    daemon_threads = True

    def __init__(self, address: str, control: str, kind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.described, self.said = DESCRIPTION.format(kind, control), ANSWER.format(address)
        self.kind, self.asked = kind, []


class _Handler(BaseHTTPRequestHandler):
    server: Router

    def do_GET(self) -> None:
        self._write(200, self.server.described if self.path == "/igd.xml" else "")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.path, self.headers["SOAPAction"]))
        good = "GetExternalIPAddress" in body and f'"{self.server.kind}#' in self.headers["SOAPAction"]
        self._write(200 if good else 500, self.server.said if good else "")

    def _write(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def a_router(address: str = "203.0.113.7", kind: str = SERVICE) -> Iterator[Router]:
    with Router(address, "/ctl/IPConn", kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def found(location: str, seconds: float = 2) -> str:
    """The address, by a machine that says its description lies there."""
    answer = f"HTTP/1.1 200 OK\r\nST: urn:x\r\nLocation: {location}\r\n\r\n".encode()
    with udp(answer) as (port, heard):
        told = external_address(("127.0.0.1", port), seconds)
    assert heard[0].startswith(b"M-SEARCH * HTTP/1.1\r\n")
    return told


@pytest.mark.parametrize("kind", [SERVICE, SERVICE.replace("IP", "PPP"), SERVICE.replace(":1", ":2")])
def test_the_address_of_the_router_is_told(kind: str) -> None:
    with a_router(kind=kind) as router:
        assert found(f"http://127.0.0.1:{router.server_port}/igd.xml") == "203.0.113.7"
        assert router.asked == [("/ctl/IPConn", f'"{kind}#GetExternalIPAddress"')]


@pytest.mark.parametrize("address", ["", "0.0.0.0", "999.0.0.1", "example.org"])
def test_what_is_no_address_is_none(address: str) -> None:
    with a_router(address) as router:
        assert found(f"http://127.0.0.1:{router.server_port}/igd.xml", 0.3) == ""


def test_nobody_is_asked_but_the_machine_that_answered() -> None:
    with a_router() as router:
        elsewhere = f"http://localhost:{router.server_port}"
        assert found(f"{elsewhere}/igd.xml", 0.3) == ""
        router.described = DESCRIPTION.format(SERVICE, f"{elsewhere}/ctl")
        assert found(f"http://127.0.0.1:{router.server_port}/igd.xml", 0.3) == ""
        assert router.asked == []


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://127.0.0.1:1/a", "http://[", "nonsense"])
def test_a_location_that_leads_nowhere_is_no_router(location: str) -> None:
    assert found(location, 0.3) == ""


def test_a_router_that_stays_silent_costs_no_more_than_the_time_given() -> None:
    begun = time.monotonic()
    with udp(b"") as (port, _):
        assert external_address(("127.0.0.1", port), 0.2) == ""
    with silent() as (host, port):
        assert found(f"http://{host}:{port}/igd.xml", 0.3) == ""
    assert time.monotonic() - begun < 5


def test_neither_does_one_whose_answer_drips_in() -> None:
    begun = time.monotonic()
    for first in (b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"):
        with dripping(first) as (host, port):
            assert found(f"http://{host}:{port}/igd.xml", 0.3) == ""
    assert time.monotonic() - begun < 5


def test_a_description_made_to_be_searched_for_ever_is_read_at_once() -> None:
    with a_router() as router:
        router.described = f"<serviceType>{SERVICE}</serviceType>" * 1_300
        begun = time.monotonic()
        assert found(f"http://127.0.0.1:{router.server_port}/igd.xml", 0.3) == ""
        assert time.monotonic() - begun < 4
