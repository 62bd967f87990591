"""Zones in which people are given names, and what a certificate for such a name depends on.

Where a zone is on the public suffix list each name in it counts as a domain of its own. Elsewhere all share
the 50 new certificates a week that Let's Encrypt gives to one domain.
"""
# As of August 2026; the list itself is 300 KB, and changes daily.
_ITS_OWN = ("duckdns.org", "ddns.net", "hopto.org", "zapto.org", "sytes.net", "dynv6.net", "dedyn.io",
            "dynu.net", "synology.me", "myds.me")
_SHARED = ("iptime.org", "mooo.com", "us.to", "chickenkiller.com", "strangled.net", "asuscomm.com",
           "tplinkdns.com")


def given_in(name: str) -> str:
    """The zone of a provider in which this name was given out, "" for one that is somebody's own."""
    whole = f".{name.rstrip('.').lower()}"
    return next((zone for zone in (*_ITS_OWN, *_SHARED) if whole.endswith(f".{zone}")), "")


def shared(name: str) -> str:
    """The zone whose certificates this name shares with all others in it, "" where it does not."""
    zone = given_in(name)
    return zone if zone in _SHARED else ""


def certificate_note(name: str) -> str:
    """What the owner has to know of certificates for this name, "" where there is nothing."""
    zone = shared(name)
    return (f"{zone} is no public suffix: all names in it share 50 new certificates a week, so the first one "
            f"may take days; a name in duckdns.org or ddns.net, or one of your own, does not") if zone else ""
