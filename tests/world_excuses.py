"""What the design accepts, by name: asked only where an article is not where its reader expects it.

"" where nothing explains it.
"""
from datetime import datetime

from world_blogs import Article, SimBlog
from world_ledgers import Face, Ledger, Sight

Ledgers = dict[SimBlog, Ledger]


def why_twice(ledgers: Ledgers, article: Article, names: list[str]) -> str:
    """Why it was printed twice, of the blogs with these names."""
    if len(set(names)) < len(names):
        return why_anew(ledgers, article, max(names, key=names.count))
    books = [book for blog, book in ledgers.items() if blog.name in names]
    pages = [{face.shown.page: face for face in reversed(book.faces[article])} for book in books]
    common = set.intersection(*map(set, pages))
    if not common:
        return "cross-post under another link"
    if any(len({(shown.article, shown.guid, shown.title) for shown, _ in book.pages[page]}) > 1
           for book in books for page in common):
        return "cross-post of a link that two posts of one blog have"
    if not any(_listed(ledgers, page, max(paged[page].at for paged in pages)) for page in common):
        return "cross-post of a link under no listed site"
    if all(any(book.sights[article].face.shown.page != page for book in books) for page in common):
        return "cross-post of the link that the article had later"
    return next(filter(None, (why_anew(ledgers, article, name) for name in names)), "")


def _listed(ledgers: Ledgers, page: str, at: datetime) -> bool:
    for blog, book in ledgers.items():
        then = [left_out for since, left_out in book.left_out if since <= at]
        if page.startswith(f"{blog.name}.example/") and then and not then[-1]:
            return True
    return False


def why_anew(ledgers: Ledgers, article: Article, name: str) -> str:
    """Why an entry of an article known before could pass for a new one."""
    book = next(book for blog, book in ledgers.items() if blog.name == name)
    sight = book.sights[article]
    unknown = [face for face in book.faces[article] if face.unknown and face is not sight.face]
    anew = [face for face in unknown if not face.batch]
    first = sight.face.shown.title
    if any(face.later for face in anew):
        return "anew under another id and link, dated later than all before"
    if any((face.shown.title, face.day) != (first, sight.day) for face in anew):
        return "anew under another id and link, another title or day, fewer than five"
    alone = not any(face.shown.title == first for other, faces in book.faces.items()
                    if other is not article for face in faces)
    if any(face.batch and (face.shown.title != first or not alone) for face in unknown):
        return "anew with a title changed or not alone, held and released" if book.released else ""
    return _twins(book, sight)


def why_missing(ledgers: Ledgers, sure: list[Sight], seen: list[Sight]) -> str:
    """Why none of the sights that are news for sure led into an issue."""
    for sight in sure:
        if alike := _twins(ledgers[sight.blog], sight):
            return alike
    return "copy of an article whose blog was excluded" if any(sight.cancelled for sight in seen) else ""


def _twins(book: Ledger, sight: Sight) -> str:
    for article, faces in book.faces.items():
        for other in faces:
            if article is not sight.article and other.at <= sight.at and (
                    alike := _alike(sight.face, other)):
                return f"same {alike} as another article"
    return ""


def _alike(one: Face, other: Face) -> str:
    same_title, same_page = one.shown.title == other.shown.title, one.shown.page == other.shown.page
    if same_title and one.day == other.day:
        return "title and day"
    if same_title and (one.shown.guid == other.shown.guid or same_page):
        return "title and id or link"
    if same_page and one.shown.declared == other.shown.declared:
        return "link and date"
    return "id" if one.shown.guid == other.shown.guid else ""
