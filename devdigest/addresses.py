"""Which IP addresses a feed may be fetched from: those of the public Internet, never of the owner's network.

The tables are ours: `ipaddress.is_global` changes with Python, and takes NAT64 and multicast for global.
"""
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# IANA's special-purpose registry (RFC 6890), and what is multicast, reserved or given up.
_SPECIAL_V4 = tuple(map(IPv4Network, (
    "0.0.0.0/8",            # this network; Linux takes 0.0.0.0 for loopback
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",            # private
    "100.64.0.0/10",        # behind a carrier's NAT
    "127.0.0.0/8",          # loopback
    "169.254.0.0/16",       # link-local
    "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",    # protocols, documentation
    "192.88.99.0/24",       # 6to4 relays, given up (RFC 7526)
    "198.18.0.0/15",        # benchmarks
    "224.0.0.0/4", "240.0.0.0/4",                               # multicast, reserved, broadcast
)))
_UNICAST_V6 = IPv6Network("2000::/3")       # all that is given out (RFC 4291, 2.4)
_SPECIAL_V6 = tuple(map(IPv6Network, (
    "2001::/23",            # protocols, Teredo among them
    "2001:db8::/32", "3fff::/20",                               # documentation
    "2002::/16",            # 6to4, a way to any IPv4 address
)))
# Names that a network at home gives (RFC 6761, 6762, 8375; .internal by ICANN, .lan and .home by habit).
_AT_HOME = (".local", ".localhost", ".localdomain", ".home.arpa", ".internal", ".lan", ".home")
_NAT64 = IPv6Network("64:ff9b::/96")        # ends in the IPv4 address that is meant (RFC 6052, 2.1)


def is_public(address: str) -> bool:
    """Whether `address`, in the usual text form of an IP address, belongs to the public Internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or (IPv4Address(int(ip) & 0xFFFF_FFFF) if ip in _NAT64 else None)
        if inner is None:
            return ip in _UNICAST_V6 and not any(ip in network for network in _SPECIAL_V6)
        ip = inner
    return not any(ip in network for network in _SPECIAL_V4)


def is_at_home(host: str) -> bool:
    """Whether a name is one that only the owner's own network knows."""
    return f".{host.rstrip('.').lower()}".endswith(_AT_HOME)
