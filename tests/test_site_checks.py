"""Every page before judges that are not ours: axe-core for who sees little, the Nu checker for its HTML.

And on the scales: what a phone has to fetch for it.
"""
import gzip
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import checkers
import pytest
import requests
from browser import CHROMIUM, DRIVER, Browser, started
from the_pages import the_pages
from web_site import served

from devdigest.config import Config

pytestmark = [pytest.mark.browser, pytest.mark.slow]

needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER and checkers.AXE.exists()),
                                   reason="needs chromium, chromium-driver and axe-core: see .ci/run")
needs_java = pytest.mark.skipif(not (checkers.JAVA and checkers.NU.exists()),
                                reason="needs java and the Nu checker: see .ci/run")

MOST = 30 * 1024        # bytes of a page and its style sheet, compressed


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("chromium")) as browser:
        browser.command("Network.enable")
        yield browser


@needs_browser
@pytest.mark.parametrize("language", ["ko", "en"])
def test_axe_finds_no_violation_by_day_or_by_night(browser: Browser, config: Config, records: None,
                                                   language: str) -> None:
    pages = the_pages(language)
    browser.command("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
    found = {}
    with served(config) as site:
        for (name, path), dark in product(pages.items(), (False, True)):
            browser.show(site + path, 360, dark)
            if wrong := checkers.violations(browser):
                found[f"{name} {'dark' if dark else 'light'}"] = wrong
    assert found == {}


@needs_java
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_nu_checker_has_nothing_to_say_about_any_page(config: Config, records: None, tmp_path: Path,
                                                          language: str) -> None:
    files = []
    with served(config) as site:
        for name, path in the_pages(language).items():
            answer = requests.get(site + path, headers={"Accept-Language": language}, timeout=10)
            files.append(tmp_path / f"{name}.html")
            files[-1].write_bytes(answer.content)
    assert len(files) > 25
    assert checkers.faults(files) == []


def test_a_page_is_one_request_and_one_for_its_style_and_under_30_kb(config: Config, records: None) -> None:
    with served(config) as site:
        for name, path in the_pages("ko").items():
            page = requests.get(site + path, timeout=10).content
            fetched = re.findall(rb'<(?:link rel="stylesheet"|script|img|iframe|source)[^>]*>', page)
            assert len(fetched) == 1, name
            style = requests.get(site + re.search(rb'href="([^"]*)"', fetched[0])[1].decode(), timeout=10)
            assert len(gzip.compress(page)) + len(gzip.compress(style.content)) < MOST, name


@needs_browser
@needs_java
def test_the_judges_do_find_faults(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<!doctype html><html><body><h1>a</h1><img src='x.png'><button></button></div></html>")
    browser.show(page.as_uri(), 360, dark=False)
    assert {one.partition(":")[0] for one in checkers.violations(browser)} >= {"image-alt", "button-name"}
    assert any("Stray end tag" in fault for fault in checkers.faults([page]))
