"""One visit: its language and time, and the page that answers it. Templates are read once, at import.

Links in pages are paths alone, so that nothing a visitor says becomes part of one.
"""
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote

from bottle import SimpleTemplate, response

from devdigest.config import Config
from devdigest.draft import AWESOME_DEVBLOG
from devdigest.edition import tidy
from devdigest.urls import http_url
from devdigest.web.words import say
from devdigest.wording import WORDINGS, Wording

_FOLDER = Path(__file__).parents[1] / "templates" / "web"
_TEMPLATES = {path.stem: SimpleTemplate(path.read_text(encoding="utf-8"))
              for path in _FOLDER.iterdir() if path.suffix in (".html", ".xml")}
_GIVEN = {"tidy": tidy, "http_url": http_url, "quote": quote, "awesome": AWESOME_DEVBLOG}

STYLE = (_FOLDER / "site.css").read_bytes()
STYLE_PATH = f"/static/site.{sha256(STYLE).hexdigest()[:12]}.css"

# One of our languages in Accept-Language, with its weight (RFC 9110, 12.5.4).
_RANGE = re.compile(r"(?:^|,)(ko|en)(?:-[a-z0-9-]+)?(?:;q=([01](?:\.[0-9]{0,3})?))?(?=,|$)", re.IGNORECASE)
_LONGEST_ACCEPTED = 200     # characters; browsers send less


class Page(NamedTuple):
    """A route: what answers the visit, given the parts of the path that its rule names."""
    method: str
    path: str
    answer: Callable[..., str]
    kept: bool = False          # alike for all who speak a language, on one day, until the database changes


@dataclass(frozen=True)
class Visit:
    config: Config
    language: str
    now: datetime               # aware

    @classmethod
    def begun(cls, config: Config, accepted: str, now: datetime) -> Self:
        """A visit with this Accept-Language; in the site's language where it names none of ours."""
        return cls(config, preferred(accepted) or config.site.language, now)

    def speaking(self, language: str) -> Self:
        return replace(self, language=language)

    @property
    def words(self) -> Wording:
        return WORDINGS[self.language]

    def say(self, name: str, *values: object) -> str:
        return say(self.language, name, *values)

    def moment(self, instant: datetime) -> str:
        return self.say("moment", instant.astimezone(self.config.site.timezone))

    def part(self, name: str, **values: Any) -> str:
        """The template `name` as HTML; it escapes what it is given."""
        return _TEMPLATES[name].render(_GIVEN, values, visit=self, config=self.config, site=self.config.site,
                                       words=self.words, say=self.say, part=self.part)

    def page(self, name: str, title: str, status: int = 200, path: str = "", about: str = "",
             **values: Any) -> str:
        """The answer: the template `name` within the frame of every page.

        `path`: where it is found for good, and `about`: what it holds, in a sentence, for search engines and
        where links to it are shown. A page without a path asks search engines to leave it out.
        """
        response.status = status
        response.set_header("Content-Language", self.language)
        return self.framed(name, title, path, about, **values)

    def framed(self, name: str, title: str, path: str = "", about: str = "", **values: Any) -> str:
        """The same as a page alone, without an answer."""
        body = self.part(name, title=title, about=about, **values)
        return self.part("frame", body=body, title=title, path=path, about=about, style=STYLE_PATH)

    def notice(self, name: str, *values: object, status: int = 200) -> str:
        """A page of a headline, the words `name`, and a line, `name` + `_text`; `values` are for the line."""
        return self.page("notice", self.say(name), status, text=self.say(f"{name}_text", *values))


def preferred(accepted: str) -> str:
    """Which of our languages this Accept-Language likes best; "" where it names none."""
    return _preferred(accepted) if len(accepted) <= _LONGEST_ACCEPTED else ""


@lru_cache(maxsize=256)
def _preferred(accepted: str) -> str:
    named = _RANGE.findall("".join(accepted.split()))
    weight, best = max(((float(weight or 1), tag.lower()) for tag, weight in named),
                       key=lambda one: one[0], default=(0.0, ""))       # the first of equals
    return best if weight else ""
