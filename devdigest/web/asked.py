"""What an address asks for, by its path and its query. What makes no sense is answered with 400 or 404."""
from datetime import date

from bottle import abort, request

_MOST_DIGITS = 6        # of a page's number


def text(name: str) -> str:
    """The field of this name; "" where there is none."""
    given = request.query.getunicode(name)
    if given is None and name in request.query:
        abort(400)      # in no encoding that browsers use
    return given or ""


def page() -> int:
    """The number of the page, 1 or more; whether there is one is not known here."""
    given = text("page") or "1"
    if not (given.isascii() and given.isdecimal() and len(given) <= _MOST_DIGITS and int(given) > 0):
        abort(404)
    return int(given)


def day(given: str) -> date:
    """A day as in 2026-11-22."""
    try:
        return date.fromisoformat(given)
    except ValueError:
        abort(404)
