"""Plain text: out of HTML, tidied to one line, cut to an excerpt, measured in minutes.

What comes out is still hostile text: whoever shows it escapes it.
"""
import html
import re
import unicodedata

_LONGEST = 500_000      # characters of HTML; a longer post is measured and quoted by its beginning

# Elements that stand within a line; every other tag parts two words.
_INLINE = {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
           "font", "i", "ins", "kbd", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike",
           "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"}

# Each alternative takes all that is left if its end is missing, as browsers do. So no match fails half-way
# and the time stays linear; html.parser of Python 3.11 needs 20 seconds for 50 KB of `<a `.
_ATTRIBUTES = r"""(?:=\s*+"[^"]*+(?:"|\Z)|=\s*+'[^']*+(?:'|\Z)|[^>])*+"""
_MARKUP = re.compile(rf"""
      <!--.*?(?:-->|\Z)
    | <(?P<hidden>script|style|template|svg)(?=[\s/>]){_ATTRIBUTES}.*?(?:</(?P=hidden)\b[^>]*+(?:>|\Z)|\Z)
    | <head(?=[\s/>]){_ATTRIBUTES}.*?(?:</head\b[^>]*+(?:>|\Z)|(?=<body\b)|\Z)
    | </?(?P<tag>[a-z][^\s/>]*+){_ATTRIBUTES}(?:>|\Z)
    | <[!?/][^>]*+(?:>|\Z)
    """, re.VERBOSE | re.IGNORECASE | re.DOTALL)
_ENDLESS_NUMBER = re.compile(r"&#x?[0-9a-f]{8,}+;?", re.IGNORECASE)     # int() raises on 4,301 digits

# Controls that are no white space, soft hyphens, zero-width and bidirectional ones, tags, lone surrogates,
# and the last two of the first plane, which XML cannot hold.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e"
                        "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f\ud800-\udfff]")
_FILLERS = ("\u3164", "\uffa0")       # of Hangul: letters to Unicode, but nothing to see

_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]」』]*(?=\s)")
_SYLLABLES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SYLLABLES_A_MINUTE = 500
_WORDS_A_MINUTE = 230


def from_html(source: str) -> str:
    """The text of HTML on one line; scripts, styles and the head are left out."""
    text = _MARKUP.sub(_parting, source[:_LONGEST])
    return " ".join(html.unescape(_ENDLESS_NUMBER.sub("\ufffd", text)).split())


def _parting(markup: re.Match[str]) -> str:
    tag = (markup["tag"] or "").lower()
    return "" if tag in _INLINE or markup[0].startswith("<!--") else " "


def tidy(text: str) -> str:
    """One line in NFC, with nothing in it that is invisible or turns the direction of what follows."""
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    for filler in _FILLERS:     # many times as fast as `translate`
        text = text.replace(filler, " ")
    return " ".join(text.split())


def excerpt(text: str, limit: int = 200) -> str:
    """The beginning of `text`, at most `limit` characters; cut after a sentence or a word, with "…"."""
    if len(text) <= limit:
        return text
    room = text[:limit - 1]
    sentences = [end.end() for end in _SENTENCE_END.finditer(room)]
    if sentences and sentences[-1] > limit / 2:
        return room[:sentences[-1]] + " …"
    border = limit - 1 if text[limit - 1].isspace() else room.rfind(" ")
    return (room[:border] if border > limit / 2 else room).rstrip() + "…"


def minutes(text: str) -> int:
    """Reading time, at least 1: Korean, Chinese and Japanese by the syllable, everything else by the word."""
    others, runs = _SYLLABLES.subn(" ", text)
    syllables = len(text) - len(others) + runs
    words = len(_WORD.findall(others))
    return max(1, round(syllables / _SYLLABLES_A_MINUTE + words / _WORDS_A_MINUTE))
