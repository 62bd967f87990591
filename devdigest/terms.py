"""Text as the terms by which it is found, and what a visitor types as a question in FTS5's language.

SQLite's own tokenizers find no Korean inside a word (블로그 in 개발블로그로), so every run of Hangul, Kana or
Han becomes its overlapping pairs, and its last syllable once more: a phrase of pairs is a substring, and a
single syllable is the beginning of a pair.
"""
import re
import unicodedata

_CJK = r"\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
# a run of these, or a word of others: c++ and c# are words to those who search here
_RUN = re.compile(rf"([{_CJK}]+)|((?:(?![{_CJK}])[^\W_])+(?:\+\+|#)?)")
_SIGNS = str.maketrans({"+": "plus", "#": "sharp"})
_TYPED = re.compile(r'"([^"]*)"?|([^\s"]+)')    # "a phrase", or a word

_LONGEST_WORD = 40      # characters; what is longer is no word, and is cut on both sides alike
_LONGEST_QUERY = 200    # characters
_MOST_TERMS = 10


def terms(text: str) -> str:
    """What the index keeps of `text`: its terms in order, a space between each two."""
    return " ".join(term for run in _runs(text) for term in _indexed(run))


def query(typed: str) -> str:
    """The FTS5 expression for posts that have all of what was typed; "" where that holds no word."""
    phrases = (_phrase(_runs(quoted or word)) for quoted, word in _TYPED.findall(typed[:_LONGEST_QUERY]))
    return " AND ".join(list(dict.fromkeys(filter(None, phrases)))[:_MOST_TERMS])


def label(tag: str) -> str:
    """One term that stands for a whole tag, so that `java` is not found under `java script`; "" for none."""
    key = " ".join(unicodedata.normalize("NFKC", tag).casefold().split())
    return f"tag{key.encode().hex()}" if key else ""


def _runs(text: str) -> list[tuple[str, str]]:
    """(CJK run, "") or ("", word), in order."""
    return _RUN.findall(unicodedata.normalize("NFKC", text).casefold())


def _indexed(run: tuple[str, str]) -> list[str]:
    cjk, word = run
    return [*_pairs(cjk), cjk[-1]] if cjk else [_word(word)]


def _phrase(runs: list[tuple[str, str]]) -> str:
    """The runs as they must follow each other; the last one may go on in the text where it is CJK."""
    if not runs:
        return ""
    last = runs[-1][0]
    ends = (_pairs(last) or [last]) if last else [_word(runs[-1][1])]
    found = " ".join([*(term for run in runs[:-1] for term in _indexed(run)), *ends])
    return f'"{found}"{"*" if len(last) == 1 else ""}'


def _pairs(cjk: str) -> list[str]:
    return [cjk[place:place + 2] for place in range(len(cjk) - 1)]


def _word(word: str) -> str:
    return word[:_LONGEST_WORD].translate(_SIGNS)
