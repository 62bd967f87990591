"""Who we are to the world: asked of servers that answer with the address they see, over IPv4."""
import ipaddress
import socket
from urllib.parse import urlsplit

from devdigest import front_door


class AddressError(Exception):
    """No answer, or none that is an address: of whom, and why."""


def ask(url: str, seconds: float, ca_file: str = "") -> str:
    """The public address that the server at `url` sees. Raises AddressError."""
    parts = urlsplit(url)
    host, tls = parts.hostname or "", parts.scheme == "https"
    try:
        port = parts.port or (443 if tls else 80)
        found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressError(f"{host}: {getattr(error, 'strerror', None) or error}") from error
    seen = front_door.look(host, found[0][4], parts.path or "/", tls=tls, seconds=seconds, ca_file=ca_file)
    if seen.trouble:
        raise AddressError(f"{host}: {seen.words}")
    try:
        return str(ipaddress.IPv4Address(seen.body.decode("ascii", "replace").strip()))
    except ipaddress.AddressValueError as error:
        raise AddressError(f"{host} does not tell an address ({seen.status})") from error
