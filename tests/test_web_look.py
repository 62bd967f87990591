"""The pages in a real browser: they fit a phone and a desk, and can be read by day and by night.

With $DEVDIGEST_SHOTS set to a folder, a picture of each page is left there.
"""
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from browser import CHROMIUM, DRIVER, WORDS, Browser, started
from the_pages import the_pages
from web_site import served

from devdigest import agenda, holding
from devdigest.config import Config
from devdigest.memory import BY_LINK, Setting

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


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_can_be_read_on_a_phone_and_on_a_desk_by_day_and_by_night(
        browser: Browser, config: Config, records: None, language: str) -> None:
    pages = the_pages(language)
    browser.command("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
    with served(config) as site:
        for name, path in pages.items():
            browser.show(site + path, 360, dark=False)
            for width, dark in product((360, 1280), (False, True)):
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


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_owners_page_can_be_read_before_and_after(browser: Browser, config: Config, records: None,
                                                      language: str) -> None:
    config = replace(config, site=replace(config.site, language=language))
    path = holding.link(config, agenda.next_issue(config, datetime.now(UTC))).removeprefix(config.site.url)
    with served(config) as site:
        for name in ("hold", "held", "hold-no-more"):
            browser.show(site + path.replace("/2", "/1") if name == "hold-no-more" else site + path, 360,
                         dark=False)
            for width, dark in product((360, 1280), (False, True)):
                look(browser, f"{name}-{language}-{width}-{'dark' if dark else 'light'}", width, dark)
            Setting.hold(datetime.now(UTC), BY_LINK)
