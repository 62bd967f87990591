"""Blog lists as files: Awesome Devblog's YAML, OPML and plain text are read.

Says what stands in a file, not what is to be done with it; nothing is fetched, no name is looked up.
"""
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from xml.parsers import expat

import yaml

from devdigest.text import tidy

_DEEPEST = 50       # levels; a list needs two, and libyaml takes quadratic time over what never closes
_URL = re.compile(r"https?://", re.IGNORECASE)
_HTML = re.compile(rb"<(!doctype\s+)?html\b", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)#.*")       # the # of a URL's fragment follows no space
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)     # a Pi without a wheel has only the slow one


@dataclass(frozen=True)
class Row:
    """A blog as the list writes it, "" where it writes nothing."""
    name: str
    site: str
    feed: str


class NotAList(ValueError):
    """The file cannot be read as a list of blogs; the message says why."""


def read(data: bytes, name: str) -> list[Row]:
    """The blogs in the file `name`, in its order. What it holds decides how it is read, then its ending.

    Raises NotAList.
    """
    rows = list(_rows(data, PurePath(name).suffix.lower()))
    if not rows:
        raise NotAList("no blog in it names a feed")
    return rows


def _rows(data: bytes, ending: str) -> Iterator[Row]:
    begin = data[:1000].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")      # byte order marks, and UTF-16
    if _HTML.match(begin):
        raise NotAList("an HTML page, not a list of blogs")
    if begin.startswith(b"<"):
        return _opml(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotAList(f"not UTF-8: byte {error.start}") from error
    lines = [line for raw in text.splitlines() if (line := _COMMENT.sub("", raw).strip())]
    first = lines[0] if lines else ""
    if _URL.match(first) or ending == ".txt":
        return _text(lines)
    if first.startswith(("-", "[", "%")) or ending in (".yml", ".yaml"):
        return _yaml(text)
    raise NotAList("neither YAML, OPML nor a text file of URLs")


def _text(lines: Iterable[str]) -> Iterator[Row]:
    for line in lines:
        feed, *name = line.split(maxsplit=1)
        yield _row(" ".join(name), "", feed)


def _yaml(text: str) -> Iterator[Row]:
    try:
        for entry in _mappings(text):
            if "rss" in entry:
                yield _row(entry.get("name", ""), entry.get("blog") or entry.get("home", ""), entry["rss"])
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise NotAList(f"not YAML: {where}{error.problem}") from error
    except yaml.YAMLError as error:
        raise NotAList(f"not YAML: {str(error).splitlines()[0]}") from error


def _mappings(text: str) -> Iterator[dict[str, str]]:
    words: list[str] = []       # of one mapping: keys and values by turns
    for depth, event in _levels(text):
        match depth, event:
            case 0, yaml.MappingStartEvent():
                raise NotAList("not a list of blogs but a single mapping")
            case 1, yaml.MappingStartEvent():
                words = []
            case 1, yaml.MappingEndEvent():
                yield dict(zip(words[::2], words[1::2], strict=True))
            case 2, yaml.ScalarEvent():
                words.append(event.value)
            case 2, yaml.CollectionStartEvent():
                words.append("")        # a key or value that is no text is none of ours


def _levels(text: str) -> Iterator[tuple[int, yaml.Event]]:
    # Events, not load(): values stay as written (a blog may be called 42, 2024-01-01 or Null), nothing is
    # constructed, and depth cannot exhaust the stack (load() of 100,000 brackets ends the process).
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.NodeEvent) and (event.anchor or getattr(event, "tag", None)):
            raise NotAList(f"not a list of blogs: line {event.start_mark.line + 1}: a tag, anchor or alias")
        depth -= isinstance(event, yaml.CollectionEndEvent)
        yield depth, event
        depth += isinstance(event, yaml.CollectionStartEvent)
        if depth > _DEEPEST:
            raise NotAList(f"not a list of blogs: line {event.start_mark.line + 1}: nested too deeply")


def _opml(data: bytes) -> Iterator[Row]:
    rows: list[Row] = []
    root = ""

    def refuse_doctype(*_: object) -> None:
        raise NotAList("not OPML: it has a DOCTYPE")        # OPML has none; entities would be a way to a bomb

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal root
        root = root or tag.lower()
        values = {key.lower(): value for key, value in attributes.items()}
        if tag.lower() == "outline" and "xmlurl" in values:
            name = values.get("title") or values.get("text", "")
            rows.append(_row(name, values.get("htmlurl", ""), values["xmlurl"]))

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.StartElementHandler = start
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise NotAList(f"not OPML: line {error.lineno}: {expat.ErrorString(error.code)}") from error
    except NotAList:
        raise
    except (LookupError, ValueError) as error:      # an encoding that expat does not know
        raise NotAList(f"not OPML: {error}") from error
    if root != "opml":
        raise NotAList(f"not OPML: it begins with <{root}>")
    return iter(rows)


def _row(name: str, site: str, feed: str) -> Row:
    site, feed = ("".join(filter(str.isprintable, url.strip())) for url in (site, feed))
    return Row(tidy(name), site, feed)
