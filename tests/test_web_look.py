"""The pages in a real browser: they fit a phone and a desk, and can be read by day and by night.

With $DEVDIGEST_SHOTS set to a folder, a picture of each page is left there.
"""
import os
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from browser import CHROMIUM, DRIVER, WORDS, Browser, started
from conftest import NOW, a_blog
from web_site import a_confirmation, a_post, a_week, an_issue, link, served

from devdigest.config import Config
from devdigest.readers import Subscriber

pytestmark = [pytest.mark.browser,
              pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromium-driver")]

# How wide it gets, its headlines, its background, and how high the buttons are for a thumb.
PAGE = """[document.documentElement.scrollWidth, document.querySelectorAll("h1").length,
  getComputedStyle(document.body).backgroundColor,
  [...document.querySelectorAll("button")].map(button => button.offsetHeight)]"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("chromium")) as browser:
        browser.command("Network.enable")
        yield browser


def the_pages(language: str) -> dict[str, str]:
    """Where to look, by a name for the picture; the records are made on the way."""
    a_week(readers=120)
    wild = a_blog("wild", name="이름이길어서두줄을넘기는어느개발자의블로그" * 2, status=200, fetched=NOW,
                  fault="unreadable: SAXParseException " + "x" * 90)
    an_issue(a_post(wild, "아주 긴 제목은 " * 30), a_post(wild, "Donaudampfschifffahrt" * 12),
             a_post(wild, "가" * 200), a_post(wild, "", url="", excerpt="https://example.org/" + "a" * 180),
             day=date(2026, 11, 18), blogs=1990, reached=812, lacks=True)
    ada, bob, carol = (Subscriber.create(email=f"{state}@example.org", state=state, language=language,
                                         created=NOW, confirmed=NOW, cancelled=NOW)
                       for state in ("active", "pending", "cancelled"))
    return {"home": "/", "issues": "/issues/", "issue": "/issues/2026-11-21", "empty": "/issues/2026-11-20",
            "wild-issue": "/issues/2026-11-18", "blogs": "/blogs/", "blog": "/blogs/2",
            "failing-blog": "/blogs/4", "wild-blog": f"/blogs/{wild.id}",
            "left-out-blog": "/blogs/7", "about": "/about",
            "leave": f"/u/{link(ada)}", "left": f"/u/{link(carol)}", "manage": f"/manage/{link(ada)}",
            "manage-left": f"/manage/{link(carol)}", "confirm": f"/confirm/{a_confirmation(bob)}",
            "confirmed": f"/confirm/{a_confirmation(ada)}", "no-such-link": "/u/1-x", "not-found": "/nowhere"}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_can_be_read_on_a_phone_and_on_a_desk_by_day_and_by_night(
        browser: Browser, config: Config, records: None, language: str) -> None:
    pages = the_pages(language)
    browser.command("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
    with served(config) as site:
        for name, path in pages.items():
            browser.show(site + path, 375, dark=False)
            for width, dark in product((375, 1100), (False, True)):
                look(browser, f"{name}-{language}-{width}-{'dark' if dark else 'light'}", width, dark)


def look(browser: Browser, name: str, width: int, dark: bool) -> None:
    shots = os.environ.get("DEVDIGEST_SHOTS")
    browser.resize(width, dark, scale=2 if shots else 1)
    if shots:
        Path(shots, f"web-{name}.png").write_bytes(browser.picture())
    width_shown, headlines, paper, buttons = browser.ask(PAGE)
    assert (width_shown, headlines) == (width, 1), name
    assert paper == ("rgb(21, 23, 26)" if dark else "rgb(247, 245, 240)"), name
    assert [height for height in buttons if height < 44] == [], name
    words = browser.ask(WORDS)
    assert len(words) > 5
    assert [one for one in words if one["pixels"] < 14 or one["contrast"] < 4.5] == [], name
