"""Signing up: the form, what becomes of it, and the page after it, which is the same for every address."""
import hmac
import logging
import secrets
from datetime import datetime, timedelta

from bottle import request, response

from devdigest import sign_up
from devdigest.recipients import LONGEST, NotAnAddress
from devdigest.web.network import origin
from devdigest.web.private import keep_private, see_other
from devdigest.web.visit import Page, Visit
from devdigest.wording import WORDINGS

log = logging.getLogger(__name__)

STAMP = "@@stamp@@"         # stands in the form, whose page is kept, for when it was given out

_KEY = secrets.token_bytes(32)                  # a form from before a restart is sent once more
_QUICKEST = timedelta(seconds=2)                # nobody types an address faster, and programs do
_OLDEST = timedelta(hours=48)
_HOUR = "3600"              # seconds after which the limits of sign_up.py let one in again


def stamp(now: datetime) -> str:
    """When a form was given out, signed."""
    moment = str(int(now.timestamp() * 1000))
    return f"{moment}-{_signature(moment)}"


def age(stamp: str, now: datetime) -> timedelta | None:
    """How long ago the form with this stamp was given out; None where we gave out none such."""
    moment, _, signature = stamp.partition("-")
    if not hmac.compare_digest(_signature(moment).encode(), signature.encode()):
        return None
    return timedelta(milliseconds=int(now.timestamp() * 1000) - int(moment))


def _signature(moment: str) -> str:
    return hmac.digest(_KEY, moment.encode(), "sha256").hex()


def form(visit: Visit) -> str:
    return _page(visit)


def join(visit: Visit) -> str:
    visit = visit.speaking(_language(visit))
    if not visit.config.site.takes_sign_ups:
        keep_private()
        return visit.notice("join_off", status=403)
    email = _field("email").strip()[:LONGEST]
    if _field("website"):       # which no one sees but programs
        log.info("sign-up: a form with the hidden field filled")
        raise see_other("/subscribe/asked")
    if _is_elsewhere() or not _QUICKEST <= (age(_field("stamp"), visit.now) or timedelta()) <= _OLDEST:
        return _again(visit, email, "once_more")
    try:
        sign_up.ask(visit.config, _form(visit, email), visit.now)
    except NotAnAddress as error:
        return _again(visit, email, f"address_{error.reason}")
    except sign_up.TooMany as error:
        keep_private()
        response.set_header("Retry-After", _HOUR)
        return visit.notice(f"too_many_{error.scope}", status=429)
    raise see_other("/subscribe/asked")


def asked(visit: Visit) -> str:
    keep_private()
    return visit.page("asked", visit.say("check_mail"))


def _is_elsewhere() -> bool:
    """Whether another site sent this form, as browsers tell; each of its visitors has limits of their own."""
    return request.environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("same-origin", "none")


def _field(name: str) -> str:
    return request.forms.getunicode(name, "")


def _language(visit: Visit) -> str:
    """Of the form as it was seen."""
    given = _field("language")
    return given if given in WORDINGS else visit.language


def _form(visit: Visit, email: str) -> sign_up.Form:
    network, agent = origin()
    said = (_promise(visit), *map(visit.say, ("join_label", "join_button", "join_next")))
    return sign_up.Form(email=email, language=visit.language, network=network, agent=agent,
                        wording="\n".join(said), page=f"{visit.config.site.url}/subscribe")


def _again(visit: Visit, email: str, fault: str) -> str:
    keep_private()
    return _page(visit, 400, email, visit.say(fault))


def _page(visit: Visit, status: int = 200, email: str = "", fault: str = "") -> str:
    return visit.page("subscribe", visit.say("subscribe"), status, path="/subscribe", about=_promise(visit),
                      promise=_promise(visit), email=email, fault=fault)


def _promise(visit: Visit) -> str:
    return visit.say("subscribe_text", visit.config.digest.opens)


PAGES = (
    Page("GET", "/subscribe", form, kept=True),
    Page("POST", "/subscribe", join),
    Page("GET", "/subscribe/asked", asked),
)
