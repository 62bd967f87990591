"""From [mail] to a relay that is ready for mail: connection, TLS, EHLO, login; or a RelayError."""
import re
from base64 import b64encode

from devdigest.config import LOOPBACK, Mail
from devdigest.dialogue import PORTS, Dialogue, cause
from devdigest.replies import Outcome, RelayError, Reply, Stage

_ACCOUNT_CURE = "; check [mail] user, from and the password: Gmail and Naver want an app password"
_OFFER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)[ =]?(.*)")     # AUTH=LOGIN is from before RFC 2554


def meet(mail: Mail, password: str) -> tuple[Dialogue, dict[str, str]]:
    """The open line, and what the relay offers on it: keywords in capitals, with their parameters.

    Encrypted unless on this machine; logged in where `mail.user` is set. Raises RelayError.
    """
    where = f"{mail.host}:{mail.port}"
    if mail.security == "none" and mail.host not in LOOPBACK:
        raise RelayError(f"{where}: without encryption only a relay on this machine is spoken to")
    try:
        line = Dialogue(mail.host, mail.port, mail.timeout)
        try:
            offers = _introduce(line, mail)
            if mail.user:
                _login(line, offers, mail.user, password)
        except Exception:
            line.close()
            raise
    except (OSError, UnicodeError) as error:        # UnicodeError: what no name server can be asked for
        raise RelayError(f"{where}: {cause(error)}") from error
    return line, offers


def _introduce(line: Dialogue, mail: Mail) -> dict[str, str]:
    if mail.security == "tls":
        line.encrypt(mail.host, mail.ca_file)
    _expect(line, line.reply(Stage.CONNECT), "turns us away")
    offers = _greet(line, mail.domain)
    if mail.security == "starttls":
        if "STARTTLS" not in offers:
            raise RelayError(f"{line.where}: offers no STARTTLS, nothing goes in the clear; {PORTS}")
        _expect(line, line.ask(Stage.TLS, "STARTTLS"), "refuses STARTTLS")
        line.encrypt(mail.host, mail.ca_file)
        offers = _greet(line, mail.domain)      # what was offered in the clear counts no more (RFC 3207, 4.2)
    return offers


def _greet(line: Dialogue, name: str) -> dict[str, str]:
    reply = line.ask(Stage.CONNECT, f"EHLO {name}")
    _expect(line, reply, "refuses EHLO")
    offers: dict[str, str] = {}
    for said in reply.text.split("\n")[1:]:         # the first is its name
        if found := _OFFER.fullmatch(said):
            keyword = found[1].upper()
            offers[keyword] = f"{offers.get(keyword, '')} {found[2]}".strip()
    return offers


def _login(line: Dialogue, offers: dict[str, str], user: str, password: str) -> None:
    """No EHLO may follow: Brevo forgets the login then."""
    offered = offers.get("AUTH", "").upper().split()
    exchanges = {"PLAIN": ("AUTH PLAIN " + _base64(f"\0{user}\0{password}"),),
                 "LOGIN": ("AUTH LOGIN", _base64(user), _base64(password))}
    known = [mechanism for mechanism in exchanges if mechanism in offered]
    if not known:
        raise RelayError(f"{line.where}: offers login by {' '.join(offered) or 'nothing'}, "
                         f"not PLAIN or LOGIN", outcome=Outcome.ACCOUNT)
    for mechanism in known:
        for words in exchanges[mechanism]:
            reply = line.ask(Stage.LOGIN, words)
            if reply.code != 334:
                break
        if reply.code != 504:       # this mechanism after all not (RFC 4954, 4)
            break
    _expect(line, reply, f"refuses the login of {user}")


def _expect(line: Dialogue, reply: Reply, otherwise: str) -> None:
    if reply.outcome is not Outcome.ACCEPTED:
        cure = _ACCOUNT_CURE if reply.outcome is Outcome.ACCOUNT else ""
        raise RelayError(f"{line.where}: {otherwise}: {reply}{cure}", reply)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
