"""axe-core in the browser and the Nu HTML checker in Java: judges of pages that are not ours.

Both are had from npm, once: see .ci/run. Nothing but loopback is spoken to.
"""
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from browser import Browser

_MODULES = Path(__file__).parents[1] / ".venv" / "checkers" / "node_modules"
AXE = _MODULES / "axe-core" / "axe.min.js"
NU = _MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
JAVA = shutil.which("java")

_RUN = """axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(one =>
  one.id + ": " + one.help + " " + one.nodes.map(node => node.target.join(" ")).slice(0, 3).join(", ")))"""


def violations(browser: Browser) -> list[str]:
    """What axe-core finds wrong on the page that is shown; also in the best practices that it knows."""
    source = AXE.read_text(encoding="utf-8")
    # evaluated, not added as an element: the page's Content-Security-Policy holds for it too
    browser.command("Runtime.evaluate", expression=source)
    found = browser.command("Runtime.evaluate", expression=_RUN, awaitPromise=True, returnByValue=True)
    assert "exceptionDetails" not in found, found
    return found["result"]["value"]


def faults(pages: list[Path]) -> list[str]:
    """What the Nu checker says of these files; its hints too."""
    done = subprocess.run([JAVA, "-jar", str(NU), "--format", "json", "--stdout", *map(str, pages)],
                          capture_output=True, text=True, timeout=180, check=False)
    messages: list[dict[str, Any]] = json.loads(done.stdout)["messages"]
    return [f"{Path(one.get('url', '')).name}:{one.get('lastLine', '')} {one['message']}" for one in messages]
