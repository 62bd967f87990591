"""The units: every line of a service has its reason, and systemd finds no fault in them."""
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from devdigest import credentials

UNITS = Path(__file__).parents[1] / "deploy/systemd"
SERVICES = ("devdigest-web.service", "devdigest-worker.service")
_SAME_REASON = ("LoadCredential", "SetCredential", "Group")       # as the line above


def settings(unit: str) -> list[tuple[str, str, str]]:
    """(line above, key, value) of each."""
    lines = (UNITS / unit).read_text(encoding="utf-8").splitlines()
    return [(above, *line.split("=", 1)) for above, line in pairwise(lines)
            if "=" in line and not line.startswith("#")]


def values(unit: str, key: str) -> list[str]:
    return [value for _, name, value in settings(unit) if name == key]


@pytest.mark.parametrize("unit", SERVICES)
def test_every_line_of_a_service_has_its_reason(unit: str) -> None:
    text = (UNITS / unit).read_text(encoding="utf-8")
    service = text[text.index("\n[Service]\n") + 1:text.index("[Install]")].splitlines()[1:]
    for above, line in pairwise(service):
        if line and not line.startswith("#"):
            alike = line.startswith(_SAME_REASON) and above and not above.startswith("[")
            assert re.fullmatch(r"# \S.{10,110}", above) or alike, f"{unit}: {line}: why?"
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_comes_back_for_ever(unit: str) -> None:
    assert values(unit, "Restart") == ["always"]
    assert values(unit, "StartLimitIntervalSec") == ["0"]
    assert not values(unit, "RestartPreventExitStatus")


@pytest.mark.parametrize("unit", SERVICES)
def test_a_password_that_is_missing_keeps_no_service_from_starting(unit: str) -> None:
    loaded = [value.partition(":") for value in values(unit, "LoadCredential")]
    assert [f"{name}:\\n" for name, _, _ in loaded] == values(unit, "SetCredential")
    assert {path for _, _, path in loaded} == {f"/etc/devdigest/credentials/{name}" for name, _, _ in loaded}
    assert all(hasattr(credentials, name) for name, _, _ in loaded)


def test_every_password_comes_to_one_of_the_services() -> None:
    loaded = {value.partition(":")[0] for unit in SERVICES for value in values(unit, "LoadCredential")}
    assert loaded == {"smtp_password", "imap_password", "webhook_key", "webhook_secret"}


def test_the_site_reaches_this_machine_alone_and_has_no_password_of_the_relay() -> None:
    site = "devdigest-web.service"
    assert (values(site, "IPAddressDeny"), values(site, "IPAddressAllow")) == (["any"], ["localhost"])
    assert not [value for value in values(site, "LoadCredential") if "password" in value]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    """With a program that is there; the recovery of an upgrade as a unit that does nothing."""
    (tmp_path / "devdigest-recover.service").write_text("[Service]\nType=oneshot\nExecStart=/bin/true\n")
    for unit in (*SERVICES, "devdigest.target"):
        text = (UNITS / unit).read_text(encoding="utf-8")
        (tmp_path / unit).write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.glob("devdigest*"))],
                          text=True, capture_output=True, check=False, timeout=60)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "devdigest" in line]
    assert (done.returncode, ours) == (0, [])
