"""What goes wrong, told in the visitor's language: a page for each kind, made once, that echoes nothing."""
from datetime import UTC, datetime

from devdigest.config import Config
from devdigest.web.headers import common
from devdigest.web.visit import Visit, preferred
from devdigest.wording import WORDINGS

_TOLD = (400, 403, 404, 405, 413, 429, 431, 500, 503)      # those with words of their own


class Faults:
    """The answers to what cannot be answered, for bottle and for waitress alike."""

    def __init__(self, config: Config) -> None:
        self._language = config.site.language
        self._common = common(config.site)
        self._pages = {(code, language): _page(config, code, language)
                       for code in _TOLD for language in WORDINGS}

    def answer(self, code: int, accepted: str) -> tuple[list[tuple[str, str]], bytes]:
        """(headers, body) for a status, in the language that this Accept-Language likes best."""
        told = code if code in _TOLD else 500 if code >= 500 else 400
        language = preferred(accepted) or self._language
        return [*self._common, ("Cache-Control", "no-store"), ("Content-Language", language),
                ("Content-Type", "text/html; charset=UTF-8"), ("Vary", "Accept-Language")
                ], self._pages[told, language]


def _page(config: Config, code: int, language: str) -> bytes:
    visit = Visit(config, language, datetime.now(UTC))
    return visit.framed("notice", visit.say(f"error_{code}"), text=visit.say(f"error_{code}_text")).encode()
