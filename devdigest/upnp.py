"""UPnP: a router in the LAN, found by SSDP, tells the address on its side of the world. Opens no port.

What it says is a stranger's: only the machine that answered is asked on, and little of it is read.
"""
import http.client
import ipaddress
import re
import socket
from urllib.parse import urljoin, urlsplit

from devdigest.deadline import Deadline
from devdigest.front_door import Door

_SEARCH = (b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n"
           b"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n")
_LOCATION = re.compile(r"^location:\s*(http://\S+)", re.IGNORECASE | re.MULTILINE)
_KIND = re.compile(r"<serviceType>\s*(urn:schemas-upnp-org:service:WAN(?:IP|PPP)Connection:\d)\s*"
                   r"</serviceType>")
_CONTROL = re.compile(r"<controlURL>\s*([^<\s]+)\s*</controlURL>")
_ADDRESS = re.compile(r"<NewExternalIPAddress>\s*([0-9.]+)\s*</NewExternalIPAddress>")
_MOST = 100_000         # bytes of a description; real ones have some 5,000
_BODY = ('<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
         's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
         '<u:GetExternalIPAddress xmlns:u="{}"/></s:Body></s:Envelope>')


def external_address(ssdp: tuple[str, int], seconds: float) -> str:
    """"" where no router answers, or none that has an address, within these seconds."""
    with Deadline(seconds) as deadline, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        try:
            line.sendto(_SEARCH, ssdp)
            while True:
                line.settimeout(deadline.left())
                answer, (host, _) = line.recvfrom(4096)
                location = _LOCATION.search(answer.decode("latin-1"))
                if location and (found := _ask(location[1], host, deadline)):
                    return found
        except OSError:         # TimeoutError is one
            pass
    return ""


def _ask(location: str, host: str, deadline: Deadline) -> str:
    try:
        if urlsplit(location).hostname != host:
            return ""
        described = _fetch("GET", location, deadline)
        if (service := _service(described)) is None:
            return ""
        kind, path = service
        control = urljoin(location, path)
        if urlsplit(control).hostname != host:
            return ""
        said = _fetch("POST", control, deadline, _BODY.format(kind),
                      {"Content-Type": 'text/xml; charset="utf-8"',
                       "SOAPAction": f'"{kind}#GetExternalIPAddress"'})
        found = _ADDRESS.search(said)
        return str(ipaddress.IPv4Address(found[1])) if found and found[1] != "0.0.0.0" else ""
    except (OSError, ValueError, http.client.HTTPException):
        return ""


def _service(described: str) -> tuple[str, str] | None:
    """Which service tells the address, and where it is asked."""
    for service in described.split("</service>"):
        kinds, controls = _KIND.search(service), _CONTROL.search(service)
        if kinds and controls:
            return kinds[1], controls[1]
    return None


def _fetch(method: str, url: str, deadline: Deadline, body: str = "",
           headers: dict[str, str] | None = None) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    line = Door(host, (host, parts.port or 80), None, deadline)
    try:
        line.request(method, f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", body or None,
                     headers or {})
        return line.getresponse().read(_MOST).decode("utf-8", "replace")
    finally:
        line.close()
