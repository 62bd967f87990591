"""Which e-mail addresses are mailed to, in the one form that is stored. No query; no server is asked."""
from email_validator import EmailNotValidError, validate_email

LONGEST = 320           # characters that are looked at; no address has more (RFC 5321, 4.5.3.1)

# Mailboxes of a function, not of a person (RFC 2142), and those that nobody reads: whoever signs them up
# wants a stranger flooded.
_ROLES = frozenset((
    "info", "marketing", "sales", "support", "abuse", "noc", "security", "postmaster", "hostmaster", "usenet",
    "news", "webmaster", "www", "uucp", "ftp", "mailer-daemon", "no-reply", "noreply"))

_GMAIL = ("gmail.com", "googlemail.com")


class NotAnAddress(ValueError):
    """Not an address we mail to; says why, in one word by `reason`: syntax, local_part, domain, role."""

    def __init__(self, said: str, reason: str = "syntax") -> None:
        super().__init__(said)
        self.reason = reason


def tidy(email: str) -> str:
    """The address in the one form we store: IDN as A-label, domain in lower case. Raises NotAnAddress."""
    email = email.strip()
    try:
        ascii_email = _checked(email)
    except EmailNotValidError as error:
        raise NotAnAddress(str(error), _fault(email)) from error
    if ascii_email is None:
        raise NotAnAddress("The part before the @-sign may only have ASCII letters, digits and signs: "
                           "too many relays refuse others.", "local_part")
    return ascii_email


def of_a_person(email: str) -> str:
    """The address, tidied, as a visitor may give it: not one of a role. Raises NotAnAddress."""
    email = tidy(email)
    local = email.partition("@")[0].partition("+")[0].lower()
    if local in _ROLES:
        raise NotAnAddress(f"{local}@ is not the address of a person.", "role")
    return email


def mailbox(email: str) -> str:
    """The same for all spellings that reach one mailbox: `ada+x@` is ada's (RFC 5233), Gmail sees no dots."""
    local, _, domain = email.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        local, domain = local.replace(".", ""), _GMAIL[0]
    return f"{local}@{domain}"


def _checked(email: str) -> str | None:
    checked = validate_email(email, check_deliverability=False, allow_smtputf8=True, test_environment=True,
                             strict=True)       # at most 64 octets before the @
    return checked.ascii_email


def _fault(email: str) -> str:
    """Whether what stands after the @ alone is to blame."""
    local, _, domain = email.rpartition("@")
    if not local or not domain:
        return "syntax"
    try:
        _checked(f"{local}@example.org")
    except EmailNotValidError:
        return "syntax"
    return "domain"
