"""From where a request came, as coarse as limits and proof need it: the network, and the program."""
from ipaddress import IPv6Network, ip_address

from bottle import request

_LONGEST_AGENT = 200        # characters


def network(remote_addr: str) -> str:
    """The IPv4 address, or the IPv6 /64, as text; "" where it is neither, as on a unix socket."""
    try:
        address = ip_address(remote_addr)
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    # a line of a provider's has at least 64 bits of addresses to itself (RFC 6177)
    return str(address.ipv4_mapped or IPv6Network((int(address) >> 64 << 64, 64)))


def agent(user_agent: str) -> str:
    """What a program calls itself, on one line and not at any length."""
    return "".join(filter(str.isprintable, user_agent))[:_LONGEST_AGENT]


def origin() -> tuple[str, str]:
    """(network, program) of the request. bottle believes anybody's X-Forwarded-For."""
    return network(request.environ.get("REMOTE_ADDR", "")), agent(request.environ.get("HTTP_USER_AGENT", ""))
