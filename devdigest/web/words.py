"""What the pages say, in Korean and in English side by side; what mails say too stands in wording.py.

Read once, at import, from templates/web/words/*.toml; a word that one language lacks fails then.
"""
import tomllib
from datetime import time
from pathlib import Path

from devdigest.wording import WORDINGS

_LANGUAGES = ("ko", "en")
_FOLDER = Path(__file__).parents[1] / "templates" / "web" / "words"


def _read() -> dict[str, tuple[str, ...]]:
    words: dict[str, tuple[str, ...]] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        for name, told in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if name in words or set(told) != set(_LANGUAGES):
                raise ValueError(f"{path}: {name}: said twice, or not once in each language")
            words[name] = tuple(told[language] for language in _LANGUAGES)
    return words


_WORDS = _read()


def say(language: str, name: str, *values: object) -> str:
    """The words `name` in a language, with `values` filled in; a time of day as mails tell it."""
    told = (WORDINGS[language].clock(value) if isinstance(value, time) else value for value in values)
    return _WORDS[name][_LANGUAGES.index(language)].format(*told)
