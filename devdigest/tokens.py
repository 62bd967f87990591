"""Link tokens, each good for one purpose: signed for links in mails, random and stored hashed to confirm.

A mail is forwarded, so a signed token only opens what harms nobody else: leaving, pausing, frequency,
language.
"""
import hashlib
import hmac
import secrets

_LENGTH = 20        # characters of the signature, 5 bits each: nobody guesses 100 bits over HTTP
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"      # survives lower-casing and reading aloud (RFC 4648, 6)
SHAPE = rf"[0-9]{{1,18}}-[a-z2-7]{{{_LENGTH}}}"      # of a signed token, as a pattern


def new_key() -> str:
    """A key for signing, to be kept in the database, so that a restored backup knows its own links."""
    return secrets.token_hex(32)


def sign(key: str, purpose: str, subscriber: int) -> str:
    """The token for links of `subscriber`, such as `17-mfxw3…`: no secret of theirs, and short.

    With another purpose it is the number of a mail that is signed, so that what comes back proves itself, or
    the day of an issue that the owner may hold.
    """
    return f"{subscriber}-{_signature(key, purpose, subscriber)}"


def verify(key: str, purpose: str, token: str) -> int | None:
    """The subscriber whose token this is; None where it is not one of ours for this purpose."""
    number, signature = claimed(token), token.partition("-")[2]
    if number is None:
        return None
    good = hmac.compare_digest(_signature(key, purpose, number).encode(), _octets(signature))
    return number if good else None


def claimed(token: str) -> int | None:
    """Whose token it says it is, which proves nothing yet."""
    number = token.partition("-")[0]
    return int(number) if number.isdecimal() and number.isascii() and len(number) <= 18 else None


def _signature(key: str, purpose: str, subscriber: int) -> str:
    digest = hmac.digest(bytes.fromhex(key), f"{purpose}:{subscriber}".encode(), "sha256")
    return "".join(_ALPHABET[byte % 32] for byte in digest[:_LENGTH])


def random_token() -> tuple[str, str]:
    """(token for the link, its hash for the database)."""
    token = secrets.token_urlsafe(24)
    return token, hashed(token)


def hashed(token: str) -> str:
    """What is stored of a random token; it needs no salt, as it cannot be guessed."""
    return hashlib.sha256(_octets(token)).hexdigest()


def _octets(given: str) -> bytes:
    return given.encode(errors="surrogatepass")     # a URL may hold what is no text


def address_hash(key: str, email: str) -> str:
    """By what a suppressed address is known once the address itself is erased."""
    return hmac.new(bytes.fromhex(key), email.lower().encode(), "sha256").hexdigest()
