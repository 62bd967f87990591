"""NAT-PMP (RFC 6886): the address that the router has on its side of the world."""
import ipaddress
import socket
import struct
import time

_FIRST = 0.25               # seconds; the wait doubles with each asking (RFC 6886, 3.1)
_ANSWER = struct.Struct("!BBHI4s")


def external_address(router: str, port: int, seconds: float) -> str:
    """"" where the router does not speak NAT-PMP, has it switched off, or has no address itself."""
    deadline, wait = time.monotonic() + seconds, _FIRST
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        try:
            line.connect((router, port))
            while (left := deadline - time.monotonic()) > 0:
                line.settimeout(min(wait, left))
                line.send(b"\0\0")
                try:
                    return _address(line.recv(64))
                except TimeoutError:
                    wait *= 2
        except OSError:         # nothing listens at that port, or no way there
            pass
    return ""


def _address(answer: bytes) -> str:
    if len(answer) < _ANSWER.size:
        return ""
    version, operation, result, _, address = _ANSWER.unpack_from(answer)
    if (version, operation, result) != (0, 128, 0) or address == bytes(4):
        return ""
    return str(ipaddress.IPv4Address(address))
