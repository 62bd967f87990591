"""What the pages say, in templates/web/words: no word that is missing, none that nobody says any more."""
import re
import tomllib
from pathlib import Path

from devdigest import web

PAGES = Path(web.__file__).parent
TEMPLATES = PAGES.parent / "templates" / "web"
SOURCES = "\n".join(path.read_text(encoding="utf-8")
                    for path in (*PAGES.glob("*.py"), *TEMPLATES.glob("*.html"), *TEMPLATES.glob("*.xml")))
QUOTED = re.compile(r"""["']([a-z][a-z0-9_]*)["']""")
MADE_UP = re.compile(r"""f["']([a-z][a-z0-9_]*)\{[^"']*?\}([a-z_]*)["']""")        # say(f"error_{code}_text")
# these say the word itself and, below it, that word + _text; as issue.html does of a day without posts
NOTICE = re.compile(r"""(?:notice\(|nobodys\(visit, )f?["']([a-z0-9_]+)""")
NOTICES = {*NOTICE.findall(SOURCES), "empty", "closed"}


def words() -> set[str]:
    return {name for path in (TEMPLATES / "words").glob("*.toml")
            for name in tomllib.loads(path.read_text(encoding="utf-8"))}


def is_said(word: str) -> bool:
    below = word.removesuffix("_text")
    return (word in QUOTED.findall(SOURCES)
            or any(word.startswith(begin) and word.endswith(end) for begin, end in MADE_UP.findall(SOURCES))
            or (below != word and below in NOTICES))


def test_every_word_is_said_somewhere() -> None:
    assert [word for word in sorted(words()) if not is_said(word)] == []


def test_every_word_that_is_said_is_there() -> None:
    said = re.findall(r"""\bsay\(["']([a-z0-9_]+)["']""", SOURCES)
    assert len(said) > 100
    assert set(said) - words() == set()


def test_every_notice_has_its_line() -> None:
    said = {name for name in NOTICES if not name.endswith("_")}
    assert len(said) > 5
    assert {f"{name}_text" for name in said} - words() == set()
