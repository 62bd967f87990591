"""Text as the terms by which it is found, and what a visitor types as a question in FTS5's language.

SQLite's own tokenizers find no Korean inside a word (블로그 in 개발블로그로), so every run of Hangul, Kana or
Han becomes its overlapping pairs, and its last syllable once more: a phrase of pairs is a substring, and a
single syllable is the beginning of a pair.
"""
import re
import unicodedata
from collections.abc import Iterable
from operator import add

_CJK = r"\u1100-\u11ff\u3005\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_SYLLABLE = rf"(?=[{_CJK}])[^\W_]"
_LETTER = rf"(?![{_CJK}])[^\W_]"
# a run of syllables, or a word of letters and digits: c++ and c# are words to those who search here
_RUN = re.compile(rf"((?:{_SYLLABLE})+)|((?:{_LETTER})+(?:(?:\+\+|\#)(?!{_LETTER}))?)")
_SIGNS = str.maketrans({"+": "plus", "#": "sharp"})
_TYPED = re.compile(r'["“”]([^"“”]*)["“”]?|([^\s"“”]+)')      # "a phrase", as phones quote it too; or a word

_LONGEST_WORD = 40      # characters; what is longer is no word, and is cut on both sides alike
_LONGEST_QUERY = 200    # characters
_MOST_PHRASES = 10
_MOST_OPEN_ENDED = 3    # that end in a single syllable: each is a search through all pairs that begin with it

Run = tuple[str, str]   # (syllables, "") or ("", word)


def terms(text: str) -> str:
    """What the index keeps of `text`: its terms in order, a space between each two."""
    return " ".join(_indexed(_runs(text)))


def query(typed: str) -> str:
    """The FTS5 expression for posts that have all of what was typed; "" where that holds no word."""
    return " AND ".join(map(_expression, _phrases(typed)))


def label(tag: str) -> str:
    """One term that stands for a whole tag, so that `java` is not found under `java script`; "" for none."""
    key = " ".join(_folded(tag).split())
    return f"tag{key.encode('utf-8', 'surrogatepass').hex()}" if key else ""


def pieces(text: str, typed: str) -> list[tuple[str, bool]]:
    """`text` in NFC cut in pieces, and whether each is what was typed."""
    wanted = sorted(map(_sought, _phrases(typed)), key=len, reverse=True)
    if not wanted:
        return [(text, False)]
    line, places = _lined_up(text)
    cut, done, at = [], 0, 0
    while at < len(line):
        found = next((one for one in wanted if line.startswith(one, at)), "")
        if found:
            inside = [place for place in places[at:at + len(found)] if place >= done]
            begin, end = min(inside, default=done), max(inside, default=done - 1) + 1
            cut += [(text[done:begin], False), (text[begin:end], True)]
            done = end
        at += len(found.rstrip()) or 1      # the space behind a word stands before the next one as well
    return [piece for piece in (*cut, (text[done:], False)) if piece[0]]


def _lined_up(text: str) -> tuple[str, list[int]]:
    """The runs of `text` with a space around each, and where each of these characters stands in it, or -1."""
    letters = [(letter, place) for place, char in enumerate(text) for letter in _folded(char)]
    line, places = " ", [-1]
    for run in _RUN.finditer("".join(letter for letter, _ in letters)):
        line += run[0] + " "
        places += [place for _, place in letters[run.start():run.end()]] + [-1]
    return line, places


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _runs(text: str) -> list[Run]:
    return _RUN.findall(_folded(text))


def _phrases(typed: str) -> list[tuple[Run, ...]]:
    """What must be found, each once: a word, or what stands in quotation marks, as runs in their order."""
    phrases = (tuple(_runs(quoted or word)) for quoted, word in _TYPED.findall(typed[:_LONGEST_QUERY]))
    found = list(dict.fromkeys(filter(None, phrases)))[:_MOST_PHRASES]
    open_ended = [phrase for phrase in found if len(phrase[-1][0]) == 1][_MOST_OPEN_ENDED:]
    return [phrase for phrase in found if phrase not in open_ended]


def _indexed(runs: Iterable[Run]) -> list[str]:
    found = list[str]()
    for syllables, word in runs:
        if syllables:
            found += _pairs(syllables)
            found.append(syllables[-1])
        else:
            found.append(_word(word))
    return found


def _expression(phrase: tuple[Run, ...]) -> str:
    """The runs one after the other; the last one may go on in the text where it is of syllables."""
    *before, (syllables, word) = phrase
    ends = (_pairs(syllables) or [syllables]) if syllables else [_word(word)]
    found = " ".join([*_indexed(before), *ends])
    return f'"{found}"{"*" if len(syllables) == 1 else ""}'


def _sought(phrase: tuple[Run, ...]) -> str:
    """The same in a text lined up: words stand alone there, syllables may go on on both sides.

    No regular expression: those made of what visitors type are slow to compile, and Python keeps 512 of them.
    """
    line = " ".join(syllables or word for syllables, word in phrase)
    return " " * bool(phrase[0][1]) + line + " " * bool(phrase[-1][1])


def _pairs(syllables: str) -> list[str]:
    return list(map(add, syllables, syllables[1:]))


def _word(word: str) -> str:
    word = word[:_LONGEST_WORD]
    return word if word.isalnum() else word.translate(_SIGNS)
