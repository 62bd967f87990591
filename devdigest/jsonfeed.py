"""JSON Feed 1.0 and 1.1 (jsonfeed.org), which feedparser cannot read, in the shape it gives other feeds."""
import json
from typing import Any

_PLAIN = {"type": "text/plain"}


def read(text: str) -> dict[str, Any]:
    """`feed` and `entries` as feedparser has them. Raises ValueError in words for the owner."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("broken JSON") from error
    if not isinstance(document, dict) or "jsonfeed.org/version/" not in _text(document, "version"):
        raise ValueError("JSON, but no JSON Feed")
    items = document["items"] if isinstance(document.get("items"), list) else []
    return {
        "feed": {"title": _text(document, "title"), "title_detail": _PLAIN,
                 "link": _text(document, "home_page_url")},
        "entries": [_entry(item) for item in items if isinstance(item, dict)],
    }


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    link = _text(item, "url") or _text(item, "external_url")
    return {
        "id": _text(item, "id"),
        "link": link,
        "links": [{"href": link}] if link else [],
        "title": _text(item, "title"), "title_detail": _PLAIN,
        "summary": _text(item, "summary"), "summary_detail": _PLAIN,
        "content": [{"value": _text(item, "content_html"), "type": "text/html"},
                    {"value": _text(item, "content_text"), "type": "text/plain"}],
        "tags": [{"term": tag} for tag in item["tags"]] if isinstance(item.get("tags"), list) else [],
        "published": _text(item, "date_published"),
        "updated": _text(item, "date_modified"),
    }


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if isinstance(value, int | float):      # an id that is a number must be taken as a string
        return str(value)
    return value if isinstance(value, str) else ""
