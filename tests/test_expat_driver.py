"""feedparser with texts in whole pieces, held against feedparser as it comes, over all real feeds."""
import io
from pathlib import Path
from typing import Any

import feedparser
import feedparser.api
import pytest

from devdigest import documents, encoding

FOLDER = Path(__file__).parents[2] / "shared" / "feeds" / "real"

FEEDS = {".xml", ".rss", ".atom", ".rdf"}

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the collection of real feeds is not here")


def read(source: bytes) -> dict[str, Any]:
    document = feedparser.parse(io.BytesIO(source), sanitize_html=False, resolve_relative_uris=False,
                                response_headers={"content-type": "application/xml; charset=utf-8"})
    document.pop("bozo_exception", None)        # no two exceptions are equal
    return document


@pytest.mark.parametrize("path", sorted(path for path in FOLDER.rglob("*") if path.suffix in FEEDS),
                         ids=lambda path: path.name)
def test_it_reads_in_a_real_feed_what_is_read_without_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = encoding.xml(encoding.decode(path.read_bytes(), ""))
    assert documents.feedparser.api.PREFERRED_XML_PARSERS == ["devdigest.expat_driver"]
    ours = read(source)
    monkeypatch.setattr(feedparser.api, "PREFERRED_XML_PARSERS", [])
    assert read(source) == ours
