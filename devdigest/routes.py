"""The way out as the kernel has it: the router, our address in the LAN, our own IPv6 addresses."""
import ipaddress
import socket
import struct

from devdigest.machine import Machine

_NET = "proc/self/net"          # of /proc a service may see only its own
_TEMPORARY = 0x01       # IFA_F_TEMPORARY: a privacy address, another one tomorrow (RFC 8981)
_UP, _BY_ROUTER = 0x1, 0x2      # RTF_UP, RTF_GATEWAY


def are_told(machine: Machine) -> bool:
    """Whether the kernel tells of routes here at all."""
    return machine.has(f"{_NET}/route")


def router(machine: Machine) -> str | None:
    """The address of the default route; "" where that leads out without one, None where there is none."""
    for line in machine.text(f"{_NET}/route").splitlines()[1:]:
        fields = line.split()
        flags = int(fields[3], 16)
        if fields[1] == fields[7] == "00000000" and flags & _UP:
            return socket.inet_ntoa(struct.pack("=I", int(fields[2], 16))) if flags & _BY_ROUTER else ""
    return None


def here(router: str) -> str:
    """Our address on the side of the router; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        try:
            line.connect((router, 9))
            return line.getsockname()[0]
        except OSError:
            return ""


def own_ipv6(machine: Machine) -> dict[str, bool]:
    """Our global addresses, and whether each stays."""
    found = {}
    for line in machine.text(f"{_NET}/if_inet6").splitlines():
        digits, _, _, _, flags, _ = line.split()
        address = ipaddress.IPv6Address(int(digits, 16))
        if address.is_global:
            found[str(address)] = not int(flags, 16) & _TEMPORARY
    return found
