"""Where the entries of a feed lie in its bytes, and what tells each apart, at a thirtieth of a parse.

In doubt there is no scan, and what is unsure of an entry is not told: then feedparser has to read it.
"""
from collections.abc import Sequence
from typing import NamedTuple
from xml.parsers import expat

_ENTRIES = {"item", "entry"}
_KINDS = {"guid": "id", "id": "id", "link": "link", "title": "title",
          "published": "published", "issued": "published", "pubdate": "published",
          "updated": "updated", "modified": "updated", "lastbuilddate": "updated", "date": "updated",
          "created": "created"}
# What feedparser takes by its bare name, whatever its prefix is.
_PLAIN = {"", "http://www.w3.org/2005/atom", "http://purl.org/atom/ns#", "http://purl.org/rss/1.0/",
          "http://my.netscape.com/rdf/simple/0.9/", "http://backend.userland.com/rss2",
          "http://backend.userland.com/rss"}
_DC, _TERMS = "http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/"
_OTHERS = {(_DC, "title", "dc"): "title", (_DC, "date", "dc"): "updated",
           (_TERMS, "issued", "dcterms"): "published", (_TERMS, "modified", "dcterms"): "updated",
           (_TERMS, "created", "dcterms"): "created"}
_RECORDS = {"title_detail", "links"}       # names of feedparser's own
_MEDIA = {"http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss"}
_ABOUT = "http://www.w3.org/1999/02/22-rdf-syntax-ns# about rdf"
_ENTRY, _DOUBT, _UNSURE, _SECOND_TITLE = "entry", "doubt", "unsure", "second title"
_OF_AN_ENTRY = {"about", "lastmod", "href"}                                 # attributes that feedparser heeds
_OF_A_FIELD = {"ispermalink", "href", "url", "uri", "rel", "type", "mode"}


class Field(NamedTuple):
    """A child of an entry that tells it apart."""
    kind: str                   # id, about, link, title, published, updated or created, as feedparser has it
    text: str
    attributes: dict[str, str]


class Scanned(NamedTuple):
    """An entry, and where it begins and ends."""
    begin: int
    end: int
    fields: Sequence[Field] | None      # None: only feedparser can tell


class Scan(NamedTuple):
    entries: list[Scanned]
    is_rss: bool                # by its root
    has_base: bool              # for relative links, perhaps


class _Doubt(Exception):
    """The document is to be read as a whole."""


def scan(source: bytes) -> Scan | None:
    """The entries of what `encoding.xml` gives; None where feedparser might see others."""
    scanner = _Scanner(source)
    try:
        scanner.run()
    except (expat.ExpatError, _Doubt):
        return None
    return Scan(scanner.entries, scanner.is_rss, scanner.has_base) if scanner.entries else None


class _Kinds(dict[str, str | None]):
    """What an element is to us, by its name as expat gives it; looked into once for each name."""

    def __missing__(self, name: str) -> str | None:
        kind = self[name] = _kind(*(name.split(" ") if " " in name else ("", name)))
        return kind


class _Bases(dict[str, bool]):
    """Whether an attribute is one to which links may be relative, by its name."""

    def __missing__(self, name: str) -> bool:
        found = self[name] = _local(name) == "base"
        return found


def _kind(space: str, written: str, prefix: str = "") -> str | None:
    space, local = space.lower(), written.lower()
    if local in _ENTRIES:
        return _ENTRY if space in _PLAIN and not prefix else _DOUBT
    if local not in _KINDS:
        return _UNSURE if local in _RECORDS else None
    if space in _PLAIN or (space, local, prefix) in _OTHERS:
        return _OTHERS.get((space, local, prefix)) or _KINDS[local]
    if space in _MEDIA and prefix == "media":
        return _SECOND_TITLE if local == "title" else None
    # a prefix makes another name of it
    return None if prefix and space not in (_DC, _TERMS, *_MEDIA) else _UNSURE


class _Scanner:
    """One pass over a document."""

    def __init__(self, source: bytes) -> None:
        self.entries: list[Scanned] = []
        self.is_rss = self.has_base = False
        self._source = source
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._kinds, self._bases, self._prefixes = _Kinds(), _Bases(), dict[str, str]()
        self._depth = self._entry = self._field = 0     # of the element, of the open entry and field; 0: none
        self._begin, self._is_sure, self._fields = 0, True, list[Field]()
        self._kind, self._attributes, self._texts = "", dict[str, str](), list[str]()

    def run(self) -> None:
        parser = self._parser
        parser.namespace_prefixes = parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.StartNamespaceDeclHandler = self._declared
        parser.SkippedEntityHandler = parser.StartDoctypeDeclHandler = self._doubt
        try:
            parser.Parse(self._source, True)
        finally:        # or the document stays in memory until somebody looks for cycles
            del self._parser
            parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
            parser.StartNamespaceDeclHandler = None
            parser.SkippedEntityHandler = parser.StartDoctypeDeclHandler = None

    def _doubt(self, *_: object) -> None:
        raise _Doubt

    def _declared(self, prefix: str | None, space: str) -> None:
        # feedparser goes by what a prefix meant first or last, wherever that was
        if prefix and self._prefixes.setdefault(prefix, space) != space:
            raise _Doubt

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._field:
            self._is_sure = False       # markup in a text
        if attributes and any(map(self._bases.__getitem__, attributes)):
            self.has_base = True
        kind = self._kinds[name]
        if kind is None:
            if self._depth == 1:
                self.is_rss = name == "rss"
        elif kind in (_ENTRY, _DOUBT):
            self._begin_entry(kind, attributes)
        elif self._entry and self._is_sure:
            self._begin_field(kind, name, attributes)

    def _begin_entry(self, kind: str, attributes: dict[str, str]) -> None:
        if kind == _DOUBT or self._entry:
            raise _Doubt
        self._begin, self._entry, self._is_sure = self._parser.CurrentByteIndex, self._depth, True
        about = attributes.pop(_ABOUT, "")
        self._fields = [Field("about", about, {})] if about else []
        if any(_local(name) in _OF_AN_ENTRY for name in attributes):
            self._is_sure = False

    def _begin_field(self, kind: str, name: str, attributes: dict[str, str]) -> None:
        if kind == _SECOND_TITLE:       # counts for nothing after the first
            self._is_sure = any(field.kind == "title" and field.text.strip() for field in self._fields)
            return
        bare = {name.lower(): value for name, value in attributes.items()}
        if (kind == _UNSURE or self._depth != self._entry + 1 or len(bare) < len(attributes)
                or any(" " in name and _local(name) in _OF_A_FIELD for name in bare)
                or (bare and _local(name) == "date")):       # kept as it is, without a text
            self._is_sure = False
            return
        self._field, self._kind, self._attributes, self._texts = self._depth, kind, bare, []
        self._parser.CharacterDataHandler = self._texts.append

    def _end(self, _: str) -> None:
        if self._depth == self._field:
            self._fields.append(Field(self._kind, "".join(self._texts), self._attributes))
            self._field, self._parser.CharacterDataHandler = 0, None
        elif self._depth == self._entry:
            self._end_entry()
        self._depth -= 1

    def _end_entry(self) -> None:
        place = self._parser.CurrentByteIndex
        if not self._source.startswith(b"</", place):       # of `<item/>` expat tells what follows it
            raise _Doubt
        end = self._source.index(b">", place) + 1
        self.entries.append(Scanned(self._begin, end, tuple(self._fields) if self._is_sure else None))
        self._entry = 0


def _local(name: str) -> str:
    parts = name.split(" ")
    return parts[min(1, len(parts) - 1)].lower()
