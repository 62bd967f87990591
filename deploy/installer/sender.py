"""The address in From: which cannot be one, which will do for a few readers, what DNS has to say of it."""
from devdigest import relays
from devdigest.mail_records import merged
from devdigest.rules import is_address
from devdigest.zones import given_in

FEW = 100           # readers that a free mailbox's provider suffers
# Their providers' DMARC lets nobody else mail as them; relay where one mails by login
FREE = {"gmail.com": "smtp.gmail.com:465", "googlemail.com": "smtp.gmail.com:465",
        "naver.com": "smtp.naver.com:465",
        "daum.net": "smtp.daum.net:465", "hanmail.net": "smtp.daum.net:465",
        "kakao.com": "smtp.kakao.com:465", "nate.com": "smtp.mail.nate.com:465",
        "outlook.com": "", "hotmail.com": "", "live.com": "", "yahoo.com": "smtp.mail.yahoo.com:465",
        "icloud.com": "smtp.mail.me.com:587"}


def domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def refusal(address: str) -> str:
    """Why no digest can be sent from there; "" where it can."""
    if not is_address(address):
        return f"{address!r} is no e-mail address, as digest@example.org"
    if zone := given_in(domain(address)):
        return (f"{zone} is its provider's: nobody can set SPF and DKIM for a name in it, so its mail is "
                "taken for spam; use a domain of your own, or a mailbox at Gmail or Naver")
    return ""


def usual_relay(address: str) -> str:
    return FREE.get(domain(address), "")


def records(address: str, relay_host: str, owner: str) -> list[str]:
    """What to set in the DNS of the sender's domain, a line each; none for a mailbox elsewhere."""
    at = domain(address)
    if at in FREE:
        return []
    known = relays.at(relay_host)
    term = f"include:{known.spf}" if known.spf else f"a:{relay_host}"
    reports = f"; rua=mailto:{owner}" if domain(owner) == at else ""
    return [f'{at}. TXT "{merged([], term)}"',
            f'_dmarc.{at}. TXT "v=DMARC1; p=none{reports}"',
            f"DKIM: the record that {relay_host} shows for {at}"]


def advice(address: str, relay_host: str, owner: str) -> list[str]:
    """The same in words, with what works without."""
    if not (rows := records(address, relay_host, owner)):
        return [f"{domain(address)} is a free mailbox: good for up to {FEW} readers; nothing to set in DNS"]
    return [f"set in the DNS of {domain(address)}; an SPF record there gets the new term:",
            *rows,
            "without them mails go out, and are likely to be taken for spam;",
            "sudo devdigest check tells when they are there"]
