"""What the owner was asked: eight questions, each also a flag and an environment variable."""
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Empty where it was not answered. Passwords are credentials, never answers."""
    sender: str = ""            # address the digest is sent from
    relay: str = ""             # host:port, or "maildir" for a trial without a relay
    relay_user: str = ""
    name: str = ""              # public host name of the site; "" for the LAN alone
    ddns: str = ""              # router, freedns, duckdns, noip, cloudflare, dynv6, dyndns2, none
    ddns_server: str = ""       # of dyndns2
    ddns_user: str = ""
    owner: str = ""             # owner's mailbox
    blogs: str = ""             # the list: bundled, a file or a URL
    zone: str = ""
    language: str = ""          # ko or en
    time: str = ""              # of the digest, HH:MM
    copy_to: str = ""           # second place of backups
