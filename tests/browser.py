"""One headless chromium for the tests that look: nothing but loopback is spoken to."""
import base64
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

_PRESSED = "//*[self::a or self::button][contains(normalize-space(), '{}')]"

# Every element with words of its own that are seen: its size, its contrast to what is behind (WCAG 2, 1.4.3).
WORDS = """(() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => numbers(colour).slice(0, 3).map(part => part / 255)
    .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = node => {
    const colour = getComputedStyle(node).backgroundColor;
    return numbers(colour)[3] === 0 ? behind(node.parentElement) : colour;
  };
  return [...document.querySelectorAll("body *")]
    .filter(node => node.checkVisibility())
    .filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
    .map(node => {
      const style = getComputedStyle(node);
      const [low, high] = [light(style.color), light(behind(node))].sort((one, other) => one - other);
      return {text: node.textContent.trim().slice(0, 40), pixels: parseFloat(style.fontSize),
              contrast: (high + 0.05) / (low + 0.05)};
    });
})()"""


class Browser:
    """A chromium that is spoken to by chromedriver's HTTP interface and the DevTools protocol."""

    def __init__(self, driver: str, profile: Path):
        self.driver = driver
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--hide-scrollbars", f"--user-data-dir={profile}"]
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"binary": CHROMIUM, "args": arguments}}
        started = self._post("", {"capabilities": {"alwaysMatch": wanted}})
        self.driver += f"/{started['sessionId']}"

    def _post(self, path: str, body: dict):
        answer = requests.post(self.driver + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()["value"]

    def command(self, name: str, **parameters):
        return self._post("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def show(self, url: str, width: int, dark: bool, scale: int = 1) -> None:
        self.resize(width, dark, scale)
        self._post("/url", {"url": url})

    def resize(self, width: int, dark: bool, scale: int = 1) -> None:
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=scale,
                     mobile=False)
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def ask(self, script: str):
        return self._post("/execute/sync", {"script": f"return {script}", "args": []})

    def press(self, words: str) -> None:
        """Clicks the link or button with these words; where it leads has been loaded then."""
        self.ask("window.here = true")
        self._post(f"{self._element('xpath', _PRESSED.format(words))}/click", {})
        until = time.monotonic() + 10
        while self.ask("window.here || document.readyState != 'complete'"):
            assert time.monotonic() < until, f"{words!r} leads nowhere"
            time.sleep(0.02)

    def write(self, name: str, text: str) -> None:
        """Types into the field of that name."""
        self._post(f"{self._element('css selector', f'[name={name}]')}/value", {"text": text})

    def choose(self, name: str, value: str) -> None:
        """Presses one of several radio buttons of a name."""
        self._post(f"{self._element('css selector', f'[name={name}][value={value}]')}/click", {})

    def _element(self, how: str, what: str) -> str:
        return f"/element/{next(iter(self._post('/element', {'using': how, 'value': what}).values()))}"

    def words(self) -> str:
        """All that is seen on the page."""
        return self.ask("document.body.innerText")

    def picture(self) -> bytes:
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def close(self) -> None:
        requests.delete(self.driver, timeout=30)


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """A browser with its profile in `folder`, which ends with the `with` block."""
    with subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True,
                          env=os.environ | {"TMPDIR": str(folder)}) as driver:
        try:
            port = next(filter(None, (re.search(r"on port (\d+)\.", line) for line in driver.stdout)))[1]
            browser = Browser(f"http://127.0.0.1:{port}/session", folder / "profile")
            try:
                yield browser
            finally:
                browser.close()     # else chromium outlives its driver
        finally:
            driver.terminate()
